#!/bin/bash
# SPDX-License-Identifier: MIT
#
# image.bash [FOLDER]: make the root file system that tests of a folder (this one) run from, and print the path of its tarball.
#
# A Debian system with the packages of FOLDER/image-packages.txt; kept in build/FOLDER/KEY, where KEY is a
# hash of this script and that list. Takes a minute or two and a Debian mirror when it is not there.
# Exit status 77 when there is no mirror.
#
# Environment: WORKLOADS_MIRROR, WORKLOADS_SECURITY_MIRROR replace the Debian archives.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=$(realpath "${1:-$here}")
cache=$(cd "$here/../.." && pwd)/build/$(basename "$folder")
mirror=${WORKLOADS_MIRROR:-http://deb.debian.org/debian}
security=${WORKLOADS_SECURITY_MIRROR:-http://deb.debian.org/debian-security}
release=bookworm
key=$(cat "$0" "$folder/image-packages.txt" | sha256sum | cut -c 1-16)
out=$cache/$key/debian.tar

if [ ! -e "$out" ]; then
	mkdir -p "$cache"
	exec 9>"$cache/lock"
	flock 9 # tests of this folder run side by side
fi
if [ ! -e "$out" ]; then
	work=$(mktemp -d "$cache/work.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	apt-config dump --no-empty | grep -E '^Acquire::(https?::Proxy|Check-)' >"$work/apt.conf" || true
	timeout 30 /usr/lib/apt/apt-helper -c "$work/apt.conf" -qq download-file \
		"$mirror/dists/$release/InRelease" "$work/InRelease" >&2 || exit 77
	mmdebstrap --quiet --mode=root --variant=minbase --format=tar \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		--include="$(paste -sd, "$folder/image-packages.txt")" --aptopt="$work/apt.conf" \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
		"$release" "$work/debian.tar" "deb $mirror $release main" \
		"deb $mirror $release-updates main" "deb $security $release-security main" >&2
	find "$cache" -mindepth 1 -maxdepth 1 -type d ! -path "$work" -exec rm -rf {} +
	mkdir "$cache/$key"
	mv "$work/debian.tar" "$out"
fi
echo "$out"

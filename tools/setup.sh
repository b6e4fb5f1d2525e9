#!/bin/bash
# SPDX-License-Identifier: MIT
#
# setup.sh [KIND]...: install the Debian packages that a kind of work needs and that are missing.
#
# Kinds: build (always), lint, unit, test, long, bench, fuzz, deep.  Besides tools/packages.txt, test reads
# tests/*/packages.txt and bench reads bench/packages.txt.  Quick when everything is there; the
# package lists are fetched only when a package is not found in them.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)

packages() {
	local kind
	for kind in build "$@"; do
		case $kind in
		build | lint | unit | fuzz | deep | long) ;;
		test) cat "$top"/tests/*/packages.txt ;;
		bench) cat "$top/bench/packages.txt" ;;
		*)
			echo "setup: unknown kind '$kind'" >&2
			return 1
			;;
		esac
		sed -n "s/^$kind://p" "$top/tools/packages.txt"
	done | sed 's/#.*//' | xargs -n 1 | sort -u
}

want=$(packages "$@")
# shellcheck disable=SC2016 # dpkg-query expands it
have=$(xargs dpkg-query -W -f '${db:Status-Status} ${Package}\n' <<<"$want" 2>/dev/null |
	sed -n 's/^installed //p' | sort -u || true)
mapfile -t missing < <(comm -23 <(echo "$want") <(echo "$have"))
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "setup: these packages are missing; as root: apt-get install ${missing[*]}" >&2
	exit 1
fi

echo "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
	apt-get -qq -o DPkg::Lock::Timeout=600 "$@" >"$log" 2>&1
}
install() {
	apt install -y --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}"
}
exec 9>/run/cleave-setup.lock # two runs at once
flock 9
if ! apt-cache show "${missing[@]}" >/dev/null 2>&1 || ! install; then
	# no lists, or lists that name files which the mirror no longer has
	{ apt update && install; } || { cat "$log" >&2; exit 1; }
fi

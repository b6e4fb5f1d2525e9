#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [--pairs N] [--only NAME]... [--format table|json] [--no-install]
#
# Compares the container runtime and the engine with Debian's crun, runc, podman and docker, side
# by side in one run. Subjects: run, exec, cycle, parallel, engine, verbs, logs, memory, scale.
# README.md explains the tables. Prints figures, judges nothing: the exit status tells only
# whether it ran.
#
# Environment: CLEAVE_OCI (build/bin/cleave-oci), CLEAVE (build/bin/cleave), BUILD (build).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
build=${BUILD:-$top/build}
oci=${CLEAVE_OCI:-$build/bin/cleave-oci}
cleave=${CLEAVE:-$build/bin/cleave}

rounds=30 format=table only='' install=yes
usage() {
	sed -n '4,11s/^# \{0,1\}//p' "$0"
	exit "$1"
}
while [ $# -gt 0 ]; do
	case $1 in
	--pairs) rounds=${2:?--pairs needs a number} && shift 2 ;;
	--only) only+=" ${2:?--only needs a subject}" && shift 2 ;;
	--format) format=${2:?--format needs table or json} && shift 2 ;;
	--no-install) install=no && shift ;;
	-h | --help) usage 0 ;;
	*) usage 2 >&2 ;;
	esac
done
subjects='run exec cycle parallel engine verbs logs memory scale'
for s in $only; do
	[[ " $subjects " == *" $s "* ]] || { echo "run.sh: no subject '$s'; there are: $subjects" >&2; exit 2; }
done
[ "$(id -u)" = 0 ] || { echo "run.sh: must run as root" >&2; exit 2; }

if [ $install = yes ]; then
	missing=()
	while read -r p; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q ' installed$' || missing+=("$p")
	done <"$here/packages.txt"
	if [ ${#missing[@]} -gt 0 ]; then
		echo "installing: ${missing[*]}" >&2
		{ apt-get -qq update && apt-get -qq install -y --no-install-recommends "${missing[@]}"; } >&2
	fi
fi

# Everything below happens in a work directory and in name spaces of its own;
# whatever ends this script, the process tree, the mounts and the cgroups go with it.
work=$(mktemp -d "${TMPDIR:-/tmp}/cleave-bench.XXXXXX")
prefix=cb$$
namespace=
clean_up() {
	trap '' INT TERM HUP
	trap - EXIT
	if [ -n "$namespace" ]; then
		kill -KILL "$namespace" 2>/dev/null || true
		wait "$namespace" 2>/dev/null || true
	fi
	# A cgroup can be removed once its killed processes are gone, which takes a moment.
	for _ in {1..50}; do
		left=$(find /sys/fs/cgroup -depth -type d -path "*/$prefix-*")
		[ -n "$left" ] || break
		while read -r d; do rmdir "$d" 2>/dev/null || true; done <<<"$left"
		sleep 0.1
	done
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

for program in pairs floor; do
	cc -std=gnu17 -D_GNU_SOURCE -O2 -static -Wall -Wextra -o "$work/$program" "$here/$program.c"
done
SECCOMP_CACHE=$build/bench "$here/bundle.sh" "$work/true"
mkdir "$work/sleep"
jq --arg rootfs "$work/true/rootfs" '.root.path = $rootfs | .process.args = ["sleep", "100000"]' \
	"$work/true/config.json" >"$work/sleep/config.json"

export here work prefix oci cleave rounds format subjects="${only:-$subjects}"
unshare --mount --pid --fork --mount-proc --kill-child "$here/inner.sh" &
namespace=$!
wait "$namespace"

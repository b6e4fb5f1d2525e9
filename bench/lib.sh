# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # who sources this uses them
#
# Shared by the scripts that compare what is done with images.
#
#   begin [ARG...]      read the options of the script, whose usage is its fourth line: $rounds, $format, $only
#   need PROGRAM...     stop without one of them, or without root
#   make_debian         $root becomes a tar archive of about 300 MB, which mmdebstrap builds once
#   make_work           $work is a place on the disk, which goes at the end, after clean_up of the script;
#                       ${pod[@]} are podman's options for a store of its own, and cleave's is there, too
#   pairs ARG...        compare
#   subjects NAME...    call subject_NAME for those that are wanted, else for all
#
# Environment: CLEAVE (build/bin/cleave), BUILD (build), MIRROR (http://deb.debian.org/debian).
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${BUILD:-$here/../build}
cleave=$(realpath -m "${CLEAVE:-$build/bin/cleave}")
rounds=5 format=table only=''

begin() {
	while [ $# -gt 0 ]; do
		case $1 in
		--rounds) rounds=${2:?--rounds needs a number} && shift 2 ;;
		--only) only+=" ${2:?--only needs a subject}" && shift 2 ;;
		--format) format=${2:?--format needs table or json} && shift 2 ;;
		*)
			sed -n '4p' "$0" | cut -c 3- >&2
			exit 2
			;;
		esac
	done
}

need() {
	local p
	for p in "$cleave" "$@"; do
		command -v "$p" >/dev/null || { echo "$(basename "$0"): no $p" >&2; exit 1; }
	done
	[ "$(id -u)" = 0 ] || { echo "$(basename "$0"): must run as root" >&2; exit 1; }
}

make_debian() {
	mkdir -p "$build/bench"
	root=$build/bench/debian.tar
	[ ! -f "$root" ] || return 0
	mmdebstrap --quiet --variant=important --include=python3,perl,git,ca-certificates,curl \
		bookworm "$build/bench/new.tar" "${MIRROR:-http://deb.debian.org/debian}" # by its name it becomes an archive
	mv "$build/bench/new.tar" "$root"
}

clean_up() { :; }

make_work() {
	work=$(mktemp -d "${TMPDIR:-/var/tmp}/cleave.XXXXXX") # podman takes no long names
	pod=(--root "$work/pod" --runroot "$work/prun" --storage-driver overlay)
	export CLEAVE_ROOT=$work/root CLEAVE_RUNROOT=$work/run
	trap 'clean_up; umount "$work/pod/overlay" "$work/pod" 2>/dev/null || true; rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM
	cc -std=gnu17 -D_GNU_SOURCE -O2 -static -o "$work/pairs" "$here/pairs.c"
}

pairs() {
	"$work/pairs" --rounds "$rounds" --format "$format" "$@"
	[ "$format" = json ] || echo
}

subjects() {
	local s
	# shellcheck disable=SC2086 # a list of words
	[ -z "$only" ] || set -- $only
	for s; do
		declare -F "subject_$s" >/dev/null || { echo "$(basename "$0"): no subject '$s'" >&2; exit 2; }
		"subject_$s"
	done
}

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Shared by the tests of this folder: a place to work in, a bundle, checks, and the search for leaks.
#
# A test sources this file, calls setup, then checks.  Its verdict is given when it ends: 0, 1 or 77
# (skipped).  At the end every container is deleted by force, and whatever is left of one is a failure.
#
#   $OCI   the runtime             $T     temporary folder, a tmpfs in a private mount namespace
#   $ROOT  its state directory     $B     bundle; $B/rootfs holds busybox
#   $ID    container id, unique    $out, $status   of the last ct, attempt or refuse

# shellcheck disable=SC2034
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
OCI=$(realpath -m "${CLEAVE_OCI:-$here/../../build/bin/cleave-oci}")
NAME=$(basename "$0" .sh)
checks=0
failures=0

# skip REASON - end the test as skipped.
skip() {
	echo "skip: $*"
	checks=skipped
	exit 77
}

# need PROGRAM... - skip without them.
need() {
	local p
	for p in "$@"; do
		command -v "$p" >/dev/null || skip "no $p"
	done
}

# setup [PROGRAM...] - make $T, the bundle and the base configuration; skip without the programs.
setup() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	need "$OCI" busybox jq unshare "$@"
	if [ -z "${OCI_TEST_INNER:-}" ]; then
		OCI_TEST_INNER=1 exec unshare --mount --propagation private "$BASH" "$0"
	fi
	unset OCI_TEST_INNER
	T=$(mktemp -d "${TMPDIR:-/tmp}/cleave-oci.XXXXXX") || exit 1
	trap finish EXIT
	trap 'exit 1' INT TERM HUP
	mount -t tmpfs -o mode=755 "$NAME" "$T" || skip "cannot mount a tmpfs"
	ROOT=$T/state B=$T/bundle ID=$NAME-$$
	mkdir -p "$B"
	make_rootfs "$B/rootfs"
	oci spec -b "$B" || exit 1
	jq --arg id "/$ID" '.linux.cgroupsPath=$id' "$B/config.json" >"$T/base.json" || exit 1
	rm "$B/config.json"
	conf .
}

# make_rootfs DIR - busybox and an /etc.
make_rootfs() {
	mkdir -p "$1"/{bin,dev,etc,proc,sys,tmp,root,home/user}
	chmod 1777 "$1/tmp"
	cp "$(command -v busybox)" "$1/bin/busybox"
	"$1/bin/busybox" --install -s "$1/bin"
	ln -sf busybox "$1/bin/sh"
	local link
	for link in "$1"/bin/*; do
		[ -L "$link" ] && ln -sf busybox "$link"
	done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
	echo 'user:x:1000:1000:user:/home/user:/bin/sh' >>"$1/etc/passwd"
	echo 'root:x:0:' >"$1/etc/group"
}

# finish - verdict, leak search, removal; runs on exit.
finish() {
	local code=$? id left
	trap - EXIT
	if [ -n "${ROOT:-}" ]; then
		for id in "$ROOT"/*; do
			[ ! -d "$id" ] || oci delete --force "${id##*/}" || no "delete --force ${id##*/}"
		done
		left=$(leftovers)
		[ -z "$left" ] || no "nothing is left of the containers" "$left"
	fi
	if [ -n "${T:-}" ]; then
		cd /
		umount -l "$T" 2>/dev/null
		rmdir "$T"
	fi
	[ "$checks" = skipped ] && exit 77
	[ "$code" = 0 ] || [ "$failures" != 0 ] || no "the script ended with status $code"
	[ "$checks" != 0 ] || no "no check was made"
	[ "$failures" = 0 ] || echo "$failures of $checks checks failed"
	exit $((failures != 0))
}

# leftovers - print what is left of this test's containers: directories, cgroups, processes, mounts.
leftovers() {
	ls "$ROOT" 2>/dev/null
	find /sys/fs/cgroup -mindepth 2 -maxdepth 4 -type d -name "*$ID*" 2>/dev/null
	grep -la "${ROOT%?}[${ROOT: -1}]" /proc/[0-9]*/cmdline 2>/dev/null # the brackets hide grep itself
	grep -F "$B/rootfs" /proc/self/mountinfo
}

yes() {
	checks=$((checks + 1))
	echo "ok - $1"
}

# no WHAT [DETAIL] - count a failure.
no() {
	checks=$((checks + 1))
	failures=$((failures + 1))
	echo "not ok - $1"
	[ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/#   /'
}

# eq WHAT GOT WANT
eq() {
	if [ "$2" = "$3" ]; then yes "$1"; else no "$1" "got:  $2"$'\n'"want: $3"; fi
}

# like WHAT GOT ERE
like() {
	if [[ $2 =~ $3 ]]; then yes "$1"; else no "$1" "got:  $2"$'\n'"want: $3"; fi
}

# unlike WHAT GOT ERE
unlike() {
	if [[ $2 =~ $3 ]]; then no "$1" "got:  $2"$'\n'"not:  $3"; else yes "$1"; fi
}

# check WHAT COMMAND... - the command succeeds.
check() {
	local what=$1 text
	shift
	if text=$("$@" 2>&1); then yes "$what"; else no "$what" "$* failed: $text"; fi
}

# oci ARGUMENT... - the runtime with our state directory.
oci() {
	timeout --foreground -k 1 20 "$OCI" --root "$ROOT" "$@"
}

# conf FILTER... - config.json from the base: no terminal, writable root, runs true; then the jq filters.
conf() {
	local f filter='.process.terminal=false | .root.readonly=false | .process.args=["true"]'
	for f in "$@"; do
		filter="$filter | $f"
	done
	jq "$filter" "$T/base.json" >"$B/config.json" || exit 1
}

# edit FILTER... - change the config.json that is there.
edit() {
	local f filter=.
	for f in "$@"; do
		filter="$filter | $f"
	done
	jq "$filter" "$B/config.json" >"$B/config.json.new" && mv "$B/config.json.new" "$B/config.json" || exit 1
}

# script TEXT - the filter that runs a shell script.
script() {
	printf '.process.args=["sh","-c",%s]' "$(jq -n --arg s "$1" '$s')"
}

# attempt ARGUMENT... - the runtime, $out and $status.
attempt() {
	out=$(oci "$@" 2>&1 </dev/null)
	status=$?
}

# ct SCRIPT FILTER... - run a shell script in a container made by the filters; $out and $status.
ct() {
	local text=$1
	shift
	conf "$@" "$(script "$text")"
	attempt run -b "$B" "$ID"
}

# gives WHAT SCRIPT WANT FILTER... - what the script prints.
gives() {
	local what=$1 text=$2 want=$3
	shift 3
	ct "$text" "$@"
	eq "$what" "$out" "$want"
}

# gives_like WHAT SCRIPT ERE FILTER...
gives_like() {
	local what=$1 text=$2 want=$3
	shift 3
	ct "$text" "$@"
	like "$what" "$out" "$want"
}

# refuse WHAT ERE FILTER... - run says no: status 1, one line that matches, nothing left.
refuse() {
	local what=$1 want=$2
	shift 2
	conf "$@"
	refused "$what" "$want"
}

# refused WHAT ERE - the same with the config.json that is there.
refused() {
	local left
	attempt run -b "$B" "$ID"
	left=$(leftovers)
	if [ "$status" != 1 ]; then
		no "$1" "status $status, not 1: $out"
	elif [ "$(printf '%s\n' "$out" | wc -l)" != 1 ]; then
		no "$1" "not one line: $out"
	elif ! [[ $out =~ $2 ]]; then
		no "$1" "got:  $out"$'\n'"want: $2"
	elif [ -n "$left" ]; then
		no "$1" "left behind: $left"
	else
		yes "$1"
	fi
	[ -z "$left" ] || oci delete --force "$ID"
}

# fails WHAT ERE ARGUMENT... - a verb says no: status not 0, a message that matches.
fails() {
	local what=$1 want=$2
	shift 2
	attempt "$@"
	if [ "$status" = 0 ]; then no "$what" "succeeded: $out"; else like "$what" "$out" "$want"; fi
}

# up FILTER... - a container that sleeps in the background; its output is $T/log.
up() {
	conf '.process.args=["sleep","1000"]' "$@"
	oci run -d -b "$B" "$ID" >"$T/log" 2>&1 </dev/null || { no "start the container" "$(cat "$T/log")"; exit 1; }
}

# down - delete it by force.
down() {
	oci delete --force "$ID" || no "delete --force"
}

# field NAME - a field of `state`.
field() {
	oci state "$ID" | jq -r ".$1"
}

# soon COMMAND... - wait until it succeeds, for at most three seconds.
soon() {
	local i
	for i in {1..150}; do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.02
	done
	return 1
}

# cg CONTROLLER FILE [CGROUP] - a control file of the container's cgroup, v1.
cg() {
	cat "$(cg_dir "$1" "${3:-$ID}")/$2"
}

# cg_dir CONTROLLER [CGROUP] - directory of a v1 controller; fails when the host has no such hierarchy.
cg_dir() {
	local m
	m=$(awk -v c="$1" '{ i = 0; while ($(++i) != "-") ; if ($(i + 1) == "cgroup" &&
		("," $(i + 3) ",") ~ ("," c "(,|$)")) { print $5; exit } }' /proc/self/mountinfo)
	[ -n "$m" ] && echo "$m/${2:-$ID}"
}

# static NAME - compile standard input to a static program /NAME of the container.
static() {
	need gcc
	gcc -w -O1 -static -x c -o "$B/rootfs/$1" - || { no "compile $1"; exit 1; }
}

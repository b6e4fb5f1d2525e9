# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Shared by the tests of this folder: a store of their own, checks, and the search for leaks.
#
# A test sources this file, calls setup, then checks.  Its verdict is given when it ends: 0, 1 or 77
# (skipped).  At the end all instances are removed by force, and whatever is left of one is a failure.
#
#   $T   temporary folder; the store is $T/root, what runs is in $T/run
#   $out, $status   of the last `run`, `refuse`
#   $ISOLATION   container, or vm with $KERNEL and $MODULES: see ../vm/engine.sh
# shellcheck disable=SC2034
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CLEAVE=$(realpath -m "${CLEAVE:-$here/../../build/bin/cleave}")
NAME=$(basename "$0" .sh)
checks=0
failures=0

skip() {
	echo "skip: $*"
	checks=skipped
	exit 77
}

# as_root - this is what root may do, and a user may not
as_root() { [ -z "${AS_USER:-}" ]; }

# owner COMMAND... - with rights over all files of the store: without root, as root of a namespace of all of the user's ids
owner() { "$@"; }
if [ -n "${AS_USER:-}" ]; then
	owner() { unshare --user --map-root-user --map-auto -- "$@"; }
	for tool in cat chgrp chmod chown cmp cp dd find getcap getfacl getfattr ln ls mkdir mkfifo mv rm setcap setfacl setfattr sha256sum stat tar touch truncate; do
		eval "$tool() { owner $tool \"\$@\"; }"
	done
	unset tool
fi

# setup [PROGRAM...] - make $T and the store; skip without root or one of the programs.
setup() {
	local p
	[ "$(id -u)" = 0 ] || [ -n "${AS_USER:-}" ] || skip "needs root"
	for p in "$CLEAVE" jq "$@"; do
		command -v "$p" >/dev/null || skip "no $p"
	done
	T=$(mktemp -d "${TMPDIR:-/tmp}/cleave-engine.XXXXXX") || exit 1
	export CLEAVE_ROOT=$T/root CLEAVE_RUNROOT=$T/run CLEAVE_REGISTRIES=$T/registries.json
	echo '{"registries": {"docker.io": {"blocked": true}}}' >"$CLEAVE_REGISTRIES" # nothing leaves this machine
	trap finish EXIT
	trap 'exit 1' INT TERM HUP
	[ "${ISOLATION:-container}" != vm ] || "$CLEAVE" kernel add --modules "$MODULES" "$KERNEL" >/dev/null || exit 1
}

# cleave ARG... - with ISOLATION=vm, instances are virtual machines
cleave() {
	case ${ISOLATION:-container}:${1:-} in
	vm:run | vm:create) "$CLEAVE" "$1" --vm "${@:2}" ;;
	*) "$CLEAVE" "$@" ;;
	esac
}

finish() {
	local code=$? ids
	trap - EXIT
	if [ -n "${T:-}" ]; then
		ids=$(cleave ps -aq --no-trunc)
		# shellcheck disable=SC2086 # a list of ids
		[ -z "$ids" ] || cleave rm -f $ids >/dev/null || no "rm -f of what is left"
		cleave network prune -f >/dev/null || no "network prune of what is left"
		[ "$(id -u)" != 0 ] || until_true nothing_is_made
		check_clean
		rm -rf "$T"
	fi
	if [ "$checks" = skipped ]; then exit 77; fi
	echo "$NAME: $checks checks, $failures failures"
	# a bare `exit` would give the status of before the trap
	[ "$failures" = 0 ] && [ "$checks" != 0 ] && [ "$code" = 0 ]
	exit $?
}

# Names of bridges and of the table of rules, should the store still have any
network_left() {
	local name
	for name in $(cleave network ls -q --no-trunc); do
		ip -br link show "cl-${name:0:12}" 2>/dev/null
	done
	nft list tables inet 2>/dev/null | grep -F "cleave-$(printf %s "$T/root" | sha256sum | cut -c 1-12)"
	true
}

# An image's file system for virtual machines is made after the first of them has started, by a process with low priority.
nothing_is_made() { [ -z "$(ls -A "$T/root/tmp" 2>/dev/null)" ]; }

# Nothing of an instance remains: directories, cgroups, mounts, processes.
check_clean() {
	local left
	left=$(find "$T/run" "$T/root/instances" "$T/root/tmp" -mindepth 1 -maxdepth 1 ! -name oci ! -name keeper ! -name cleave-kvm 2>/dev/null
		find "$T/run/oci" -mindepth 1 -maxdepth 1 ! -name .seccomp 2>/dev/null
		grep -F "$T" /proc/self/mountinfo
		pgrep -af "^cleave --root $T" || true
		[ ! -e "$T/root/state.db" ] || network_left)
	is "nothing is left of the instances" "$left" ''
}

yes() { checks=$((checks + 1)); }

no() {
	checks=$((checks + 1))
	failures=$((failures + 1))
	echo "not ok: $1"
	[ $# -lt 2 ] || printf '  %s\n' "${@:2}"
}

# is WHAT HAVE WANT
is() { if [ "$2" = "$3" ]; then yes; else no "$1" "have: $2" "want: $3"; fi; }

# like WHAT HAVE REGEX
like() { if [[ $2 =~ $3 ]]; then yes; else no "$1" "have: $2" "want a match of: $3"; fi; }

# run STATUS ARG... - `cleave run` with this exit status; both outputs in $out
run() {
	local want=$1
	shift
	out=$(cleave run "$@" 2>&1 </dev/null)
	status=$?
	is "status of: run $*" "$status" "$want"
	[ "$status" = "$want" ] || echo "  output: $out"
}

# refuse STATUS REGEX ARG... - cleave fails with this status and one line that matches
refuse() {
	local want=$1 regex=$2
	shift 2
	out=$(cleave "$@" 2>&1 </dev/null)
	status=$?
	is "status of: $*" "$status" "$want"
	like "message of: $*" "$out" "$regex"
	is "lines of the message of: $*" "$(wc -l <<<"$out")" 1
}

# names_of VERB ARG... - of the instances whose ids that prints, sorted, on one line
names_of() {
	local list
	list=$(cleave ps -a --no-trunc --format '{{.ID}} {{.Names}}')
	cleave "$@" | while read -r id; do sed -n "s/^$id //p" <<<"$list"; done | sort | xargs
}

# ordinary_user NAME FIRST-LAST - makes $user, who has these ids, a home, a run directory $T/xdg and our programs in $T/bin,
# until the test ends
ordinary_user() {
	user=$1
	useradd -m -d "$T/home" -s /bin/sh "$user" || skip "cannot make a user"
	trap end_user EXIT
	grep -q "^$user:" /etc/subuid || usermod --add-subuids "$2" --add-subgids "$2" "$user"
	chmod 755 "$T"
	mkdir "$T/bin" "$T/xdg" && cp "$(dirname "$CLEAVE")"/cleave* "$T/bin/" && chmod 755 "$T/bin" "$T/bin"/*
	chown "$user:" "$T/xdg" && chmod 700 "$T/xdg"
}
end_user() {
	local code=$?
	pkill -KILL -u "$user"
	userdel -r "$user" 2>/dev/null
	(exit $code)
	finish
}


# u ARG... - cleave as that user, with programs of $path
u() {
	setpriv --reuid="$user" --regid="$user" --init-groups env -i HOME="$T/home" XDG_RUNTIME_DIR="$T/xdg" \
		PATH="${path:-/usr/bin:/bin:/usr/sbin:/sbin}" /usr/bin/timeout 120 "$T/bin/cleave" "$@"
}

# fails WHAT REGEX ARG... - that does not work, and says what matches
fails() {
	out=$(u "${@:3}" 2>&1 </dev/null) && no "$1: it worked"
	like "$1" "$out" "$2"
}

# user_tun - a /dev/net/tun that everybody may open, which goes with the mount namespace: that is the test's own
user_tun() {
	if [ ! -c /dev/net/tun ] || ! mknod -m 666 "$T/tun" c 10 200 || ! mount --bind "$T/tun" /dev/net/tun; then
		skip "no /dev/net/tun"
	fi
}

# free_ports N - numbers that nobody has
free_ports() {
	python3 -c 'import socket, sys
s = [socket.socket() for n in range(int(sys.argv[1]))]
for one in s: one.bind(("", 0))
print(*[one.getsockname()[1] for one in s])' "$1"
}

# until_true COMMAND... - try for a minute
until_true() {
	local i
	for ((i = 0; i < 1000; i++)); do
		"$@" && return 0
		sleep 0.05
	done
	no "in time: $*"
}

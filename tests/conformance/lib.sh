# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Shared by the client scripts in this folder: TAP lines, a private place to work in, the image.
#
# A script sources this file, defines cleanup_clients() and calls, in this order:
#   client_setup NAME PROGRAM...   private mount namespace, temporary folder $T, runtime $OCI
#   t "what should hold" command   one TAP line each
#   tap_end                        plan and exit status
#
# A command is a function or a chain made of the matchers below. It runs in a subshell with errexit
# off; what it prints is shown only when it fails.

# shellcheck disable=SC2086,SC2154,SC2317
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
OCI=$(realpath -m "${CLEAVE_OCI:-$top/build/bin/cleave-oci}")
STEP_TIMEOUT=${STEP_TIMEOUT:-30}
tests_run=0
tests_failed=0
tests_known=0
tests_skipped=0
SECONDS=0
todo=

# skip_all REASON - end the script as "skipped".
skip_all() {
	echo "1..0 # SKIP $*"
	exit 77
}

# client_setup NAME PROGRAM... - enter a private mount namespace with an empty /run, make $T.
client_setup() {
	local name=$1 program
	shift
	[ "$(id -u)" = 0 ] || skip_all "needs root"
	for program in "$OCI" busybox script jq "$@"; do
		command -v "$program" >/dev/null || skip_all "no $program"
	done
	if [ -z "${CONFORMANCE_INNER:-}" ]; then
		CONFORMANCE_INNER=1 exec unshare --mount --propagation private "$BASH" "$0"
	fi
	unset CONFORMANCE_INNER
	T=$(mktemp -d "${TMPDIR:-/tmp}/$name.XXXXXX")
	PARENT=$(basename "$T" | tr . -)
	mount -t tmpfs -o mode=755 "$name" "$T" || { rmdir "$T"; skip_all "cannot mount a tmpfs"; }
	mount -t tmpfs -o mode=755 run /run || skip_all "cannot mount over /run"
	private_cgroups || skip_all "cannot make a private view of the cgroups"
	trap client_exit EXIT
	trap 'exit 1' INT TERM HUP
	make_rootfs
	cd "$T" || exit 1 # conmon leaves a file "oom" where it was started
	RUNTIME=$("$OCI" --version 2>&1 | head -1)
	echo "# $name with $OCI: $RUNTIME"
}

# private_cgroups - replace the tmpfs that holds the cgroup v1 mounts by a read-only one of our own.
#
# Podman and the cgroups library of containerd make plain folders in it for the controllers that
# are not mounted, take them for cgroups and then fail to remove them.
private_cgroups() {
	local entry new=$T/cgroup
	[ "$(stat -fc %T /sys/fs/cgroup)" = tmpfs ] || return 0
	mkdir "$new" && mount -t tmpfs -o mode=755 cgroup "$new" || return
	for entry in /sys/fs/cgroup/*; do
		if [ -L "$entry" ]; then
			cp -P "$entry" "$new/"
		elif mountpoint -q "$entry"; then
			mkdir "$new/${entry##*/}" && mount --move "$entry" "$new/${entry##*/}" || return
		fi
	done
	umount /sys/fs/cgroup && mount --move "$new" /sys/fs/cgroup && mount -o remount,ro /sys/fs/cgroup
}

# client_exit - the EXIT trap: the client's own cleanup first, then whatever it left.
client_exit() {
	local status=$?
	trap - EXIT
	cd /
	{
		cleanup_clients
		cgroups_remove
		grep -o " $T/[^ ]*" /proc/self/mounts | sort -r | while read -r m; do umount -l "$m"; done
		umount -l "$T"
		rmdir "$T"
	} >/dev/null 2>&1
	exit "$status"
}

# cgroups_remove - kill what still runs below our own cgroup parent and remove the cgroups.
cgroups_remove() {
	local dir pids
	for dir in /sys/fs/cgroup/freezer/"$PARENT" /sys/fs/cgroup/"$PARENT"; do
		[ -d "$dir" ] || continue
		find "$dir" -name freezer.state -exec sh -c 'echo THAWED >"$1"' _ {} \;
		find "$dir" -name cgroup.freeze -exec sh -c 'echo 0 >"$1"' _ {} \;
	done
	for _ in 1 2 3 4 5; do
		pids=$(find /sys/fs/cgroup -path "*/$PARENT/*" -name cgroup.procs -exec cat {} + | sort -u)
		# shellcheck disable=SC2086 # a list of numbers
		[ -z "$pids" ] || kill -KILL $pids
		find /sys/fs/cgroup -depth -type d -path "*/$PARENT*" -exec rmdir {} \;
		[ -n "$(find /sys/fs/cgroup -maxdepth 2 -name "$PARENT")" ] || break
		sleep 0.2
	done
}

# make_rootfs - a root filesystem of Debian's static busybox in $T/rootfs, and a seccomp profile.
make_rootfs() {
	local applet
	mkdir -p "$T"/rootfs/{bin,dev,etc,home/user,proc,root,sys,tmp,var} "$T/share" "$T/bin"
	chmod 1777 "$T/rootfs/tmp"
	cp "$(command -v busybox)" "$T/rootfs/bin/busybox"
	! ldd "$T/rootfs/bin/busybox" >/dev/null 2>&1 || skip_all "busybox is not static"
	for applet in $("$T/rootfs/bin/busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$T/rootfs/bin/$applet"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n' >"$T/rootfs/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n' >"$T/rootfs/etc/group"
	chown 1000:1000 "$T/rootfs/home/user"
	touch "$T/rootfs/etc/not-executable"
	tar -C "$T/rootfs" -cf "$T/rootfs.tar" .
	cat >"$T/seccomp.json" <<-'JSON'
	{
		"defaultAction": "SCMP_ACT_ALLOW",
		"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
		"syscalls": [
			{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO" },
			{ "names": ["rmdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28 },
			{ "names": ["sethostname"], "action": "SCMP_ACT_KILL" }
		]
	}
	JSON
}

# make_docker_archive NAME FILE - pack $T/rootfs.tar as a `docker save` archive that names NAME.
make_docker_archive() {
	local dir=$T/archive id
	mkdir -p "$dir"
	cp "$T/rootfs.tar" "$dir/layer.tar"
	cat >"$dir/config" <<-JSON
	{"architecture":"amd64","os":"linux","created":"2020-01-01T00:00:00Z",
	 "config":{"Env":["PATH=/bin","FROM_IMAGE=yes"],"Cmd":["/bin/sh"]},
	 "rootfs":{"type":"layers","diff_ids":["sha256:$(sha256sum <"$dir/layer.tar" | cut -d' ' -f1)"]}}
	JSON
	id=$(sha256sum <"$dir/config" | cut -d' ' -f1)
	mv "$dir/config" "$dir/$id.json"
	printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$id" "$1" >"$dir/manifest.json"
	tar -C "$dir" -cf "$2" .
	rm -r "$dir"
}

# t NAME COMMAND... - run one test and print its line. $ONLY, a pattern, leaves the others out.
t() {
	local name=$1 log=$T/log
	shift
	[ -z "${ONLY:-}" ] || [[ "$name" =~ $ONLY ]] || return 0
	tests_run=$((tests_run + 1))
	if ("$@") >"$log" 2>&1 </dev/null; then
		echo "ok $tests_run - $name"
	else
		if [ -n "$todo" ]; then tests_known=$((tests_known + 1)); else tests_failed=$((tests_failed + 1)); fi
		echo "not ok $tests_run - $name$todo"
		tail -n 20 "$log" | sed 's/^/# /'
	fi
	todo=
}

# differs RUNTIME REASON - with that runtime the next test is known to fail (a TAP TODO line).
differs() {
	[[ $RUNTIME != "$1 "* ]] || todo=" # TODO $2"
}

# skip NAME REASON - a test that this machine cannot run.
skip() {
	[ -z "${ONLY:-}" ] || [[ "$1" =~ $ONLY ]] || return 0
	tests_run=$((tests_run + 1))
	tests_skipped=$((tests_skipped + 1))
	echo "ok $tests_run - $1 # SKIP $2"
}

# tap_end - print the plan, leave with 1 when a test failed.
tap_end() {
	echo "1..$tests_run"
	echo "# of $tests_run: $((tests_run - tests_failed - tests_known - tests_skipped)) passed, $tests_failed failed," \
		"$tests_known known to differ, $tests_skipped skipped; $SECONDS s with $OCI"
	[ "$tests_failed" = 0 ]
	exit
}

# limited COMMAND... - run in the foreground for at most $STEP_TIMEOUT seconds.
limited() {
	timeout --foreground -k 5 "$STEP_TIMEOUT" "$@"
}

# status NUMBER COMMAND... - the command ends with this status.
status() {
	local want=$1 got=0
	shift
	"$@" || got=$?
	[ "$got" = "$want" ] || { echo "status $got, expected $want: $*"; return 1; }
}

# prints TEXT COMMAND... - the command succeeds and its output is exactly TEXT.
prints() {
	local want=$1 got status=0
	shift
	got=$("$@") || status=$?
	[ "$status" = 0 ] && [ "${got//$'\r'/}" = "$want" ] && return 0
	printf 'status %s, output:\n%s\nexpected:\n%s\nof: %s\n' "$status" "$got" "$want" "$*"
	return 1
}

# matches PATTERN COMMAND... - the command succeeds and some line (stdout or stderr) matches.
matches() {
	local pattern=$1 got status=0
	shift
	got=$("$@" 2>&1) || status=$?
	[ "$status" = 0 ] && grep -Eq -- "$pattern" <<<"$got" && return 0
	printf 'status %s, output:\n%s\nexpected a line like: %s\nof: %s\n' "$status" "$got" "$pattern" "$*"
	return 1
}

# fails PATTERN COMMAND... - the command fails and some line (stdout or stderr) matches.
fails() {
	local pattern=$1 got status=0
	shift
	got=$("$@" 2>&1) || status=$?
	[ "$status" != 0 ] && grep -Eqi -- "$pattern" <<<"$got" && return 0
	printf 'status %s, output:\n%s\nexpected failure like: %s\nof: %s\n' "$status" "$got" "$pattern" "$*"
	return 1
}

# on_tty COMMAND... - run under a new pseudo terminal of 33 rows and 77 columns.
on_tty() {
	limited script -qefc "stty rows 33 cols 77; $(printf '%q ' "$@")" /dev/null
}

# eventually COMMAND... - true as soon as the command is, within 10 s.
eventually() {
	local i
	for ((i = 0; i < 100; i++)); do
		"$@" >"$T/eventually" 2>&1 && return 0
		sleep 0.1
	done
	cat "$T/eventually"
	echo "not within 10 s: $*"
	return 1
}

# cgroup_value PID V1-CONTROLLER V1-FILE V2-FILE - read a file of the process's cgroup.
cgroup_value() {
	local path
	if [ -d "/sys/fs/cgroup/$2" ]; then
		path=$(awk -F: -v c="$2" '$2 == c || $2 ~ "(^|,)" c "(,|$)" { print $3 }' "/proc/$1/cgroup")
		cat "/sys/fs/cgroup/$2$path/$3"
	else
		path=$(awk -F: '$1 == 0 { print $3 }' "/proc/$1/cgroup")
		cat "/sys/fs/cgroup$path/$4"
	fi
}

# cgroup_state PID - FROZEN or THAWED.
cgroup_state() {
	case $(cgroup_value "$1" freezer freezer.state cgroup.freeze) in
	FROZEN | 1) echo FROZEN ;;
	*) echo THAWED ;;
	esac
}

# gone PID - no such process, or only its zombie (PID 1 may reap late).
gone() {
	[ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"
}

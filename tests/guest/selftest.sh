#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Prove that the guests work: every mode and control group layout boots and runs containers with
# the runtimes of this machine, and run.sh reports failures as failures.
#
# usage: selftest.sh [CASE]...    all cases without arguments; see `cases` below
#
# Environment: GUEST_RUNTIMES, the runtimes to try (default: crun and runc, as far as installed);
# GUEST_HELPERS, programs that they expect beside themselves.

set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
run=$here/run.sh
cases=(report busybox-v2 systemd-v2 busybox-v1 systemd-v1 busybox-hybrid systemd-hybrid)
failures=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAIL  $*"
	failures=$((failures + 1))
}

# expect STATUS NAME COMMAND...: the command must end with this exit status.
expect() {
	local want=$1 name=$2 have=0
	shift 2
	"$@" >"$work/output" 2>&1 || have=$?
	if [ $have = "$want" ]; then
		echo "ok    $name"
	else
		fail "$name: exit status $have, not $want"
	fi
	if [ $have != "$want" ] || [ -n "${VERBOSE:-}" ]; then
		cat "$work/output"
	fi
}

script() {
	printf '#!/bin/bash\n%s\n' "$1" >"$work/script"
	echo "$work/script"
}

# What run.sh promises about exit status, output, files, arguments, timeout and panic.
report() {
	expect 0 "success" "$run" -- "$(script 'true')"
	expect 77 "a skipped test" "$run" -- "$(script 'exit 77')"
	mkdir -p "$work/dir/sub"
	echo content >"$work/dir/sub/a&b"
	ln -s sub/a\&b "$work/dir/link"
	# shellcheck disable=SC2016 # the guest expands it
	expect 5 "files, arguments and output" "$run" --add "$work/dir:/opt/x&y" \
		--add "$work/dir/sub/a&b:/opt/one" -- \
		"$(script 'grep -q content "/opt/x&y/link" && grep -q content /opt/one &&
			[ "$#:$1" = "1:a  \$b" ] && echo done-here && echo too >/dev/stderr && exit 5')" \
		"a  \$b"
	grep -q done-here "$work/output" || fail "standard output is missing"
	grep -q too "$work/output" || fail "standard error is missing"
	expect 1 "a kernel panic" "$run" -- "$(script 'echo c >/proc/sysrq-trigger; sleep 60')"
	grep -q 'Kernel panic' "$work/output" || fail "the panic message is missing"
	expect 124 "a timeout" "$run" --timeout 15 -- "$(script 'sleep 600')"
	expect 1 "a missing file" "$run" --add /nonexistent:/x -- "$(script true)"
	expect 1 "a bad number" "$run" --cpus none -- "$(script true)"
}

# guest MODE LAYOUT: boot it and run selftest-guest.sh in it.
guest() {
	local runtime lib options=() names=()
	for runtime in ${GUEST_RUNTIMES:-$(command -v crun runc)}; do
		names+=("/opt/bin/${runtime##*/}")
	done
	for runtime in ${GUEST_RUNTIMES:-$(command -v crun runc)} ${GUEST_HELPERS:-}; do
		options+=(--add "$runtime:/opt/bin/${runtime##*/}")
		for lib in $(ldd "$runtime" 2>/dev/null | awk '$2 == "=>" { print $3 }'); do
			options+=(--add "$lib:/opt/lib/${lib##*/}")
		done
	done
	if [ ${#names[@]} = 0 ]; then
		fail "$1 $2: no container runtime to try"
		return
	fi
	expect 0 "$1 mode, control group $2" "$run" --mode "$1" --cgroup "$2" "${options[@]}" -- \
		"$here/selftest-guest.sh" "$1" "$2" "${names[@]}"
}

[ $# -gt 0 ] || set -- "${cases[@]}"
for name in "$@"; do
	case $name in
	report) report ;;
	busybox-v[12] | systemd-v[12] | busybox-hybrid | systemd-hybrid)
		guest "${name%-*}" "${name#*-}"
		;;
	*)
		echo "selftest: unknown case '$name' (cases: ${cases[*]})" >&2
		exit 1
		;;
	esac
done
[ $failures = 0 ]

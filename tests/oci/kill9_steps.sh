#!/bin/bash
# SPDX-License-Identifier: MIT
# SIGKILL of the runtime at its n-th system call, all verbs: delete --force removes everything.
. "$(dirname "$0")/lib.sh"
setup strace
strace -o /dev/null true 2>/dev/null || skip "strace cannot trace here"

conf '.process.args=["sleep","88887"]' '.linux.resources={memory:{limit:67108864},pids:{limit:50}}'
gone() { [ -z "$(leftovers)" ] && ! grep -qa "slee[p].88887" /proc/[0-9]*/cmdline 2>/dev/null; }
step() { # N VERB...: kill the runtime (not its children) at system call N
	local n=$1
	shift
	strace -o /dev/null -e trace=all -e inject=all:signal=KILL:when="$n" "$OCI" --root "$ROOT" "$@" >/dev/null 2>&1 </dev/null
}
for verb in create start exec delete run; do
	args=(create -b "$B" "$ID")
	case $verb in
	run) args=(run -d -b "$B" "$ID") ;;
	start) args=(start "$ID") ;;
	exec) args=(exec -d "$ID" sleep 88887) ;;
	delete) args=(delete --force "$ID") ;;
	esac
	prepare() {
		case $verb in create | run) return ;; esac
		oci create -b "$B" "$ID" >/dev/null 2>&1 </dev/null || no "create for $verb"
		[ $verb = start ] || oci start "$ID" || no "start for $verb"
	}
	prepare
	total=$(strace -c -U calls "$OCI" --root "$ROOT" "${args[@]}" 2>&1 >/dev/null </dev/null | awk '$1 ~ /^[0-9]+$/ { n = $1 } END { print n }')
	oci delete --force "$ID"
	[ "${total:-0}" -gt 20 ] || no "$verb makes system calls" "$total"
	steps=0
	for ((n = 20 + RANDOM % 6; n <= total; n += 1 + total / 5 + RANDOM % 3)); do
		prepare
		step "$n" "${args[@]}"
		steps=$((steps + 1))
		attempt delete --force "$ID"
		[ "$status" = 0 ] || no "$verb killed at call $n of $total: delete --force" "$out"
		soon gone || { no "$verb killed at call $n of $total leaves" "$(leftovers)"; break; }
	done
	check "$verb was killed at several of $total calls" test "$steps" -ge 3
done

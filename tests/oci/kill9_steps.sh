#!/bin/bash
# SPDX-License-Identifier: MIT
# SIGKILL of the runtime at its n-th system call, all verbs: delete --force removes everything.
. "$(dirname "$0")/lib.sh"
setup gcc

gcc -O1 -x c -o "$T/stepper" - <<'C' || skip "no compiler"
/* stepper N COMMAND...: kill the command at entry to its Nth system call; N 0: print how many it makes. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	long n = atol(argv[1]), stops = 0;
	pid_t pid = fork();
	int st;

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (waitpid(pid, &st, 0) < 0 ||
	    ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC) < 0)
		return 77;
	for (int sig = 0;; sig = WSTOPSIG(st) == SIGTRAP || WSTOPSIG(st) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(st)) {
		if (WIFSTOPPED(st) && WSTOPSIG(st) == (SIGTRAP | 0x80) && ++stops / 2 == n && n != 0)
			kill(pid, SIGKILL);
		ptrace(PTRACE_SYSCALL, pid, 0, WIFSTOPPED(st) && st >> 16 == 0 ? sig : 0);
		if (waitpid(pid, &st, 0) < 0 || WIFEXITED(st) || WIFSIGNALED(st))
			break;
	}
	if (n == 0)
		printf("%ld\n", stops / 2);
	return WIFSIGNALED(st) ? 137 : WEXITSTATUS(st);
}
C
"$T/stepper" 0 true >/dev/null || skip "no ptrace here"

nap=87$$ # seconds to sleep, by which this test's processes are known
conf '.process.args=["sleep","'$nap'"]' '.linux.resources={memory:{limit:67108864},pids:{limit:50}}'
gone() { [ -z "$(leftovers)" ] && ! grep -qa "slee[p].$nap" /proc/[0-9]*/cmdline 2>/dev/null; }

# every verb in turn; which calls are hit differs from run to run
for verb in create start exec delete run; do
	args=(create -b "$B" "$ID")
	case $verb in
	run) args=(run -d -b "$B" "$ID") ;;
	start) args=(start "$ID") ;;
	exec) args=(exec -d "$ID" sleep "$nap") ;;
	delete) args=(delete --force "$ID") ;;
	esac
	prepare() {
		case $verb in create | run) return ;; esac
		oci create -b "$B" "$ID" >/dev/null 2>&1 </dev/null || no "create for $verb"
		[ $verb = start ] || oci start "$ID" || no "start for $verb"
	}
	prepare
	total=$("$T/stepper" 0 "$OCI" --root "$ROOT" "${args[@]}" >"$T/total" 2>/dev/null </dev/null; tail -1 "$T/total")
	oci delete --force "$ID"
	killed=0
	for part in 0 1 2 3; do
		n=$((2 + (total - 2) * part / 4 + RANDOM % (total / 4 + 1)))
		prepare
		"$T/stepper" "$n" "$OCI" --root "$ROOT" "${args[@]}" >/dev/null 2>&1 </dev/null
		[ $? != 137 ] || killed=$((killed + 1))
		attempt delete --force "$ID"
		[ "$status" = 0 ] || no "$verb killed at call $n of $total: delete --force" "$out"
		soon gone || { no "$verb killed at call $n of $total leaves" "$(leftovers)"; break; }
	done
	check "$verb was killed at $killed of $total calls" test "$killed" -ge 3
done

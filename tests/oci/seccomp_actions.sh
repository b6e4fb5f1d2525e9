#!/bin/bash
# SPDX-License-Identifier: MIT
# Every seccomp action, errnoRet, args with each operator, arches, flags.
. "$(dirname "$0")/lib.sh"
setup gcc

static probe <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static void trap(int s, siginfo_t *i, void *c) { printf("SIGSYS %d errno %d\n", i->si_syscall == SYS_getpgid, i->si_errno); exit(0); }
int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_sigaction = trap, .sa_flags = SA_SIGINFO };
	long nr = argc > 1 ? atol(argv[1]) : SYS_getpgid, r;
	sigaction(SIGSYS, &sa, NULL);
	errno = 0;
	r = syscall(nr, argc > 2 ? strtoul(argv[2], NULL, 0) : 0, argc > 3 ? strtoul(argv[3], NULL, 0) : 0, 0, 0, 0, 0);
	printf("%s %d\n", r < 0 ? "errno" : "ok", r < 0 ? errno : 0);
	return 0;
}
C
# rule TEXT - run /probe with default allow and one rule for getpgid
probe() {
	local what=$1 want=$2 rule=$3 args=${4:-'"/probe"'} more=${5:-.}
	conf ".linux.seccomp={defaultAction:\"SCMP_ACT_ALLOW\",syscalls:[$rule]} | $more" ".process.args=[$args]"
	attempt run -b "$B" "$ID"
	eq "$what" "$out" "$want"
}
probe "no rule" "ok 0" '{names:["getppid"],action:"SCMP_ACT_ERRNO"}'
probe "SCMP_ACT_ERRNO is EPERM" "errno 1" '{names:["getpgid"],action:"SCMP_ACT_ERRNO"}'
probe "errnoRet" "errno 88" '{names:["getpgid"],action:"SCMP_ACT_ERRNO",errnoRet:88}'
probe "errnoRet 0" "ok 0" '{names:["getpgid"],action:"SCMP_ACT_ERRNO",errnoRet:0}'
probe "SCMP_ACT_ALLOW" "ok 0" '{names:["getpgid"],action:"SCMP_ACT_ALLOW"}'
probe "SCMP_ACT_LOG goes on" "ok 0" '{names:["getpgid"],action:"SCMP_ACT_LOG"}'
probe "SCMP_ACT_TRAP" "SIGSYS 1 errno 0" '{names:["getpgid"],action:"SCMP_ACT_TRAP"}'
probe "SCMP_ACT_TRACE without a tracer is ENOSYS" "errno 38" '{names:["getpgid"],action:"SCMP_ACT_TRACE"}'
for a in KILL KILL_THREAD KILL_PROCESS; do
	probe "SCMP_ACT_$a" "" "{names:[\"getpgid\"],action:\"SCMP_ACT_$a\"}"
	eq "its status is that of SIGSYS" "$status" 159
done
probe "unknown names are skipped" "errno 1" '{names:["no_such_call","getpgid"],action:"SCMP_ACT_ERRNO"}'
probe "several rules, the first with a match holds" "errno 5" \
	'{names:["getpgid"],action:"SCMP_ACT_ERRNO",errnoRet:5,args:[{index:0,value:7,op:"SCMP_CMP_EQ"}]}' '"/probe","121","7"'

op() { # WHAT OP VALUE VALUETWO ARGUMENT MATCHES
	local want="errno 5"
	[ "$5" = yes ] || want="errno 3" # no such process: the call went through
	probe "$1 of $2" "$want" "{names:[\"getpgid\"],action:\"SCMP_ACT_ERRNO\",errnoRet:5,args:[{index:0,value:$2,valueTwo:$3,op:\"$1\"}]}" \
		"\"/probe\",\"121\",\"$4\""
}
op SCMP_CMP_EQ 3000001 0 3000001 yes
op SCMP_CMP_EQ 3000001 0 3000002 no
op SCMP_CMP_NE 3000001 0 3000002 yes
op SCMP_CMP_NE 3000001 0 3000001 no
op SCMP_CMP_LT 3000001 0 3000000 yes
op SCMP_CMP_LT 3000001 0 3000001 no
op SCMP_CMP_LE 3000001 0 3000001 yes
op SCMP_CMP_LE 3000001 0 3000002 no
op SCMP_CMP_GT 3000001 0 3000002 yes
op SCMP_CMP_GT 3000001 0 3000001 no
op SCMP_CMP_GE 3000001 0 3000001 yes
op SCMP_CMP_GE 3000001 0 3000000 no
op SCMP_CMP_MASKED_EQ 16711680 3080192 3080193 yes
op SCMP_CMP_MASKED_EQ 16711680 3080192 3280193 no
probe "64 bits are compared" "errno 3" \
	'{names:["getpgid"],action:"SCMP_ACT_ERRNO",errnoRet:5,args:[{index:0,value:4297967296,op:"SCMP_CMP_EQ"}]}' '"/probe","121","3000000"'
two='{names:["getpgid"],action:"SCMP_ACT_ERRNO",errnoRet:5,args:[{index:0,value:3000001,op:"SCMP_CMP_EQ"},{index:1,value:9,op:"SCMP_CMP_EQ"}]}'
probe "all args must match" "errno 5" "$two" '"/probe","121","3000001","9"'
probe "one that does not is enough" "errno 3" "$two" '"/probe","121","3000001","8"'
same='{names:["getpgid"],action:"SCMP_ACT_ERRNO",errnoRet:5,args:[{index:0,value:3000001,op:"SCMP_CMP_EQ"},{index:0,value:3000002,op:"SCMP_CMP_EQ"}]}'
probe "several conditions on one argument: any of them" "errno 5" "$same" '"/probe","121","3000002"'

probe "system calls that no rule knows give ENOSYS where the default refuses" "errno 38" \
	'{names:["execve","brk","arch_prctl","set_tid_address","set_robust_list","rseq","prlimit64","readlink","readlinkat","getrandom","mprotect","rt_sigaction","write","exit_group","fstat","newfstatat","ioctl"],action:"SCMP_ACT_ALLOW"}' \
	'"/probe","600"' '.linux.seccomp.defaultAction="SCMP_ACT_ERRNO"'
probe "older ones get the default" "errno 1" \
	'{names:["execve","brk","arch_prctl","set_tid_address","set_robust_list","rseq","prlimit64","readlink","readlinkat","getrandom","mprotect","rt_sigaction","write","exit_group","fstat","newfstatat","ioctl"],action:"SCMP_ACT_ALLOW"}' \
	'"/probe"' '.linux.seccomp.defaultAction="SCMP_ACT_ERRNO"'
probe "defaultErrnoRet" "errno 13" \
	'{names:["execve","brk","arch_prctl","set_tid_address","set_robust_list","rseq","prlimit64","readlink","readlinkat","getrandom","mprotect","rt_sigaction","write","exit_group","fstat","newfstatat","ioctl"],action:"SCMP_ACT_ALLOW"}' \
	'"/probe"' '.linux.seccomp.defaultAction="SCMP_ACT_ERRNO" | .linux.seccomp.defaultErrnoRet=13'
for f in SECCOMP_FILTER_FLAG_TSYNC SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW; do
	probe "flag $f" "errno 1" '{names:["getpgid"],action:"SCMP_ACT_ERRNO"}' '"/probe"' ".linux.seccomp.flags=[\"$f\"]"
done
probe "architectures" "errno 1" '{names:["getpgid"],action:"SCMP_ACT_ERRNO"}' '"/probe"' \
	'.linux.seccomp.architectures=["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"]'
probe "also without no_new_privs and as a user" "errno 1" '{names:["getpgid"],action:"SCMP_ACT_ERRNO"}' '"/probe"' \
	'.process.noNewPrivileges=false | .process.user.uid=1000'

bad='.linux.seccomp={defaultAction:"SCMP_ACT_ALLOW",syscalls:[{names:["getpgid"],action:"SCMP_ACT_ERRNO"}]} |'
refuse "an unknown action" 'seccomp.*SCMP_ACT_X' "$bad .linux.seccomp.syscalls[0].action=\"SCMP_ACT_X\""
refuse "an unknown default action" 'seccomp.defaultAction.*SCMP_ACT_X' "$bad .linux.seccomp.defaultAction=\"SCMP_ACT_X\""
refuse "an unknown architecture" 'seccomp.architectures.*SCMP_ARCH_X' "$bad .linux.seccomp.architectures=[\"SCMP_ARCH_X\"]"
refuse "an unknown flag" 'seccomp.flags.*F_X' "$bad .linux.seccomp.flags=[\"F_X\"]"
refuse "an unknown operator" 'seccomp.*SCMP_CMP_X' "$bad .linux.seccomp.syscalls[0].args=[{index:0,value:1,op:\"SCMP_CMP_X\"}]"
refuse "an argument that does not exist" 'seccomp.*index.*6' "$bad .linux.seccomp.syscalls[0].args=[{index:6,value:1,op:\"SCMP_CMP_EQ\"}]"

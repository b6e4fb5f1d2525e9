/* SPDX-License-Identifier: MIT */
/**
 * DOC: what a guest that has taken over its processor's process can do
 *
 * Compute.  The list below is all that the kernel does for it, to descriptors that it was given: guest
 * memory, eventfds of devices, two pipes.  Anything else ends it.  Memory of its own is limited.
 */
#include "vmm/accel/soft/vcpu/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/cleanup.h"

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define ARG(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (n))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define KILL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define ALLOW_CALL(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), ALLOW

int vcpu_confine(uint64_t memory)
{
	struct rlimit limit = { .rlim_cur = memory, .rlim_max = memory };
	struct sock_filter code[] = {
		FIELD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
		KILL,
		FIELD(nr),
		ALLOW_CALL(SYS_read),
		ALLOW_CALL(SYS_write),
		ALLOW_CALL(SYS_futex),
		ALLOW_CALL(SYS_sched_yield),
		ALLOW_CALL(SYS_timer_settime),
		ALLOW_CALL(SYS_rt_sigreturn),
		ALLOW_CALL(SYS_clock_gettime),
		ALLOW_CALL(SYS_pread64),
		ALLOW_CALL(SYS_restart_syscall),
		ALLOW_CALL(SYS_exit_group),
		/* memory of its own, which cannot be executed */
		ALLOW_CALL(SYS_brk),
		ALLOW_CALL(SYS_munmap),
		ALLOW_CALL(SYS_madvise),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0),
		KILL,
		ARG(2),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 3, 0),
		ARG(3),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 0, 1),
		ALLOW,
		KILL,
	};
	struct sock_fprog program = { .len = ARRAY_LEN(code), .filter = code };

	if (setrlimit(RLIMIT_DATA, &limit) < 0)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
}

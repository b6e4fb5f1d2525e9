/* SPDX-License-Identifier: MIT */
/**
 * DOC: system calls of a machine's threads
 *
 * One row per call: who may make it.  Processors carry out what the guest wants of devices, so that most of
 * what devices need is in their list, too; opening anything, starting anything and other processes are in nobody's,
 * but for who serves files.
 */
#include <asm/unistd.h>

#include "base/cleanup.h"
#include "vmm/machine/confine_parts.h"

#define BIT(role) (1u << (role))
#define LOOPS (BIT(CONFINE_LOOP) | BIT(CONFINE_LOOP_NETWORK))
#define NETWORK BIT(CONFINE_LOOP_NETWORK)
#define FILES BIT(CONFINE_FILES)
#define ALL ((1u << CONFINE_N_ROLES_) - 1)

static const struct confine_call calls[] = {
	{ __NR_ioctl, ALL, RULE_IOCTL },
	{ __NR_write, ALL, RULE_ANY },
	{ __NR_futex, ALL, RULE_ANY },
	{ __NR_epoll_wait, ALL, RULE_ANY },
	{ __NR_epoll_pwait, ALL, RULE_ANY },
	{ __NR_read, ALL, RULE_ANY },
	{ __NR_io_uring_enter, ALL, RULE_ANY },
	{ __NR_readv, ALL, RULE_ANY },
	{ __NR_writev, ALL, RULE_ANY },
	{ __NR_pread64, ALL, RULE_ANY },
	{ __NR_pwrite64, ALL, RULE_ANY },
	{ __NR_preadv, ALL, RULE_ANY },
	{ __NR_pwritev, ALL, RULE_ANY },
	{ __NR_preadv2, ALL, RULE_ANY },
	{ __NR_pwritev2, ALL, RULE_ANY },
	/* a thread's own life */
	{ __NR_rt_sigreturn, ALL, RULE_ANY },
	{ __NR_rt_sigprocmask, ALL, RULE_ANY },
	{ __NR_restart_syscall, ALL, RULE_ANY },
	{ __NR_tgkill, ALL, RULE_SELF },
	{ __NR_gettid, ALL, RULE_ANY },
	{ __NR_getpid, ALL, RULE_ANY },
	{ __NR_sched_yield, ALL, RULE_ANY },
	{ __NR_sched_getaffinity, ALL, RULE_ANY },
	{ __NR_exit, ALL, RULE_ANY },
	{ __NR_exit_group, ALL, RULE_ANY },
	/* time and chance */
	{ __NR_clock_gettime, ALL, RULE_ANY },
	{ __NR_clock_nanosleep, ALL, RULE_ANY },
	{ __NR_nanosleep, ALL, RULE_ANY },
	{ __NR_timerfd_create, ALL, RULE_ANY },
	{ __NR_timerfd_settime, ALL, RULE_ANY },
	{ __NR_getrandom, ALL, RULE_ANY },
	/* memory */
	{ __NR_mmap, ALL, RULE_NO_CODE },
	{ __NR_mprotect, ALL, RULE_NO_CODE },
	{ __NR_munmap, ALL, RULE_ANY },
	{ __NR_mremap, ALL, RULE_ANY },
	{ __NR_madvise, ALL, RULE_ANY },
	{ __NR_brk, ALL, RULE_ANY },
	/* descriptors that are open */
	{ __NR_close, ALL, RULE_ANY },
	{ __NR_fcntl, ALL, RULE_ANY },
	{ __NR_fstat, ALL, RULE_ANY },
	{ __NR_newfstatat, ALL, RULE_ANY },
	{ __NR_lseek, ALL, RULE_ANY },
	{ __NR_fsync, ALL, RULE_ANY },
	{ __NR_fdatasync, ALL, RULE_ANY },
	{ __NR_fallocate, ALL, RULE_ANY },
	{ __NR_eventfd2, ALL, RULE_ANY },
	{ __NR_epoll_ctl, ALL, RULE_ANY },
	{ __NR_poll, ALL, RULE_ANY },
	{ __NR_ppoll, ALL, RULE_ANY },
	{ __NR_recvfrom, ALL, RULE_ANY },
	{ __NR_recvmsg, ALL, RULE_ANY },
	{ __NR_sendto, ALL, RULE_ANY },
	{ __NR_sendmsg, ALL, RULE_ANY },
	{ __NR_shutdown, ALL, RULE_ANY },
	/* connections */
	{ __NR_accept4, LOOPS, RULE_ANY },
	{ __NR_socket, BIT(CONFINE_LOOP), RULE_UNIX },
	{ __NR_socket, NETWORK, RULE_ANY },
	{ __NR_connect, LOOPS, RULE_ANY },
	{ __NR_getsockopt, LOOPS, RULE_ANY },
	{ __NR_setsockopt, LOOPS, RULE_ANY },
	{ __NR_accept, NETWORK, RULE_ANY },
	{ __NR_bind, NETWORK, RULE_ANY },
	{ __NR_listen, NETWORK, RULE_ANY },
	{ __NR_getsockname, NETWORK, RULE_ANY },
	{ __NR_getpeername, NETWORK, RULE_ANY },
	/* disks that come while it runs */
	{ __NR_ftruncate, LOOPS, RULE_ANY },
	{ __NR_timer_delete, LOOPS, RULE_ANY },
	/* the end of the machine */
	{ __NR_wait4, ALL, RULE_ANY }, /* processes of processors in software */
	{ __NR_pidfd_send_signal, ALL, RULE_ANY }, /* to those that it has a descriptor of */
	{ __NR_prlimit64, LOOPS, RULE_OWN_LIMITS },
	/* files of a directory that was opened before; it is all that the thread's root has */
	{ __NR_openat, FILES, RULE_ANY },
	{ __NR_openat2, FILES, RULE_ANY },
	{ __NR_statx, FILES, RULE_ANY },
	{ __NR_getdents64, FILES, RULE_ANY },
	{ __NR_readlinkat, FILES, RULE_ANY },
	{ __NR_faccessat, FILES, RULE_ANY },
	{ __NR_faccessat2, FILES, RULE_ANY },
	{ __NR_mkdirat, FILES, RULE_ANY },
	{ __NR_mknodat, FILES, RULE_ANY },
	{ __NR_symlinkat, FILES, RULE_ANY },
	{ __NR_linkat, FILES, RULE_ANY },
	{ __NR_unlinkat, FILES, RULE_ANY },
	{ __NR_renameat, FILES, RULE_ANY },
	{ __NR_renameat2, FILES, RULE_ANY },
	{ __NR_fchmod, FILES, RULE_ANY },
	{ __NR_fchmodat, FILES, RULE_ANY },
	{ __NR_fchown, FILES, RULE_ANY },
	{ __NR_fchownat, FILES, RULE_ANY },
	{ __NR_utimensat, FILES, RULE_ANY },
	{ __NR_ftruncate, FILES, RULE_ANY },
	{ __NR_fgetxattr, FILES, RULE_ANY },
	{ __NR_fsetxattr, FILES, RULE_ANY },
	{ __NR_flistxattr, FILES, RULE_ANY },
	{ __NR_fremovexattr, FILES, RULE_ANY },
	{ __NR_getxattr, FILES, RULE_ANY }, /* of /proc/self/fd/N: descriptors that are only a place */
	{ __NR_setxattr, FILES, RULE_ANY },
	{ __NR_listxattr, FILES, RULE_ANY },
	{ __NR_removexattr, FILES, RULE_ANY },
	{ __NR_flock, FILES, RULE_ANY },
	{ __NR_fstatfs, FILES, RULE_ANY },
	{ __NR_statfs, FILES, RULE_ANY },
	{ __NR_syncfs, FILES, RULE_ANY },
	{ __NR_sync_file_range, FILES, RULE_ANY },
	{ __NR_copy_file_range, FILES, RULE_ANY },
	{ __NR_umask, FILES, RULE_ANY },
	{ __NR_fchdir, FILES, RULE_ANY },
	{ __NR_setfsuid, FILES, RULE_ANY }, /* files belong to who made them */
	{ __NR_setfsgid, FILES, RULE_ANY },
	{ __NR_capset, FILES, RULE_ANY },
	{ __NR_capget, FILES, RULE_ANY },
};

static const char *const names[] = {
#include <vmm_calls.inc>
};

static const char *const roles[] = {
	[CONFINE_LOOP] = "loop",	 [CONFINE_LOOP_NETWORK] = "loop with network",
	[CONFINE_CPU] = "processor",
	[CONFINE_FILES] = "file server",
};

const struct confine_call *confine_calls(unsigned *ret_n)
{
	*ret_n = ARRAY_LEN(calls);
	return calls;
}

const char *confine_call_name(unsigned nr)
{
	return nr < ARRAY_LEN(names) && names[nr] != NULL ? names[nr] : "?";
}

const char *confine_role_name(enum confine_role role)
{
	return roles[role];
}

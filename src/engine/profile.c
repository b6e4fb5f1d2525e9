/* SPDX-License-Identifier: MIT */
/**
 * DOC: what a container may do by default
 *
 * Allows what Docker's default profile allows, which programs are used to: most system calls,
 * except those that are only useful to a process with capabilities that a container does not have, to
 * reach around namespaces, or that were the door of too many kernel exploits (io_uring).
 */
#include "engine/profile.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/str.h"

/* CLONE_NEW* but CLONE_NEWTIME, which clone() cannot make */
#define CLONE_NAMESPACES "2114060288"
#define ENOSYS_NUMBER "38"
#define AF_VSOCK_NUMBER "40"

#define N(name) ",\"" #name "\""
static const char names[] =
#include "engine/seccomp_names.inc"
	;
#undef N

/* personality(2) of ordinary programs: Linux, Linux 32 bit, both with uname 2.6, and "ask" */
static const char *const personalities[] = { "0", "8", "131072", "131080", "4294967295" };

/* System calls that a capability opens */
static const struct {
	int cap;
	const char *names;
} unlocked[] = {
	{ CAP_DAC_READ_SEARCH, "\"open_by_handle_at\"" },
	{ CAP_SYS_ADMIN,
	  "\"bpf\",\"clone\",\"clone3\",\"fanotify_init\",\"fsconfig\",\"fsmount\",\"fsopen\",\"fspick\","
	  "\"listmount\",\"lookup_dcookie\",\"lsm_get_self_attr\",\"lsm_list_modules\","
	  "\"lsm_set_self_attr\",\"mount\",\"mount_setattr\",\"move_mount\",\"open_tree\","
	  "\"perf_event_open\",\"quotactl\",\"quotactl_fd\",\"setdomainname\",\"sethostname\","
	  "\"setns\",\"statmount\",\"syslog\",\"umount\",\"umount2\",\"unshare\"" },
	{ CAP_SYS_BOOT, "\"reboot\"" },
	{ CAP_SYS_CHROOT, "\"chroot\"" },
	{ CAP_SYS_MODULE, "\"delete_module\",\"init_module\",\"finit_module\"" },
	{ CAP_SYS_PACCT, "\"acct\"" },
	{ CAP_SYS_PTRACE,
	  "\"kcmp\",\"pidfd_getfd\",\"process_madvise\",\"process_vm_readv\","
	  "\"process_vm_writev\",\"ptrace\"" },
	{ CAP_SYS_RAWIO, "\"iopl\",\"ioperm\"" },
	{ CAP_SYS_TIME,
	  "\"settimeofday\",\"stime\",\"clock_settime\",\"clock_settime64\"" },
	{ CAP_SYS_TTY_CONFIG, "\"vhangup\"" },
	{ CAP_SYS_NICE,
	  "\"get_mempolicy\",\"mbind\",\"set_mempolicy\",\"set_mempolicy_home_node\"" },
	{ CAP_SYSLOG, "\"syslog\"" },
	{ CAP_BPF, "\"bpf\"" },
	{ CAP_PERFMON, "\"perf_event_open\"" },
};

static bool has(uint64_t caps, int cap)
{
	return (caps & 1ull << cap) != 0;
}

static void add_unlocked(uint64_t caps, struct str *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(unlocked); i++)
		if (has(caps, unlocked[i].cap))
			str_printf(ret, ",{\"names\":[%s],\"action\":\"SCMP_ACT_ALLOW\"}",
				   unlocked[i].names);
}

void eng_profile_seccomp(uint64_t caps, struct str *ret)
{
#if defined(__x86_64__)
	str_puts(ret,
		 "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,\"architectures\":["
		 "\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],\"syscalls\":[");
#elif defined(__aarch64__)
	str_puts(ret,
		 "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,\"architectures\":["
		 "\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_ARM\"],\"syscalls\":[");
#endif
	str_printf(ret, "{\"names\":[%s],\"action\":\"SCMP_ACT_ALLOW\"}", names + 1);
	add_unlocked(caps, ret);
	for (size_t i = 0; i < ARRAY_LEN(personalities); i++)
		str_printf(ret,
			   ",{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
			   "{\"index\":0,\"value\":%s,\"op\":\"SCMP_CMP_EQ\"}]}",
			   personalities[i]);
	str_puts(ret, ",{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
		      "{\"index\":0,\"value\":" AF_VSOCK_NUMBER ",\"op\":\"SCMP_CMP_NE\"}]}");
	if (!has(caps, CAP_SYS_ADMIN))
		str_puts(ret,
			 ",{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
			 "{\"index\":0,\"value\":" CLONE_NAMESPACES
			 ",\"valueTwo\":0,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}"
			 /* its arguments cannot be seen: programs fall back to clone() */
			 ",{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":" ENOSYS_NUMBER
			 "}");
	str_puts(ret, "]}");
}

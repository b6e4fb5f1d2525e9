/* SPDX-License-Identifier: MIT */
/**
 * DOC: what a container may do by default
 *
 * Allows what Docker's default profile allows, which programs are used to: most system calls,
 * except those that are only useful to a process with capabilities that a container does not have, to
 * reach around namespaces, or that were the door of too many kernel exploits (io_uring).
 */
#include "engine/profile.h"

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

void eng_profile_caps(struct str *ret)
{
	str_puts(ret,
		 "\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FSETID\",\"CAP_FOWNER\",\"CAP_MKNOD\","
		 "\"CAP_NET_RAW\",\"CAP_SETGID\",\"CAP_SETUID\",\"CAP_SETFCAP\",\"CAP_SETPCAP\","
		 "\"CAP_NET_BIND_SERVICE\",\"CAP_SYS_CHROOT\",\"CAP_KILL\",\"CAP_AUDIT_WRITE\"");
}

void eng_profile_seccomp(struct str *ret)
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
	/* chroot: CAP_SYS_CHROOT is among the default capabilities */
	str_printf(ret, "{\"names\":[\"chroot\"%s],\"action\":\"SCMP_ACT_ALLOW\"}", names);
	for (size_t i = 0; i < ARRAY_LEN(personalities); i++)
		str_printf(ret,
			   ",{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
			   "{\"index\":0,\"value\":%s,\"op\":\"SCMP_CMP_EQ\"}]}",
			   personalities[i]);
	str_puts(
		ret,
		",{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
		"{\"index\":0,\"value\":" AF_VSOCK_NUMBER ",\"op\":\"SCMP_CMP_NE\"}]}"
		",{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
		"{\"index\":0,\"value\":" CLONE_NAMESPACES
		",\"valueTwo\":0,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}"
		/* its arguments cannot be seen: programs fall back to clone() */
		",{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":" ENOSYS_NUMBER
		"}]}");
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: what a resolver may do
 *
 * Send and receive.  It is nobody, has no capabilities and gets none, and opens nothing but sockets of IP: a bug in it
 * is worth what any stranger on the network has.
 */
#include "engine/names/confine.h"

#include <asm/unistd.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "bare/sys.h"

#define NOBODY 65534

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define DENY BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define CALL(name) IF(__NR_##name, 0, 1), ALLOW

static int filter(void)
{
	struct sock_filter f[] = {
		LOAD(arch),
		IF(ARCH, 1, 0),
		DENY,
		LOAD(nr),
		CALL(ppoll),
		CALL(recvfrom),
		CALL(sendto),
		CALL(connect),
		CALL(accept4),
		CALL(close),
		CALL(getrandom),
		CALL(clock_gettime),
		CALL(madvise),
		CALL(restart_syscall),
		CALL(exit_group),
		IF(__NR_socket, 0, 3),
		LOAD(args[0]),
		IF(AF_INET, 2, 0),
		IF(AF_INET6, 1, 0),
		DENY,
		ALLOW,
	};
	struct sock_fprog program = { .len = sizeof(f) / sizeof(f[0]), .filter = f };

	return (int) sys_call(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long) &program, 0, 0, 0);
}

/* In a namespace of a user there may be no such id; then there are no privileges over the host either. */
static int become_nobody(void)
{
	long r = sys_call(__NR_setgroups, 0, 0, 0, 0, 0, 0);

	if (r == 0)
		r = sys_call(__NR_setresgid, NOBODY, NOBODY, NOBODY, 0, 0, 0);
	if (r == 0)
		r = sys_call(__NR_setresuid, NOBODY, NOBODY, NOBODY, 0, 0, 0);
	return r == -EINVAL || r == -EPERM ? 0 : (int) r;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	return (int) sys_call(__NR_capset, (long) &head, (long) none, 0, 0, 0, 0);
}

/* After who it is has changed, which forgets it */
static int die_with(long parent)
{
	long r = sys_call(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);

	return r == 0 && sys_call(__NR_getppid, 0, 0, 0, 0, 0, 0) != parent ? -ESRCH : (int) r;
}

int names_confine(long parent)
{
	int r = become_nobody();

	if (r == 0)
		r = drop_capabilities();
	if (r == 0)
		r = die_with(parent);
	if (r == 0)
		r = (int) sys_call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
	return r == 0 ? filter() : r;
}

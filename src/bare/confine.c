/* SPDX-License-Identifier: MIT */
#include "bare/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>

#include "bare/sys.h"

#define NOBODY 65534

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

int confine_identity(uint32_t capabilities)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct keep[2] = { { .effective = capabilities, .permitted = capabilities } };
	int r = (int) sys_call(__NR_prctl, PR_SET_KEEPCAPS, capabilities != 0, 0, 0, 0, 0);

	if (r == 0)
		r = become_nobody();
	return r == 0 ? (int) sys_call(__NR_capset, (long) &head, (long) keep, 0, 0, 0, 0) : r;
}

int confine_calls(struct sock_filter *filter, size_t n)
{
	struct sock_fprog program = { .len = (unsigned short) n, .filter = filter };
	int r = (int) sys_call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);

	return r == 0 ? (int) sys_call(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long) &program, 0, 0, 0) : r;
}

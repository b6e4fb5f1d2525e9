/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/prctl.h>

#include "guest/child_parts.h"
#include "guest/os.h"
#include "guest/request.h"

#define CAPS 64

static int set_limits(const struct request *r)
{
	char text[24], *end = text;
	int64_t score = (int64_t) r->oom_score;
	long e = 0;

	for (uint32_t i = 0; e == 0 && i < r->nr_rlimits; i++)
		e = OS4(__NR_prlimit64, 0, r->rlimits[i].resource, r->rlimits[i].limit, NULL);
	if (e < 0 || score == 0)
		return (int) e;
	if (score < 0)
		*end++ = '-';
	end = text_number(end, (uint64_t) (score < 0 ? -score : score), 1);
	return (int) os_write_file("/proc/self/oom_score_adj", text, (size_t) (end - text));
}

static long set_process(int option, unsigned long a, unsigned long b)
{
	return OS5(__NR_prctl, option, a, b, 0, 0);
}

static int bound_caps(const struct request *r)
{
	for (unsigned long cap = 0; cap < CAPS; cap++) {
		long e = (r->caps_bound >> cap & 1) == 0 ? set_process(PR_CAPBSET_DROP, cap, 0) : 0;

		if (e == -EINVAL)
			return 0; /* the kernel knows no more */
		if (e < 0)
			return (int) e;
	}
	return 0;
}

static int set_caps(const struct request *r)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct now[2], data[2];
	long e = OS2(__NR_capget, &head, now);

	for (int i = 0; i < 2; i++) { /* what the kernel does not know cannot be had */
		data[i].permitted = (uint32_t) (r->caps >> 32 * i) & now[i].permitted;
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return e < 0 ? (int) e : (int) OS2(__NR_capset, &head, data);
}

static int set_user(const struct request *r)
{
	long e = OS2(__NR_setgroups, r->nr_groups, r->groups);

	if (e == 0)
		e = OS3(__NR_setresgid, r->gid, r->gid, r->gid);
	if (e == 0)
		e = set_process(PR_SET_KEEPCAPS, 1, 0);
	if (e == 0)
		e = OS3(__NR_setresuid, r->uid, r->uid, r->uid);
	if (e == 0)
		e = set_process(PR_SET_KEEPCAPS, 0, 0);
	return (int) e;
}

static int set_filter(const struct request *r)
{
	struct sock_fprog prog = { .len = (unsigned short) (r->filter.len / sizeof(struct sock_filter)),
				   .filter = (struct sock_filter *) (uintptr_t) r->filter.p };

	if (r->filter.len == 0)
		return 0;
	if (r->filter.len > GUEST_FILTER_MAX * sizeof(struct sock_filter))
		return -E2BIG;
	return (int) OS3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

/* A filter needs no_new_privs or the capability, so it is set while there is one of them. */
int child_identity(const struct request *r, int *step)
{
	bool early = (r->flags & GUEST_NO_NEW_PRIVS) == 0;
	int e;

	*step = GUEST_STEP_LIMITS;
	(void) OS1(__NR_umask, r->umask & 0777); /* never fails */
	e = set_limits(r);
	if (e == 0) {
		*step = GUEST_STEP_FILTER;
		e = early ? set_filter(r) : 0;
	}
	if (e == 0) {
		*step = GUEST_STEP_IDENTITY;
		e = bound_caps(r);
	}
	if (e == 0)
		e = set_user(r);
	if (e == 0)
		e = set_caps(r);
	if (e == 0 && !early)
		e = (int) set_process(PR_SET_NO_NEW_PRIVS, 1, 0);
	*step = e == 0 ? GUEST_STEP_FILTER : *step;
	return e == 0 && !early ? set_filter(r) : e;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: what a resolver may do
 *
 * Send and receive.  It is nobody, has no capabilities and gets none, and opens nothing but sockets of IP: a bug in it
 * is worth what any stranger on the network has.
 */
#include "engine/names/confine.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>

#include "bare/confine.h"
#include "bare/sys.h"

static int filter(void)
{
	struct sock_filter f[] = {
		CONFINE_BEGIN,
		CONFINE_CALL(ppoll),
		CONFINE_CALL(recvfrom),
		CONFINE_CALL(sendto),
		CONFINE_CALL(connect),
		CONFINE_CALL(accept4),
		CONFINE_CALL(close),
		CONFINE_CALL(getrandom),
		CONFINE_CALL(clock_gettime),
		CONFINE_CALL(madvise),
		CONFINE_CALL(restart_syscall),
		CONFINE_CALL(exit_group),
		CONFINE_END,
	};

	return confine_calls(f, sizeof(f) / sizeof(f[0]));
}

/* After who it is has changed, which forgets it */
static int die_with(long parent)
{
	long r = sys_call(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);

	return r == 0 && sys_call(__NR_getppid, 0, 0, 0, 0, 0, 0) != parent ? -ESRCH : (int) r;
}

int names_confine(long parent)
{
	int r = confine_identity(0);

	if (r == 0)
		r = die_with(parent);
	return r == 0 ? filter() : r;
}

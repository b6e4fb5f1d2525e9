/* SPDX-License-Identifier: MIT */
/**
 * DOC: what the process of published ports may do
 *
 * Pass on bytes between sockets of IP.  It is nobody, and has one capability: to have the address of who connects,
 * which is worth nothing outside of the user's own network namespace.
 */
#include "engine/ports/confine.h"

#include <linux/capability.h>

#include "bare/confine.h"

static int filter(void)
{
	struct sock_filter f[] = {
		CONFINE_BEGIN,
		CONFINE_CALL(epoll_pwait),
		CONFINE_CALL(recvfrom),
		CONFINE_CALL(sendto),
		CONFINE_CALL(recvmsg),
		CONFINE_CALL(sendmsg),
		CONFINE_CALL(accept4),
		CONFINE_CALL(connect),
		CONFINE_CALL(bind),
		CONFINE_CALL(setsockopt),
		CONFINE_CALL(shutdown),
		CONFINE_CALL(close),
		CONFINE_CALL(epoll_ctl),
		CONFINE_CALL(clock_gettime),
		CONFINE_CALL(madvise),
		CONFINE_CALL(restart_syscall),
		CONFINE_CALL(exit_group),
		CONFINE_END,
	};

	return confine_calls(f, sizeof(f) / sizeof(f[0]));
}

int ports_confine(void)
{
	int r = confine_identity(1u << CAP_NET_RAW);

	return r == 0 ? filter() : r;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: loading a filter and handing on its notify descriptor
 *
 * Once the filter is on, any system call of the thread may be refused, or wait for an agent that does
 * not have the descriptor yet.  So a second thread is started before, which the filter does not cover:
 * it waits for the descriptor in shared memory, sends it, and says so in shared memory.  The filtered
 * thread spins meanwhile and makes no system call.  The execve() that follows ends the second thread.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/seccomp.h"
#include "oci/spec.h"

#define SEND_TIMEOUT_MS 10000 /* an agent that does not read its socket fails the start */
#define POLL_NS 20000

/* Shared by the two threads */
struct handover {
	int sock;
	const char *state;
	atomic_int fd; /* -1 until the filter is on; -2 it could not be loaded */
	atomic_int result; /* 1 until the descriptor was sent; then 0 or -errno */
};

/* The message carries the descriptor; a state that does not fit at once is continued without it. */
static int send_state(int sock, const char *state, int fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *) state, .iov_len = strlen(state) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	while (iov.iov_len > 0) {
		ssize_t n = sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = sock, .events = POLLOUT };

			if (poll(&p, 1, SEND_TIMEOUT_MS) == 0)
				return -ETIMEDOUT;
			continue;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			iov.iov_base = (char *) iov.iov_base + n;
			iov.iov_len -= (size_t) n;
			msg.msg_control = NULL;
			msg.msg_controllen = 0;
		}
	}
	return 0;
}

static void *helper(void *arg)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	struct handover *h = arg;
	int fd;

	while ((fd = atomic_load(&h->fd)) == -1)
		(void) nanosleep(&pause, NULL);
	if (fd >= 0)
		atomic_store(&h->result, send_state(h->sock, h->state, fd));
	return NULL;
}

static int load(const struct oci_filter *filter, struct err *err)
{
	struct sock_fprog prog = { .len = filter->len, .filter = filter->prog };
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &prog);

	return fd < 0 ? err_set(err, -errno, "error loading seccomp filter of %u instructions with "
					     "flags 0x%x", filter->len, filter->flags) : (int) fd;
}

int oci_seccomp_load(const struct oci_filter *filter, int listener_sock, const char *state,
		     struct err *err)
{
	struct handover h = { .sock = listener_sock, .state = state, .fd = -1, .result = 1 };
	pthread_t thread;
	int fd, r;

	if ((filter->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) == 0) {
		r = load(filter, err);
		return r < 0 ? r : 0;
	}
	if (listener_sock < 0 || state == NULL)
		return err_msg(err, -EINVAL, "seccomp listenerPath is not set");
	r = pthread_create(&thread, NULL, helper, &h);
	if (r != 0)
		return err_set(err, -r, "start thread that sends the seccomp descriptor");
	fd = load(filter, err);
	if (fd < 0) {
		atomic_store(&h.fd, -2);
		(void) pthread_join(thread, NULL);
		return fd;
	}
	atomic_store(&h.fd, fd);
	while ((r = atomic_load(&h.result)) == 1)
		; /* no system call from here on */
	return r < 0 ? err_set(err, r, "cannot send seccomp fd to the agent") : 0;
}

int oci_seccomp_connect(const struct oci_seccomp *seccomp, struct err *err)
{
	const char *path = seccomp->listener_path;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t n = path != NULL ? strlen(path) : 0;
	socklen_t len = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n);

	if (n == 0)
		return err_msg(err, -EINVAL, "seccomp listenerPath is not set");
	if (n >= sizeof(addr.sun_path))
		return err_msg(err, -ENAMETOOLONG, "linux.seccomp.listenerPath has %zu bytes, limit "
						   "%zu", n, sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, path, n + 1);
	if (*path == '@')
		addr.sun_path[0] = '\0';

	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, -errno, "socket for seccomp agent");
	if (connect(fd, (struct sockaddr *) &addr, *path == '@' ? len : len + 1) < 0)
		return err_set(err, -errno, "failed to connect with seccomp agent specified in the "
					    "seccomp profile '%s'", path);
	return take_fd(fd);
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: connection
 *
 * Nobody waits for the other side.  One piece is read for each time that the loop says there is something, so that
 * whoever talks much is not alone.
 */
#include "vmm/core/conn.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE 4096 /* bytes read at a time */
#define FDS_MAX 16 /* descriptors that may come with a piece; the kernel closes what is more */

static void drop_passed(struct conn *c)
{
	if (c->passed >= 0)
		(void) close(c->passed); /* nobody asked for it */
	c->passed = -1;
}

static ssize_t receive(struct conn *c, char *buf, size_t size)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} u;
	struct iovec iov = { buf, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u) };
	ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *h = n >= 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (h == NULL || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS || h->cmsg_len < CMSG_LEN(sizeof(int)))
		return n;
	drop_passed(c);
	memcpy(&c->passed, CMSG_DATA(h), sizeof(int));
	for (size_t at = sizeof(int); CMSG_LEN(at + sizeof(int)) <= h->cmsg_len; at += sizeof(int)) {
		int fd;

		memcpy(&fd, CMSG_DATA(h) + at, sizeof(fd));
		(void) close(fd); /* one at a time is what there is a use for */
	}
	return n;
}

static void ready(void *arg, uint32_t events)
{
	struct conn *c = arg;
	char buf[PIECE];
	ssize_t n;

	if (events & EPOLLOUT)
		conn_flush(c);
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	n = receive(c, buf, sizeof(buf));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && c->ops->input(c->arg, buf, (size_t) n) && !c->out.failed && c->out.len <= CONN_BACKLOG_MAX)
		return;
	conn_close(c);
	c->ops->ended(c->arg);
}

int conn_open(struct conn *c, struct loop *l, int fd, const struct conn_ops *ops, void *arg)
{
	int r = loop_add(l, &c->source, fd, EPOLLIN, ready, c);

	if (r < 0)
		return r;
	c->loop = l;
	c->fd = fd;
	c->ops = ops;
	c->arg = arg;
	return 0;
}

void conn_flush(struct conn *c)
{
	while (c->out.len > 0) {
		ssize_t n = send(c->fd, c->out.p, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break; /* later, or the connection's end is reported */
		memmove(c->out.p, c->out.p + n, c->out.len - (size_t) n);
		c->out.len -= (size_t) n;
	}
	(void) loop_change(c->loop, &c->source, EPOLLIN | (c->out.len > 0 ? EPOLLOUT : 0)); /* it is watched */
}

void conn_close(struct conn *c)
{
	if (c->fd < 0)
		return;
	loop_remove(c->loop, &c->source);
	(void) close(c->fd); /* what was not sent is lost */
	drop_passed(c);
	str_fini(&c->out);
	c->fd = -1;
	c->out = (struct str) { 0 };
}

/* SPDX-License-Identifier: MIT */
#include "sys/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ANSWER_MAX 32768 /* bytes; the kernel fills at most this much per datagram */

int netlink_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

int netlink_open_in(int netns)
{
	_cleanup_close_ int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int fd = -EBADF;

	if (own < 0 || setns(netns, CLONE_NEWNET) < 0)
		return -errno;
	fd = netlink_open(); /* a socket belongs to the namespace it was made in */
	if (setns(own, CLONE_NEWNET) < 0)
		return -errno;
	return take_fd(fd);
}

void netlink_init(struct netlink_request *ret, uint16_t type, uint16_t flags, const void *head,
		  size_t head_size)
{
	const struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST };

	*ret = (struct netlink_request) { .used = NLMSG_LENGTH(head_size) };
	memcpy(ret->space, &h, sizeof(h));
	memcpy(ret->space + NLMSG_HDRLEN, head, head_size);
}

int netlink_attr(struct netlink_request *req, uint16_t type, const void *data, size_t size)
{
	size_t at = NLMSG_ALIGN(req->used);
	struct rtattr a = { .rta_type = type };

	if (size > sizeof(req->space) || at + RTA_LENGTH(size) > sizeof(req->space))
		return -EMSGSIZE;
	a.rta_len = (unsigned short) RTA_LENGTH(size);
	memcpy(req->space + at, &a, sizeof(a));
	memcpy(req->space + at + RTA_LENGTH(0), data, size);
	req->used = at + RTA_LENGTH(size);
	return 0;
}

/*
 * Read one datagram of answers.
 * @failed: first failure so far
 * Return: 0 more to come; 1 that was the last; -errno.
 */
static int answer(int fd, int (*each)(const struct nlmsghdr *, void *), void *arg, int *failed)
{
	_Alignas(NLMSG_ALIGNTO) char buf[ANSWER_MAX];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_TRUNC);
	size_t left;

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n > (ssize_t) sizeof(buf))
		return -EMSGSIZE;
	left = (size_t) n;
	for (const struct nlmsghdr *m = (struct nlmsghdr *) (void *) buf; NLMSG_OK(m, left);
	     m = NLMSG_NEXT(m, left)) {
		const struct nlmsgerr *e = NLMSG_DATA(m);

		if (m->nlmsg_type == NLMSG_DONE)
			return 1;
		if (m->nlmsg_type == NLMSG_ERROR) {
			if (m->nlmsg_len < NLMSG_LENGTH(sizeof(*e)))
				return -EBADMSG;
			return e->error != 0 ? e->error : 1;
		}
		if (each != NULL && *failed == 0)
			*failed = each(m, arg);
	}
	return 0;
}

int netlink_call(int fd, struct netlink_request *req,
		 int (*each)(const struct nlmsghdr *msg, void *arg), void *arg)
{
	struct nlmsghdr h;
	int failed = 0, r;

	memcpy(&h, req->space, sizeof(h));
	h.nlmsg_len = (uint32_t) req->used;
	if ((h.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		h.nlmsg_flags |= NLM_F_ACK;
	memcpy(req->space, &h, sizeof(h));
	if (send(fd, req->space, req->used, 0) < 0)
		return -errno;
	do
		r = answer(fd, each, arg, &failed);
	while (r == 0);
	return r < 0 ? r : failed;
}

const void *netlink_msg_attr(const struct nlmsghdr *msg, size_t head_size, uint16_t type,
			     size_t *ret_size)
{
	size_t head = NLMSG_SPACE(head_size), left;
	const struct rtattr *a;

	if (msg->nlmsg_len < head)
		return NULL;
	left = msg->nlmsg_len - head;
	for (a = (const struct rtattr *) (const void *) ((const char *) msg + head); RTA_OK(a, left);
	     a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == type) {
			*ret_size = RTA_PAYLOAD(a);
			return RTA_DATA(a);
		}
	return NULL;
}

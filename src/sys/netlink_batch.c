/* SPDX-License-Identifier: MIT */
#include "sys/netlink_batch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define ANSWER_MAX 32768 /* bytes; the kernel fills at most this much per datagram */
#define SEND_MAX (200u << 10) /* bytes that a socket takes as it is */

static void pad(struct netlink_batch *b)
{
	static const char zero[NLMSG_ALIGNTO];

	str_add(&b->bytes, zero, NLMSG_ALIGN(b->bytes.len) - b->bytes.len);
}

/* A length that was not known when its header was written */
static void set_length(struct netlink_batch *b)
{
	uint32_t n;

	if (b->bytes.failed || b->n == 0)
		return;
	n = (uint32_t) (b->bytes.len - b->message);
	memcpy(b->bytes.p + b->message, &n, sizeof(n)); /* nlmsg_len comes first */
}

void netlink_batch_add(struct netlink_batch *b, uint16_t type, uint16_t flags, const void *head, size_t head_size)
{
	const struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST, .nlmsg_seq = b->n };

	set_length(b);
	pad(b);
	b->message = b->bytes.len;
	b->n++;
	str_add(&b->bytes, &h, sizeof(h));
	str_add(&b->bytes, head, head_size);
	set_length(b);
}

void netlink_batch_attr(struct netlink_batch *b, uint16_t type, const void *data, size_t size)
{
	const struct nlattr a = { .nla_len = (uint16_t) (NLA_HDRLEN + size), .nla_type = type };

	if (size > UINT16_MAX - NLA_HDRLEN)
		b->bytes.failed = true;
	pad(b);
	str_add(&b->bytes, &a, sizeof(a));
	str_add(&b->bytes, data, size);
	set_length(b);
}

void netlink_batch_text(struct netlink_batch *b, uint16_t type, const char *text)
{
	netlink_batch_attr(b, type, text, strlen(text) + 1);
}

void netlink_batch_be32(struct netlink_batch *b, uint16_t type, uint32_t value)
{
	const uint32_t be = htonl(value);

	netlink_batch_attr(b, type, &be, sizeof(be));
}

size_t netlink_batch_nest(struct netlink_batch *b, uint16_t type)
{
	size_t at;

	pad(b);
	at = b->bytes.len;
	netlink_batch_attr(b, type | NLA_F_NESTED, "", 0);
	return at;
}

void netlink_batch_end(struct netlink_batch *b, size_t nest)
{
	uint16_t n;

	if (b->bytes.failed)
		return;
	if (b->bytes.len - nest > UINT16_MAX) {
		b->bytes.failed = true;
		return;
	}
	n = (uint16_t) (b->bytes.len - nest);
	memcpy(b->bytes.p + nest, &n, sizeof(n)); /* nla_len comes first */
}

/* One datagram of answers.  Return: 0; -errno that one of them tells, with the number of its message. */
static int read_answer(const char *buf, size_t left, int (*each)(const struct nlmsghdr *, void *), void *arg,
		       uint32_t *ret_failed)
{
	for (const struct nlmsghdr *m = (const struct nlmsghdr *) (const void *) buf; NLMSG_OK(m, left);
	     m = NLMSG_NEXT(m, left)) {
		const struct nlmsgerr *e = NLMSG_DATA(m);
		int r = 0;

		if (m->nlmsg_type == NLMSG_ERROR)
			r = m->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) ? -EBADMSG : e->error;
		else if (m->nlmsg_type != NLMSG_DONE && each != NULL)
			r = each(m, arg);
		if (r < 0) {
			*ret_failed = m->nlmsg_seq;
			return r;
		}
	}
	return 0;
}

static int read_answers(int fd, int (*each)(const struct nlmsghdr *, void *), void *arg, uint32_t *ret_failed)
{
	_Alignas(NLMSG_ALIGNTO) char buf[ANSWER_MAX];
	int first = 0;

	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);
		uint32_t failed = 0;
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? first : first < 0 ? first : -errno;
		r = n > (ssize_t) sizeof(buf) ? -EMSGSIZE : read_answer(buf, (size_t) n, each, arg, &failed);
		if (r < 0 && first == 0) {
			first = r;
			*ret_failed = failed;
		}
	}
}

int netlink_batch_send(int fd, struct netlink_batch *b, int (*each)(const struct nlmsghdr *msg, void *arg), void *arg,
		       uint32_t *ret_failed)
{
	uint32_t failed = 0;
	int room, r;

	set_length(b);
	if (b->bytes.failed)
		return -ENOMEM;
	if (b->bytes.len > NETLINK_BATCH_MAX)
		return -EMSGSIZE;
	room = (int) b->bytes.len * 2;
	if (b->bytes.len > SEND_MAX && setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		return -errno;
	if (b->n > 0 && send(fd, b->bytes.p, b->bytes.len, 0) < 0)
		return -errno;
	r = read_answers(fd, each, arg, &failed);
	if (ret_failed != NULL)
		*ret_failed = failed;
	return r;
}

void netlink_batch_fini(struct netlink_batch *b)
{
	str_fini(&b->bytes);
	*b = (struct netlink_batch) { 0 };
}

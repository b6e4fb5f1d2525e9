/* SPDX-License-Identifier: MIT */
/**
 * DOC: datagrams
 *
 * Every asker has a socket that is connected to the instance, so that answers are for that one; who is silent for two
 * minutes loses it, and when there are too many, the one that was silent for longest.
 */
#include "engine/ports/datagram.h"

#include <asm/unistd.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "bare/sys.h"

#define BURST 64 /* datagrams of one port, or of one instance, at a time */
#define LOOK_MS 10000 /* for idle ones */

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static bool same(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return false;
	return true;
}

static void forget(struct datagrams *d, struct asker *a)
{
	(void) sys_close(a->fd);
	a->fd = -1;
	a->age++;
	while (d->used > 0 && d->v[d->used - 1].fd < 0)
		d->used--;
}

/* What the kernel says of the address that was asked */
static union address local_of(const struct msghdr *m, const union control *c)
{
	union address a = { 0 };

	if (m->msg_controllen >= CMSG_LEN(sizeof(struct in_pktinfo)) && c->head.cmsg_level == IPPROTO_IP && c->head.cmsg_type == IP_PKTINFO) {
		a.v4.sin_family = AF_INET;
		a.v4.sin_addr = ((const struct in_pktinfo *) CMSG_DATA(&c->head))->ipi_addr;
	} else if (m->msg_controllen >= CMSG_LEN(sizeof(struct in6_pktinfo)) && c->head.cmsg_level == IPPROTO_IPV6 &&
		   c->head.cmsg_type == IPV6_PKTINFO) {
		const struct in6_pktinfo *info = (const struct in6_pktinfo *) CMSG_DATA(&c->head);

		a.v6.sin6_family = AF_INET6;
		a.v6.sin6_addr = info->ipi6_addr;
		a.v6.sin6_scope_id = info->ipi6_ifindex;
	}
	return a;
}

static struct asker *find(struct datagrams *d, unsigned port, const union address *from, const union address *local)
{
	for (unsigned i = 0; i < d->used; i++) {
		struct asker *a = &d->v[i];

		if (a->fd >= 0 && a->port == port && same(&a->from, from, sizeof(*from)) && same(&a->local, local, sizeof(*local)))
			return a;
	}
	return NULL;
}

/* A free place, or that of who was silent for longest */
static struct asker *find_place(struct datagrams *d)
{
	struct asker *oldest = &d->v[0];

	for (unsigned i = 0; i < d->used; i++) {
		if (d->v[i].fd < 0)
			return &d->v[i];
		oldest = d->v[i].until < oldest->until ? &d->v[i] : oldest;
	}
	if (d->used < DATAGRAMS_MAX)
		return &d->v[d->used++];
	(void) sys_close(oldest->fd);
	oldest->fd = -1;
	oldest->age++;
	return oldest;
}

static struct asker *make(struct datagrams *d, unsigned port, const union address *from, const union address *local)
{
	struct asker *a = find_place(d);
	uint32_t place = (uint32_t) (a - d->v);

	a->fd = ports_connect(&d->ports->v[port].to, SOCK_DGRAM, from);
	if (a->fd >= 0 && ports_watch(d->ports, a->fd, (struct key) { .kind = KIND_DATAGRAM, .age = a->age, .place = place }) < 0)
		forget(d, a);
	if (a->fd < 0)
		return NULL;
	a->port = (uint16_t) port;
	a->from = *from;
	a->local = *local;
	return a;
}

void datagrams_take(struct datagrams *d, unsigned port, int64_t now)
{
	for (int i = 0; i < BURST; i++) {
		union address from = { 0 }, local;
		union control control = { 0 };
		struct iovec v = { d->buf, sizeof(d->buf) };
		struct msghdr m = { .msg_name = &from,
				    .msg_namelen = sizeof(from),
				    .msg_iov = &v,
				    .msg_iovlen = 1,
				    .msg_control = &control,
				    .msg_controllen = sizeof(control) };
		long n = sys_call(__NR_recvmsg, d->ports->v[port].fd, (long) &m, MSG_DONTWAIT, 0, 0, 0);
		struct asker *a;

		if (n < 0 && n != -ECONNREFUSED) /* somebody did not want an answer */
			return;
		if (n < 0)
			continue;
		local = local_of(&m, &control);
		a = find(d, port, &from, &local);
		if (a == NULL)
			a = make(d, port, &from, &local);
		if (a == NULL)
			continue;
		a->until = now + DATAGRAM_IDLE_MS;
		(void) sys_call(__NR_sendto, a->fd, (long) d->buf, n, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0); /* as a network loses them */
	}
	d->ports->v[port].stalled = true;
}

/* From the address that was asked */
static void answer(struct datagrams *d, const struct asker *a, size_t n)
{
	union control c = { 0 };
	struct iovec v = { d->buf, n };
	struct msghdr m = { .msg_name = (void *) &a->from, .msg_iov = &v, .msg_iovlen = 1 };

	m.msg_namelen = a->from.any.sa_family == AF_INET ? sizeof(a->from.v4) : sizeof(a->from.v6);
	if (a->local.any.sa_family == AF_INET) {
		c.head = (struct cmsghdr) { .cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO };
		((struct in_pktinfo *) CMSG_DATA(&c.head))->ipi_spec_dst = a->local.v4.sin_addr;
		m.msg_controllen = CMSG_SPACE(sizeof(struct in_pktinfo));
	} else if (a->local.any.sa_family == AF_INET6) {
		struct in6_pktinfo *info = (struct in6_pktinfo *) CMSG_DATA(&c.head);

		c.head = (struct cmsghdr) { .cmsg_len = CMSG_LEN(sizeof(*info)), .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO };
		info->ipi6_addr = a->local.v6.sin6_addr;
		m.msg_controllen = CMSG_SPACE(sizeof(*info));
	}
	m.msg_control = m.msg_controllen > 0 ? &c : NULL;
	(void) sys_call(__NR_sendmsg, d->ports->v[a->port].fd, (long) &m, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0, 0); /* likewise */
}

void datagrams_event(struct datagrams *d, struct key key, int64_t now)
{
	struct asker *a = key.place < DATAGRAMS_MAX ? &d->v[key.place] : NULL;
	long n;

	if (a == NULL || a->fd < 0 || a->age != key.age)
		return;
	while ((n = sys_call(__NR_recvfrom, a->fd, (long) d->buf, sizeof(d->buf), MSG_DONTWAIT, 0, 0)) >= 0) {
		a->until = now + DATAGRAM_IDLE_MS;
		answer(d, a, (size_t) n);
	}
}

void datagrams_expire(struct datagrams *d, int64_t now)
{
	if (now < d->next)
		return;
	d->next = now + LOOK_MS;
	for (unsigned i = d->used; i-- > 0;)
		if (i < d->used && d->v[i].fd >= 0 && d->v[i].until <= now)
			forget(d, &d->v[i]);
}

void datagrams_drop(struct datagrams *d, unsigned port)
{
	for (unsigned i = d->used; i-- > 0;)
		if (i < d->used && d->v[i].fd >= 0 && d->v[i].port == port)
			forget(d, &d->v[i]);
}

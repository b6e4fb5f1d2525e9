/* SPDX-License-Identifier: MIT */
#include "engine/ports/port.h"

#include <asm/unistd.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "bare/sys.h"

#define LOOPBACK 127 /* first byte of the host's own addresses */

int ports_watch(const struct ports *p, int fd, struct key key)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
	uint64_t data;

	__builtin_memcpy(&data, &key, sizeof(data));
	e.data.u64 = data;
	return (int) sys_call(__NR_epoll_ctl, p->epoll, EPOLL_CTL_ADD, fd, (long) &e, 0, 0);
}

int ports_open(struct ports *p, const struct ports_message *m, int fd)
{
	unsigned place = 0;

	while (place < p->used && p->v[place].fd >= 0)
		place++;
	if (place == PORTS_MAX || ports_watch(p, fd, (struct key) { .kind = KIND_PORT, .place = place }) < 0) {
		(void) sys_close(fd);
		return -1;
	}
	p->used = place < p->used ? p->used : place + 1;
	p->v[place] = (struct port) { .fd = fd, .to = *m };
	return (int) place;
}

void ports_close(struct ports *p, unsigned place)
{
	(void) sys_close(p->v[place].fd);
	p->v[place].fd = -1;
	while (p->used > 0 && p->v[p->used - 1].fd < 0)
		p->used--;
}

static long option(int fd, int level, int name)
{
	const int on = 1;

	return sys_call(__NR_setsockopt, fd, level, name, (long) &on, sizeof(on), 0);
}

/*
 * A connection of the host's own has an address that means the instance itself there, and one that is good on a single
 * link means nothing on another.
 */
static bool can_pretend(const struct ports_message *to, const union address *from)
{
	const struct in6_addr *v6 = from != NULL ? &from->v6.sin6_addr : NULL;

	if (from == NULL || from->any.sa_family != (to->family == 4 ? AF_INET : AF_INET6))
		return false;
	if (to->family == 4)
		return *(const uint8_t *) &from->v4.sin_addr != LOOPBACK;
	return !IN6_IS_ADDR_LOOPBACK(v6) && !IN6_IS_ADDR_LINKLOCAL(v6) && !IN6_IS_ADDR_V4MAPPED(v6);
}

/* It is the gateway's address where this fails. */
static void pretend(int fd, const union address *from)
{
	bool v4 = from->any.sa_family == AF_INET;

	if (option(fd, SOL_SOCKET, SO_REUSEADDR) == 0 &&
	    option(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT) == 0)
		(void) sys_call(__NR_bind, fd, (long) from, v4 ? sizeof(from->v4) : sizeof(from->v6), 0, 0, 0);
}

static int open_socket(const struct ports_message *to, int type, const union address *from)
{
	int fd = (int) sys_call(__NR_socket, to->family == 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, 0, 0, 0);

	if (fd < 0)
		return fd;
	(void) option(fd, SOL_SOCKET, SO_KEEPALIVE); /* who is gone is noticed, if late */
	if (can_pretend(to, from))
		pretend(fd, from);
	return fd;
}

int ports_connect(const struct ports_message *to, int type, const union address *from)
{
	union address a = { 0 };
	long r = -EADDRNOTAVAIL;
	int fd = -1;

	a.any.sa_family = to->family == 4 ? AF_INET : AF_INET6;
	__builtin_memcpy(to->family == 4 ? (void *) &a.v4.sin_addr : (void *) &a.v6.sin6_addr, to->to, to->family == 4 ? 4 : 16);
	a.v4.sin_port = __builtin_bswap16(to->to_port); /* at the same place in both */
	for (int i = 0; i < 2 && (r == -EADDRNOTAVAIL || r == -EADDRINUSE); i++) {
		if (fd >= 0)
			(void) sys_close(fd);
		fd = open_socket(to, type, i == 0 ? from : NULL);
		r = fd < 0 ? fd : sys_call(__NR_connect, fd, (long) &a, to->family == 4 ? sizeof(a.v4) : sizeof(a.v6), 0, 0, 0);
	}
	if (fd >= 0 && r < 0 && r != -EINPROGRESS) {
		(void) sys_close(fd);
		return (int) r;
	}
	return fd;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: a network made of sockets
 *
 * The guest sees a network with a gateway, a name server and a DHCP server.  What it sends is taken apart up
 * to TCP, UDP and echo requests, and goes on through sockets of this process; answers are put together again.
 * All of it happens on the machine's event loop, nothing blocks.  Descriptors are watched by an epoll of their
 * own, which is one descriptor of the loop, one event at a time: what handles an event may close any of them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "vmm/dev/usernet/usernet_parts.h"

#define ROUND 64 /* events that are handled in one go */
#define TICK_MS 200
#define LOOPBACK 0x7F000001u

int64_t usernet_now(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void usernet_watch(struct usernet *u, struct usernet_source *s, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	if (s->events == events || s->fd < 0)
		return;
	/* fails only without memory: then the connection stands still until it is reset */
	(void) epoll_ctl(u->epoll, s->events == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, s->fd,
			 &e);
	s->events = events;
}

void usernet_close(struct usernet *u, struct usernet_source *s)
{
	usernet_watch(u, s, 0);
	if (s->fd >= 0)
		(void) close(s->fd); /* what is to be sent is sent by the kernel */
	s->fd = -1;
}

bool usernet_to_host(const struct usernet *u, uint32_t addr, uint16_t port, struct sockaddr_in *ret)
{
	*ret = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons(port) };
	if (addr == USERNET_GATEWAY && u->conf->loopback)
		addr = LOOPBACK;
	else if (addr == USERNET_DNS && port == 53 && u->conf->resolver != 0)
		addr = u->conf->resolver;
	else if ((addr & 0xFFFFFF00u) == USERNET_NET || addr >> 24 == 0 || addr >> 24 == 127 || addr >> 28 >= 14)
		return false; /* this network, nowhere, loopback, groups and all */
	ret->sin_addr.s_addr = htonl(addr);
	return true;
}

uint32_t usernet_to_guest(const struct usernet *u, const struct sockaddr_in *addr)
{
	uint32_t a = ntohl(addr->sin_addr.s_addr);

	if (a == u->conf->resolver && addr->sin_port == htons(53))
		return USERNET_DNS;
	return a >> 24 == 127 ? USERNET_GATEWAY : a;
}

static void event_ready(void *arg, uint32_t events)
{
	struct usernet *u = arg;
	struct epoll_event e;

	(void) events;
	for (int i = 0; i < ROUND && epoll_wait(u->epoll, &e, 1, 0) == 1; i++) {
		struct usernet_source *s = e.data.ptr;

		s->ready(u, s, e.events);
	}
}

static void set_timer(struct usernet *u, bool on)
{
	struct itimerspec t = { .it_interval.tv_nsec = on ? TICK_MS * 1000000 : 0,
				.it_value.tv_nsec = on ? TICK_MS * 1000000 : 0 };

	if (timerfd_settime(u->timer, 0, &t, NULL) == 0)
		u->ticking = on;
}

void usernet_start_ticks(struct usernet *u)
{
	if (!u->ticking)
		set_timer(u, true);
}

static void tick_ready(void *arg, uint32_t events)
{
	struct usernet *u = arg;
	uint64_t times;

	(void) events;
	if (read(u->timer, &times, sizeof(times)) != sizeof(times))
		return;
	usernet_tcp_tick(u);
	usernet_ports_tick(u, false);
	if (u->nr_tcp == 0 && u->nr_ports == 0)
		set_timer(u, false);
}

static void listener_ready(struct usernet *u, struct usernet_source *s, uint32_t events)
{
	const struct usernet_forward *f = &u->conf->forward[s - u->listener];
	struct sockaddr_in from = { 0 };
	socklen_t len = sizeof(from);
	int fd = accept4(s->fd, (struct sockaddr *) &from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void) events;
	if (fd >= 0)
		usernet_tcp_accept(u, fd, &from, f->guest_port);
}

uint32_t usernet_resolver(void)
{
	_cleanup_fclose_ FILE *f = fopen("/etc/resolv.conf", "re");
	char line[256], addr[64];
	struct in_addr a;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, " nameserver %63s", addr) == 1 && inet_aton(addr, &a))
			return ntohl(a.s_addr);
	return 0;
}

static int open_all(struct usernet *u, struct err *err)
{
	int r = 0;

	u->epoll = epoll_create1(EPOLL_CLOEXEC);
	u->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (u->epoll < 0 || u->timer < 0)
		return err_set(err, -errno, "make user network");
	r = loop_add(u->loop, &u->source, u->epoll, EPOLLIN, event_ready, u);
	if (r == 0)
		r = loop_add(u->loop, &u->tick, u->timer, EPOLLIN, tick_ready, u);
	for (unsigned i = 0; i < u->conf->nr_forwards && r == 0; i++) {
		const struct usernet_forward *f = &u->conf->forward[i];

		u->listener[i] = (struct usernet_source) { .fd = f->fd, .ready = listener_ready };
		if (f->udp)
			r = usernet_udp_forward(u, f->fd, f->guest_port);
		else
			usernet_watch(u, &u->listener[i], EPOLLIN);
	}
	return r < 0 ? err_set(err, r, "watch sockets of the user network") : 0;
}

int usernet_new(struct loop *loop, const struct usernet_config *conf,
		int (*deliver)(void *arg, struct iovec *iov, unsigned nr), void *arg, struct usernet **ret,
		struct err *err)
{
	struct usernet *u = calloc(1, sizeof(*u));
	int r;

	if (u == NULL)
		return err_set(err, -ENOMEM, "make user network");
	*u = (struct usernet) { .loop = loop, .conf = conf, .deliver = deliver, .arg = arg, .epoll = -1, .timer = -1,
				.source.fd = -1, .tick.fd = -1 };
	r = open_all(u, err);
	if (r < 0) {
		usernet_free(u);
		return r;
	}
	*ret = u;
	return 0;
}

void usernet_free(struct usernet *u)
{
	if (u == NULL)
		return;
	usernet_tcp_free(u);
	usernet_ports_free(u);
	loop_remove(u->loop, &u->source);
	loop_remove(u->loop, &u->tick);
	if (u->epoll >= 0)
		(void) close(u->epoll); /* nothing is in it */
	if (u->timer >= 0)
		(void) close(u->timer); /* nothing is in it */
	free(u);
}

void usernet_offload(struct usernet *u, unsigned flags)
{
	u->csum = flags & USERNET_CSUM;
	u->tso = u->csum && (flags & USERNET_TSO);
}

void usernet_room(struct usernet *u)
{
	if (u->blocked)
		usernet_tcp_room(u);
}

void usernet_reset(struct usernet *u)
{
	usernet_tcp_free(u);
	usernet_ports_tick(u, true);
	u->blocked = false;
}

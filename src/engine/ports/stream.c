/* SPDX-License-Identifier: MIT */
/**
 * DOC: connections
 *
 * What one side says is read when there is room for it, so who does not read holds up nobody but the other side.  A
 * direction that ends is ended on the other side; the connection is over when both are.
 */
#include "engine/ports/stream.h"

#include <asm/unistd.h>
#include <errno.h>
#include <sys/socket.h>

#include "bare/sys.h"

#define TURN 32 /* reads of one direction before others have theirs */
#define NEWCOMERS 64 /* connections of one port that are taken at a time */

static void end(struct streams *s, struct stream *c)
{
	for (int i = 0; i < 2; i++) {
		(void) sys_close(c->fd[i]);
		c->flow[i].pos = c->flow[i].len = 0;
		c->flow[i].ended = c->flow[i].told = false;
		sys_release(c->flow[i].buf, sizeof(c->flow[i].buf));
	}
	c->used = c->again = false;
	c->age++;
	while (s->used > 0 && !s->v[s->used - 1].used)
		s->used--;
}

/* Return: 1 the turn is over, but there may be more; 0 it waits; -errno the connection is lost. */
static int pass(struct flow *f, int from, int to)
{
	for (int i = 0; i < TURN; i++) {
		long n;

		if (f->len == 0 && !f->ended) {
			n = sys_call(__NR_recvfrom, from, (long) f->buf, sizeof(f->buf), MSG_DONTWAIT, 0, 0);
			if (n == -EAGAIN || n == -ENOTCONN) /* not connected yet */
				return 0;
			if (n < 0)
				return (int) n;
			f->pos = 0;
			f->len = (uint32_t) n;
			f->ended = n == 0;
		}
		if (f->len == 0) {
			if (!f->told)
				n = sys_call(__NR_shutdown, to, SHUT_WR, 0, 0, 0, 0);
			else
				n = 0;
			if (n == -ENOTCONN)
				return 0;
			f->told = true;
			return n < 0 ? (int) n : 0;
		}
		n = sys_call(__NR_sendto, to, (long) (f->buf + f->pos), f->len, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
		if (n == -EAGAIN || n == -ENOTCONN)
			return 0;
		if (n < 0)
			return (int) n;
		f->pos += (uint32_t) n;
		f->len -= (uint32_t) n;
	}
	return 1;
}

static void turn(struct streams *s, struct stream *c)
{
	int a = pass(&c->flow[0], c->fd[0], c->fd[1]), b = a < 0 ? a : pass(&c->flow[1], c->fd[1], c->fd[0]);

	c->again = a == 1 || b == 1;
	s->again = s->again || c->again;
	if (a < 0 || b < 0 || (c->flow[0].told && c->flow[1].told))
		end(s, c);
}

static struct stream *find_place(struct streams *s)
{
	unsigned i = 0;

	while (i < s->used && s->v[i].used)
		i++;
	if (i == STREAMS_MAX)
		return NULL;
	s->used = i < s->used ? s->used : i + 1;
	return &s->v[i];
}

/* Return: 0; -errno there is nobody, or no room. */
static int accept_one(struct streams *s, unsigned port)
{
	struct port *p = &s->ports->v[port];
	struct stream *c = find_place(s);
	union address from = { 0 };
	socklen_t size = sizeof(from);
	long fd;

	if (c == NULL)
		return -ENFILE;
	fd = sys_call(__NR_accept4, p->fd, (long) &from, (long) &size, SOCK_NONBLOCK | SOCK_CLOEXEC, 0, 0);
	if (fd < 0)
		return fd == -ECONNABORTED ? 0 : (int) fd;
	c->fd[0] = (int) fd;
	c->fd[1] = ports_connect(&p->to, SOCK_STREAM, &from);
	if (c->fd[1] < 0) {
		(void) sys_close(c->fd[0]);
		return 0;
	}
	c->used = true;
	c->port = (uint16_t) port;
	for (uint8_t i = 0; i < 2; i++)
		if (ports_watch(s->ports, c->fd[i], (struct key) { .kind = KIND_STREAM, .end = i, .age = c->age, .place = (uint32_t) (c - s->v) }) < 0) {
			end(s, c);
			return 0;
		}
	return 0;
}

void streams_accept(struct streams *s, unsigned port)
{
	struct port *p = &s->ports->v[port];
	int r = 0;

	for (int i = 0; r == 0 && i < NEWCOMERS; i++)
		r = accept_one(s, port);
	p->stalled = r != -EAGAIN; /* its next event may be long in coming */
	s->stalled = s->stalled || p->stalled;
	s->again = s->again || r == 0;
}

void streams_event(struct streams *s, struct key key)
{
	struct stream *c = key.place < STREAMS_MAX ? &s->v[key.place] : NULL;

	if (c != NULL && c->used && c->age == key.age)
		turn(s, c);
}

void streams_continue(struct streams *s)
{
	s->again = false;
	for (unsigned i = 0; i < s->used; i++)
		if (s->v[i].again)
			turn(s, &s->v[i]);
	if (!s->stalled)
		return;
	s->stalled = false;
	for (unsigned i = 0; i < s->ports->used; i++)
		if (s->ports->v[i].fd >= 0 && s->ports->v[i].stalled)
			streams_accept(s, i);
}

void streams_drop(struct streams *s, unsigned port)
{
	for (unsigned i = s->used; i-- > 0;)
		if (s->v[i].used && s->v[i].port == port)
			end(s, &s->v[i]);
}

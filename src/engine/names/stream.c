/* SPDX-License-Identifier: MIT */
/**
 * DOC: questions by TCP
 *
 * A connection reads a question, answers it or asks a server and passes on what that says, and reads the next.  Who is
 * slow loses its connection; buffers are given back when one ends.
 */
#include "engine/names/stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "bare/sys.h"
#include "engine/names/answer.h"
#include "engine/names/socket.h"

void streams_init(struct streams *s, const struct names_table *t, int listen)
{
	s->table = t;
	s->listen = listen;
	s->used = 0;
}

static void hang_up(struct stream *c)
{
	if (c->up >= 0)
		(void) sys_close(c->up);
	c->up = -1;
}

static void end(struct stream *c)
{
	hang_up(c);
	(void) sys_close(c->fd);
	c->fd = -1;
	sys_release(c->buf, sizeof(c->buf));
}

static void enter(struct stream *c, enum stream_state state, size_t want, int64_t until)
{
	c->state = state;
	c->done = 0;
	c->want = want;
	c->until = until;
}

/* @n bytes are behind the length */
static void reply(struct stream *c, size_t n, int64_t now)
{
	hang_up(c);
	c->buf[0] = (uint8_t) (n >> 8);
	c->buf[1] = (uint8_t) n;
	enter(c, STREAM_WRITE, 2 + n, now + STREAM_IDLE_MS);
}

static const struct names_message *asker_of(const struct streams *s, const struct stream *c)
{
	return names_table_find(s->table, (const uint8_t *) &c->asker.sin_addr);
}

/* Ask the next one, or say that nobody knows. */
static void ask_next(struct streams *s, struct stream *c, int64_t now)
{
	const struct names_message *asker = asker_of(s, c);
	const struct names_server *server;

	hang_up(c);
	while (asker != NULL && (server = names_server(s->table, asker, c->server)) != NULL) {
		c->server++;
		c->up = names_connect(server, SOCK_STREAM);
		if (c->up < 0)
			continue;
		c->id = names_random();
		dns_id_set(c->query + 2, c->id);
		dns_recursion_set(c->query + 2, !server->peer);
		enter(c, STREAM_ASK, 0, now + STREAM_WAIT_MS);
		return;
	}
	reply(c, names_refuse(c->query + 2, &c->q, names_give_up(s->table, asker, c->server), c->buf + 2), now);
}

static void take_question(struct streams *s, struct stream *c, int64_t now)
{
	size_t n = c->want - 2, size = 0;

	c->size = (uint16_t) n;
	__builtin_memcpy(c->query, c->buf, c->want);
	switch (names_answer(s->table, (const uint8_t *) &c->asker.sin_addr, true, c->query + 2, n, &c->q, c->buf + 2, &size)) {
	case NAMES_IGNORE:
		end(c);
		break;
	case NAMES_REPLY:
		reply(c, size, now);
		break;
	case NAMES_ASK:
		c->server = 0;
		ask_next(s, c, now);
		break;
	}
}

static void take_answer(struct streams *s, struct stream *c, int64_t now)
{
	size_t n = c->want - 2;

	if (!dns_reply_fits(c->query + 2, &c->q, c->id, c->buf + 2, n) ||
	    names_try_next(s->table, asker_of(s, c), c->server, dns_rcode(c->buf + 2))) {
		ask_next(s, c, now);
		return;
	}
	dns_relayed(c->buf + 2, &c->q);
	reply(c, n, now);
}

/* A length and what it says; @max: bytes of it.  Return: 1 it is whole; 0 not yet; -errno. */
static int read_some(struct stream *c, int fd, size_t max)
{
	while (c->done < c->want) {
		long n = names_receive(fd, c->buf + c->done, c->want - c->done, NULL);

		if (n == -EAGAIN || n == -EINTR)
			return 0;
		if (n <= 0)
			return n < 0 ? (int) n : -ECONNRESET;
		c->done += (size_t) n;
		if (c->done == 2 && c->want == 2)
			c->want += (size_t) (c->buf[0] << 8 | c->buf[1]);
		if (c->want > 2 + max || (c->done == 2 && c->want < 2 + DNS_HEADER))
			return -EMSGSIZE;
	}
	return 1;
}

/* Return: 1 all of it is gone; 0 not yet; -errno. */
static int write_some(struct stream *c)
{
	while (c->done < c->want) {
		long n = names_send(c->fd, c->buf + c->done, c->want - c->done, NULL);

		if (n == -EAGAIN || n == -EINTR)
			return 0;
		if (n < 0)
			return (int) n;
		c->done += (size_t) n;
	}
	return 1;
}

static void step(struct streams *s, struct stream *c, int64_t now)
{
	int r;

	switch (c->state) {
	case STREAM_READ:
		r = read_some(c, c->fd, DNS_QUERY_MAX);
		if (r > 0)
			take_question(s, c, now);
		else if (r < 0)
			end(c);
		break;
	case STREAM_ASK: /* what was asked fits any empty buffer */
		if (names_send(c->up, c->query, 2u + c->size, NULL) == 2 + (long) c->size)
			enter(c, STREAM_WAIT, 2, c->until);
		else
			ask_next(s, c, now);
		break;
	case STREAM_WAIT:
		r = read_some(c, c->up, DNS_MESSAGE_MAX);
		if (r > 0)
			take_answer(s, c, now);
		else if (r < 0)
			ask_next(s, c, now);
		break;
	case STREAM_WRITE:
		r = write_some(c);
		if (r > 0)
			enter(c, STREAM_READ, 2, now + STREAM_IDLE_MS);
		else if (r < 0)
			end(c);
		break;
	}
}

static void take_connection(struct streams *s, int64_t now)
{
	struct sockaddr_in from;
	int fd = names_accept(s->listen, &from);
	unsigned own = 0, free = s->used;

	if (fd < 0)
		return;
	for (unsigned i = s->used; i-- > 0;) {
		own += s->v[i].fd >= 0 && s->v[i].asker.sin_addr.s_addr == from.sin_addr.s_addr;
		free = s->v[i].fd < 0 ? i : free;
	}
	if (free == STREAMS_MAX || own >= STREAMS_OF_ONE_MAX) {
		(void) sys_close(fd);
		return;
	}
	s->used = free < s->used ? s->used : free + 1;
	s->v[free].fd = fd;
	s->v[free].up = -1;
	s->v[free].asker = from;
	enter(&s->v[free], STREAM_READ, 2, now + STREAM_IDLE_MS);
}

/* The descriptor that it waits for, and for what */
static struct pollfd waits_for(const struct stream *c)
{
	bool server = c->state == STREAM_ASK || c->state == STREAM_WAIT, write = c->state == STREAM_ASK || c->state == STREAM_WRITE;

	return (struct pollfd) { .fd = c->fd < 0 ? -1 : server ? c->up : c->fd, .events = write ? POLLOUT : POLLIN };
}

unsigned streams_poll(const struct streams *s, struct pollfd *ret)
{
	ret[0] = (struct pollfd) { .fd = s->listen, .events = POLLIN };
	for (unsigned i = 0; i < s->used; i++)
		ret[1 + i] = waits_for(&s->v[i]);
	return 1 + s->used;
}

int64_t streams_handle(struct streams *s, const struct pollfd *fds, unsigned n, int64_t now)
{
	int64_t next = INT64_MAX;

	for (unsigned i = 0; i + 1 < n; i++) {
		struct stream *c = &s->v[i];

		if (c->fd >= 0 && fds[1 + i].revents != 0)
			step(s, c, now);
		else if (c->fd >= 0 && now >= c->until && (c->state == STREAM_ASK || c->state == STREAM_WAIT))
			ask_next(s, c, now);
		else if (c->fd >= 0 && now >= c->until)
			end(c);
	}
	if (fds[0].revents != 0)
		take_connection(s, now);
	while (s->used > 0 && s->v[s->used - 1].fd < 0)
		s->used--;
	for (unsigned i = 0; i < s->used; i++)
		if (s->v[i].fd >= 0 && s->v[i].until < next)
			next = s->v[i].until;
	return next;
}

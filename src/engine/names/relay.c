/* SPDX-License-Identifier: MIT */
/**
 * DOC: asking others by UDP
 *
 * Every question leaves from a socket of its own: from a port that nobody can guess, with a number that nobody can
 * guess, and the kernel drops what does not come from the server.  What comes must have the same question in it.
 */
#include "engine/names/relay.h"

#include <poll.h>
#include <sys/socket.h>

#include "bare/sys.h"
#include "engine/names/answer.h"
#include "engine/names/socket.h"

void relay_init(struct relay *r, const struct names_table *t, int udp)
{
	r->table = t;
	r->udp = udp;
	r->used = 0;
}

static void release(struct relay *r, struct relay_slot *s)
{
	if (s->fd >= 0)
		(void) sys_close(s->fd);
	s->fd = -1;
	while (r->used > 0 && r->slots[r->used - 1].fd < 0)
		r->used--;
}

static const struct names_message *asker_of(const struct relay *r, const struct relay_slot *s)
{
	return names_table_find(r->table, (const uint8_t *) &s->asker.sin_addr);
}

/* Ask the next one, or say that nobody knows. */
static void ask_next(struct relay *r, struct relay_slot *s, int64_t now)
{
	const struct names_message *asker = asker_of(r, s);
	const struct names_server *server;
	size_t n;

	if (s->fd >= 0)
		(void) sys_close(s->fd);
	s->fd = -1;
	while (asker != NULL && (server = names_server(r->table, asker, s->server)) != NULL) {
		s->server++;
		s->fd = names_connect(server, SOCK_DGRAM);
		if (s->fd < 0)
			continue;
		s->id = names_random();
		dns_id_set(s->query, s->id);
		dns_recursion_set(s->query, !server->peer);
		if (names_send(s->fd, s->query, s->size, NULL) >= 0) {
			s->until = now + RELAY_WAIT_MS;
			return;
		}
		(void) sys_close(s->fd);
		s->fd = -1;
	}
	n = names_refuse(s->query, &s->q, names_give_up(r->table, asker, s->server), r->reply);
	(void) names_send(r->udp, r->reply, n, &s->asker); /* it asks again */
	release(r, s);
}

void relay_ask(struct relay *r, const struct sockaddr_in *asker, const uint8_t *query, size_t n, const struct dns_query *q)
{
	unsigned own = 0, i = 0;
	struct relay_slot *s;

	for (unsigned k = 0; k < r->used; k++)
		own += r->slots[k].fd >= 0 && r->slots[k].asker.sin_addr.s_addr == asker->sin_addr.s_addr;
	while (i < r->used && r->slots[i].fd >= 0)
		i++;
	if (own >= RELAY_OF_ONE_MAX || i == RELAY_MAX)
		return;
	s = &r->slots[i];
	r->used = i < r->used ? r->used : i + 1;
	s->fd = -1;
	s->asker = *asker;
	s->server = 0;
	s->size = (uint16_t) n;
	s->q = *q;
	__builtin_memcpy(s->query, query, n);
	ask_next(r, s, sys_now_ms());
}

unsigned relay_poll(const struct relay *r, struct pollfd *ret)
{
	for (unsigned i = 0; i < r->used; i++)
		ret[i] = (struct pollfd) { .fd = r->slots[i].fd, .events = POLLIN };
	return r->used;
}

static void receive(struct relay *r, struct relay_slot *s, int64_t now)
{
	long n = names_receive(s->fd, r->reply, sizeof(r->reply), NULL);

	if (n < 0) { /* there is nobody */
		ask_next(r, s, now);
		return;
	}
	if (!dns_reply_fits(s->query, &s->q, s->id, r->reply, (size_t) n))
		return; /* somebody guesses */
	if (names_try_next(r->table, asker_of(r, s), s->server, dns_rcode(r->reply))) {
		ask_next(r, s, now);
		return;
	}
	dns_relayed(r->reply, &s->q);
	(void) names_send(r->udp, r->reply, (size_t) n, &s->asker); /* it asks again */
	release(r, s);
}

int64_t relay_handle(struct relay *r, const struct pollfd *fds, unsigned n, int64_t now)
{
	int64_t next = INT64_MAX;

	for (unsigned i = 0; i < n; i++) {
		struct relay_slot *s = &r->slots[i];

		if (s->fd < 0)
			continue;
		if (fds[i].revents != 0)
			receive(r, s, now);
		else if (now >= s->until)
			ask_next(r, s, now);
	}
	for (unsigned i = 0; i < r->used; i++)
		if (r->slots[i].fd >= 0 && r->slots[i].until < next)
			next = r->slots[i].until;
	return next;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: what a resolver knows
 *
 * Messages one behind the other.  A look-up reads all of them: some microseconds for hundreds of instances, which is
 * less than what receiving the question takes.
 */
#include "engine/names/table.h"

#include <errno.h>

#define ROUNDS 2 /* of asking all servers */

bool names_same(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return false;
	return true;
}

static const struct names_server *servers_of(const struct names_message *m)
{
	return (const struct names_server *) (m + 1);
}

const char *names_text(const struct names_message *e)
{
	return (const char *) (servers_of(e) + e->nr_servers);
}

static size_t size_of(const struct names_message *m)
{
	return sizeof(*m) + m->nr_servers * sizeof(struct names_server) + m->text;
}

static size_t space_of(const struct names_message *m)
{
	return (size_of(m) + 7) & ~(size_t) 7;
}

const struct names_message *names_table_next(const struct names_table *t, const struct names_message *e)
{
	const uint8_t *p = e != NULL ? (const uint8_t *) e + space_of(e) : t->space;

	return p < t->space + t->used ? (const struct names_message *) p : NULL;
}

const struct names_message *names_table_find(const struct names_table *t, const uint8_t v4[4])
{
	const struct names_message *e = NULL;

	while ((e = names_table_next(t, e)) != NULL && !names_same(e->v4, v4, sizeof(e->v4)))
		;
	return e;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c + 'a' - 'A') : c;
}

bool names_has(const struct names_message *e, const char *name, size_t n)
{
	const char *p = names_text(e), *end = p + e->text;

	while (p < end) {
		const char *word = p;
		size_t i = 0;

		while (p < end && *p != ' ')
			p++;
		while (i < n && word + i < p && lower(word[i]) == name[i])
			i++;
		if (i == n && word + i == p)
			return n > 0;
		p++;
	}
	return false;
}

static void drop(struct names_table *t, const char *id)
{
	const struct names_message *e = NULL;
	uint8_t *to, *from, *end = t->space + t->used;

	while ((e = names_table_next(t, e)) != NULL && !names_same(e->id, id, NAMES_ID))
		;
	if (e == NULL)
		return;
	to = t->space + ((const uint8_t *) e - t->space);
	from = to + space_of(e);
	t->used -= (size_t) (from - to);
	while (from < end)
		*to++ = *from++;
}

int names_table_take(struct names_table *t, const uint8_t *message, size_t n)
{
	struct names_message m;

	if (n < sizeof(m))
		return -EBADMSG;
	__builtin_memcpy(&m, message, sizeof(m));
	if (m.nr_servers > NAMES_SERVERS_MAX || m.text > NAMES_TEXT_MAX || n != size_of(&m))
		return -EBADMSG;
	if (m.bits4 > 32 || m.bits6 > 128)
		return -EBADMSG;
	switch (m.type) {
	case NAMES_NETWORK:
		t->network.head = m;
		__builtin_memcpy(t->network.name, message + n - m.text, m.text);
		t->network.name[m.text] = '\0';
		break;
	case NAMES_HOST:
		__builtin_memcpy(&t->host, message, n - m.text);
		break;
	case NAMES_SET:
		drop(t, m.id);
		if (space_of(&m) > sizeof(t->space) - t->used)
			return -ENOSPC;
		__builtin_memcpy(t->space + t->used, message, n);
		t->used += space_of(&m);
		break;
	case NAMES_DROP:
		drop(t, m.id);
		break;
	case NAMES_SERVE:
		break;
	default:
		return -EBADMSG;
	}
	return m.type;
}

const struct names_server *names_server(const struct names_table *t, const struct names_message *e, unsigned n)
{
	const struct names_server *own = servers_of(e);
	unsigned peers = 0, servers;

	while (peers < e->nr_servers && own[peers].peer)
		peers++;
	if (n < peers)
		return &own[n];
	if (!e->outside)
		return NULL;
	own += peers;
	servers = e->nr_servers - peers;
	if (servers == 0) {
		own = t->host.servers;
		servers = t->host.head.nr_servers;
	}
	n -= peers;
	return n < ROUNDS * servers ? &own[n % servers] : NULL;
}

bool names_in_network(const struct names_table *t, const uint8_t *address, size_t size)
{
	const struct names_message *n = &t->network.head;
	const uint8_t *base = size == 4 ? n->v4 : n->v6;
	unsigned bits = size == 4 ? n->bits4 : n->bits6;

	if (bits == 0) /* there are no such addresses */
		return false;
	if (!names_same(address, base, bits / 8))
		return false;
	return bits % 8 == 0 || (address[bits / 8] ^ base[bits / 8]) >> (8 - bits % 8) == 0;
}

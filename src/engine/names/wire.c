/* SPDX-License-Identifier: MIT */
/**
 * DOC: questions and answers on the wire
 *
 * Every byte may come from a hostile instance or server.  A name in a question is never a pointer, so what is read
 * only goes forward; nothing behind the question is read but an OPT record that follows it at once.
 */
#include "engine/names/wire.h"

#define QR 0x8000
#define OPCODE 0x7800
#define AA 0x0400
#define TC 0x0200
#define RA 0x0080
#define LABEL_MAX 63
#define ROOM_MIN 512 /* bytes by UDP, without EDNS */
#define OPT_SIZE 11

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t) (p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t) (v >> 8);
	p[1] = (uint8_t) v;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t) (c + 'a' - 'A') : c;
}

/* Return: where it ends; 0 malformed. */
static size_t read_name(const uint8_t *p, size_t n, size_t at, char *ret)
{
	bool plain = true;
	size_t first = at, used = 0;

	while (at < n && p[at] != 0) {
		size_t len = p[at];

		if (len > LABEL_MAX || at + 1 + len >= n || at + 1 + len - first >= DNS_NAME_MAX)
			return 0;
		if (used > 0)
			ret[used++] = '.';
		for (size_t i = 1; i <= len; i++) {
			uint8_t c = lower(p[at + i]);

			plain = plain && c > ' ' && c < 127 && c != '.';
			ret[used++] = (char) c;
		}
		at += 1 + len;
	}
	ret[plain ? used : 0] = '\0';
	return at < n ? at + 1 : 0;
}

int dns_query_read(const uint8_t *p, size_t n, struct dns_query *ret)
{
	size_t at;

	if (n < DNS_HEADER)
		return -1;
	ret->id = get16(p);
	ret->flags = get16(p + 2);
	ret->type = ret->class = 0;
	ret->room = ROOM_MIN;
	ret->end = DNS_HEADER;
	ret->edns = false;
	ret->name[0] = '\0';
	if (ret->flags & QR) /* answers to it would go back and forth */
		return -1;
	if (ret->flags & OPCODE)
		return DNS_NOTIMP;
	if (get16(p + 4) != 1 || get16(p + 6) != 0 || get16(p + 8) != 0 || n > DNS_QUERY_MAX)
		return DNS_FORMERR;
	at = read_name(p, n, DNS_HEADER, ret->name);
	if (at == 0 || n - at < 4) {
		ret->name[0] = '\0';
		return DNS_FORMERR;
	}
	ret->type = get16(p + at);
	ret->class = get16(p + at + 2);
	at += 4;
	ret->end = at;
	if (get16(p + 10) == 0 || n - at < OPT_SIZE || p[at] != 0 || get16(p + at + 1) != DNS_OPT)
		return DNS_OK;
	ret->edns = true;
	ret->room = get16(p + at + 3);
	ret->room = ret->room < ROOM_MIN ? ROOM_MIN : ret->room > DNS_UDP_MAX ? DNS_UDP_MAX : ret->room;
	return DNS_OK;
}

void dns_reply_begin(struct dns_reply *r, uint8_t *p, size_t room, const uint8_t *query, const struct dns_query *q, unsigned rcode)
{
	*r = (struct dns_reply) { .p = p, .room = room, .n = q->end, .edns = q->edns };
	__builtin_memcpy(p, query, q->end);
	put16(p, q->id);
	put16(p + 2, QR | AA | RA | (q->flags & (OPCODE | DNS_RD)) | rcode);
	put16(p + 4, q->end > DNS_HEADER);
	put16(p + 6, 0);
	put16(p + 8, 0);
	put16(p + 10, 0);
	if (r->edns)
		r->room -= OPT_SIZE;
}

void dns_reply_add(struct dns_reply *r, unsigned type, const uint8_t *data, size_t n)
{
	uint8_t *p = r->p + r->n;

	if (r->n + 12 + n > r->room) {
		r->cut = true;
		return;
	}
	put16(p, 0xc000 | DNS_HEADER); /* the name of the question */
	put16(p + 2, type);
	put16(p + 4, DNS_IN);
	put16(p + 6, 0); /* nobody keeps it: instances come and go */
	put16(p + 8, 0);
	put16(p + 10, (unsigned) n);
	__builtin_memcpy(p + 12, data, n);
	r->n += 12 + n;
	put16(r->p + 6, ++r->answers);
}

size_t dns_reply_end(struct dns_reply *r)
{
	uint8_t *p = r->p + r->n;

	if (r->cut)
		put16(r->p + 2, get16(r->p + 2) | TC);
	if (!r->edns)
		return r->n;
	__builtin_memset(p, 0, OPT_SIZE);
	put16(p + 1, DNS_OPT);
	put16(p + 3, DNS_UDP_MAX);
	put16(r->p + 10, 1);
	return r->n + OPT_SIZE;
}

size_t dns_name_write(uint8_t to[DNS_NAME_MAX], const char *name)
{
	size_t n = 1, label = 0; /* where the length of the last label is */

	for (; *name != '\0'; name++) {
		if (n + 1 >= DNS_NAME_MAX)
			return 0;
		if (*name != '.') {
			to[n++] = (uint8_t) *name;
			continue;
		}
		if (n - label - 1 == 0 || n - label - 1 > LABEL_MAX)
			return 0;
		to[label] = (uint8_t) (n - label - 1);
		label = n++;
	}
	if (n - label - 1 == 0 || n - label - 1 > LABEL_MAX)
		return 0;
	to[label] = (uint8_t) (n - label - 1);
	to[n++] = 0;
	return n;
}

bool dns_reply_fits(const uint8_t *query, const struct dns_query *q, uint16_t id, const uint8_t *reply, size_t n)
{
	if (n < q->end || get16(reply) != id || (get16(reply + 2) & (QR | OPCODE)) != QR || get16(reply + 4) != 1)
		return false;
	for (size_t i = DNS_HEADER; i < q->end; i++) {
		bool in_name = i < q->end - 4;

		if (in_name ? lower(query[i]) != lower(reply[i]) : query[i] != reply[i])
			return false;
	}
	return true;
}

unsigned dns_rcode(const uint8_t *reply)
{
	return reply[3] & 15u;
}

void dns_id_set(uint8_t *p, uint16_t id)
{
	put16(p, id);
}

void dns_recursion_set(uint8_t *query, bool wanted)
{
	put16(query + 2, (get16(query + 2) & ~(unsigned) DNS_RD) | (wanted ? DNS_RD : 0));
}

void dns_relayed(uint8_t *reply, const struct dns_query *q)
{
	dns_id_set(reply, q->id);
	put16(reply + 2, get16(reply + 2) | RA | (q->flags & DNS_RD));
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: names and addresses of a network
 *
 * A name is that of an instance, with or without a dot and the network's name behind it, as Docker has it.  A name that
 * is known has no records but addresses: who asks for others is told that there are none, and nobody else is asked.  Nor
 * does a question for an address of the network go elsewhere.
 */
#include "engine/names/answer.h"

#include <errno.h>

#define ARPA4 ".in-addr.arpa"
#define ARPA6 ".ip6.arpa"

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0')
		n++;
	return n;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c + 'a' - 'A') : c;
}

/* Bytes of @name before @end; 0 it does not end so. */
static size_t before(const char *name, const char *end)
{
	size_t n = length(name), k = length(end);

	if (n <= k)
		return 0;
	for (size_t i = 0; i < k; i++)
		if (name[n - k + i] != lower(end[i]))
			return 0;
	return n - k;
}

static bool is_called(const struct names_message *e, const struct dns_query *q, size_t len, size_t own)
{
	return names_has(e, q->name, len) || (own > 0 && names_has(e, q->name, own));
}

static void add_addresses(struct dns_reply *r, const struct names_message *e, unsigned type)
{
	static const uint8_t none[16];

	if ((type == DNS_A || type == DNS_ANY) && !names_same(e->v4, none, sizeof(e->v4)))
		dns_reply_add(r, DNS_A, e->v4, sizeof(e->v4));
	if ((type == DNS_AAAA || type == DNS_ANY) && !names_same(e->v6, none, sizeof(e->v6)))
		dns_reply_add(r, DNS_AAAA, e->v6, sizeof(e->v6));
}

/* All that have it, beginning with another one every time.  Return: how many have it. */
static unsigned add_named(struct dns_reply *r, const struct names_table *t, const struct dns_query *q)
{
	size_t len = length(q->name), own = before(q->name, t->network.name);
	const struct names_message *e = NULL;
	unsigned count = 0, i = 0, first;

	own = own > 1 && q->name[own - 1] == '.' ? own - 1 : 0;
	while ((e = names_table_next(t, e)) != NULL)
		count += is_called(e, q, len, own);
	first = count > 0 ? q->id % count : 0;
	for (int round = 0; count > 0 && round < 2; round++, i = 0)
		while ((e = names_table_next(t, e)) != NULL)
			if (is_called(e, q, len, own) && (i++ >= first) == (round == 0))
				add_addresses(r, e, q->type);
	return count;
}

/* "4.3.2.1": bytes of the address are its numbers backwards.  Return: 4; 0 it is none. */
static size_t read_arpa4(const char *name, size_t n, uint8_t ret[16])
{
	size_t parts = 0, i = 0;

	while (parts < 4) {
		unsigned value = 0, digits = 0;

		for (; i < n && name[i] >= '0' && name[i] <= '9' && digits < 3; i++, digits++)
			value = value * 10 + (unsigned) (name[i] - '0');
		if (digits == 0 || value > 255)
			return 0;
		ret[3 - parts++] = (uint8_t) value;
		if (i == n || name[i] != '.')
			break;
		i++;
	}
	return parts == 4 && i == n ? 4 : 0;
}

/* 32 digits.  Return: 16; 0 it is none. */
static size_t read_arpa6(const char *name, size_t n, uint8_t ret[16])
{
	if (n != 63)
		return 0;
	for (size_t i = 0; i < 32; i++) {
		char c = name[62 - 2 * i];
		unsigned digit = c >= '0' && c <= '9' ? (unsigned) (c - '0') : c >= 'a' && c <= 'f' ? (unsigned) (c - 'a') + 10 : 16;

		if (digit > 15 || (i < 31 && name[61 - 2 * i] != '.'))
			return 0;
		ret[i / 2] = (uint8_t) (i % 2 == 0 ? digit << 4 : ret[i / 2] | digit);
	}
	return 16;
}

static void add_pointer(struct dns_reply *r, const struct names_table *t, const struct names_message *e)
{
	char name[DNS_NAME_MAX + 1];
	uint8_t data[DNS_NAME_MAX];
	const char *text = names_text(e);
	size_t n = 0;

	while (n < e->text && text[n] != ' ' && n < DNS_NAME_MAX) {
		name[n] = text[n];
		n++;
	}
	for (size_t i = 0; n < DNS_NAME_MAX && i <= length(t->network.name); i++)
		name[n++] = i == 0 ? '.' : t->network.name[i - 1];
	name[n] = '\0';
	n = dns_name_write(data, name);
	if (n > 0)
		dns_reply_add(r, DNS_PTR, data, n);
}

/* Return: 1 it is an instance's; 0 nobody has this address of the network; -ENOENT it is no address of the network. */
static int add_pointers(struct dns_reply *r, const struct names_table *t, const struct dns_query *q)
{
	uint8_t address[16];
	size_t n = before(q->name, ARPA4), size = n > 0 ? read_arpa4(q->name, n, address) : 0;
	const struct names_message *e = NULL;
	int found = 0;

	n = before(q->name, ARPA6);
	if (n > 0)
		size = read_arpa6(q->name, n, address);
	if (size == 0 || !names_in_network(t, address, size))
		return -ENOENT;
	while ((e = names_table_next(t, e)) != NULL)
		if (names_same(address, size == 4 ? e->v4 : e->v6, size)) {
			found = 1;
			if (q->type == DNS_PTR || q->type == DNS_ANY)
				add_pointer(r, t, e);
		}
	return found;
}

size_t names_refuse(const uint8_t *query, const struct dns_query *q, unsigned rcode, uint8_t *ret)
{
	struct dns_reply r;

	dns_reply_begin(&r, ret, DNS_UDP_MAX, query, q, rcode);
	return dns_reply_end(&r);
}

enum names_result names_answer(const struct names_table *t, const uint8_t from[4], bool stream, const uint8_t *query, size_t n,
			       struct dns_query *q, uint8_t *ret, size_t *ret_n)
{
	const struct names_message *asker = names_table_find(t, from);
	bool self = names_same(from, t->network.head.v4, 4);
	int rcode, known = -ENOENT;
	struct dns_reply r;

	if (asker == NULL && !self) /* neither an instance of this network nor the host */
		return NAMES_IGNORE;
	rcode = dns_query_read(query, n, q);
	if (rcode < 0)
		return NAMES_IGNORE;
	if (rcode == DNS_OK && q->class == DNS_IN && q->name[0] != '\0') {
		dns_reply_begin(&r, ret, stream ? DNS_MESSAGE_MAX : q->room, query, q, DNS_OK);
		known = add_named(&r, t, q) > 0 ? 1 : add_pointers(&r, t, q);
	}
	if (known == 1) {
		*ret_n = dns_reply_end(&r);
		return NAMES_REPLY;
	}
	if (rcode == DNS_OK && known < 0 && (q->flags & DNS_RD)) {
		if (asker != NULL && names_server(t, asker, 0) != NULL)
			return NAMES_ASK;
		rcode = asker != NULL ? DNS_NXDOMAIN : DNS_REFUSED;
	} else if (rcode == DNS_OK) {
		rcode = DNS_NXDOMAIN;
	}
	*ret_n = names_refuse(query, q, (unsigned) rcode, ret);
	return NAMES_REPLY;
}

bool names_try_next(const struct names_table *t, const struct names_message *asker, unsigned asked, unsigned rcode)
{
	const struct names_server *last = asker != NULL ? names_server(t, asker, asked - 1) : NULL;

	if (last != NULL && last->peer)
		return rcode != DNS_OK;
	if (asker == NULL || rcode == DNS_OK || rcode == DNS_NXDOMAIN)
		return false;
	return names_server(t, asker, asked) != NULL;
}

unsigned names_give_up(const struct names_table *t, const struct names_message *asker, unsigned asked)
{
	const struct names_server *last = asker != NULL && asked > 0 ? names_server(t, asker, asked - 1) : NULL;

	return last != NULL && last->peer ? DNS_NXDOMAIN : DNS_SERVFAIL; /* peers come first: there was nobody else */
}

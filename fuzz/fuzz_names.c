/* SPDX-License-Identifier: MIT */
/**
 * DOC: packets to the resolver of a network
 *
 * The first byte says what the rest is: a question by UDP or TCP, an answer of a server to a question that stands
 * fixed, or a message of the engine.  Beyond what the sanitizers see: answers have the length that was promised and are
 * answers, nobody's question is answered twice, and what a message leaves behind can be walked through.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/names/answer.h"
#include "fuzz.h"

static void need(bool holds)
{
	if (!holds)
		abort();
}

static void take(struct names_table *t, struct names_message m, const char *text)
{
	uint8_t buf[NAMES_MESSAGE_MAX];

	m.text = (uint16_t) strlen(text);
	memcpy(buf, &m, sizeof(m));
	memcpy(buf + sizeof(m), text, strlen(text));
	need(names_table_take(t, buf, sizeof(m) + strlen(text)) == m.type);
}

static void fill(struct names_table *t)
{
	memset(t, 0, sizeof(*t) - sizeof(t->space));
	take(t, (struct names_message) { .type = NAMES_NETWORK, .bits4 = 24, .bits6 = 64, .v4 = { 10, 1, 0, 1 }, .v6 = { 0xfd } }, "mine");
	take(t, (struct names_message) { .type = NAMES_SET, .v4 = { 10, 1, 0, 2 }, .v6 = { 0xfd, [15] = 2 }, .id = "1" }, "web a b.c");
	take(t, (struct names_message) { .type = NAMES_SET, .v4 = { 10, 1, 0, 3 }, .id = "2" }, "db a");
}

static void try_question(const struct names_table *t, bool stream, const uint8_t *data, size_t size)
{
	static const uint8_t from[4] = { 10, 1, 0, 2 };
	size_t room = stream ? DNS_MESSAGE_MAX : DNS_UDP_MAX, n = 0;
	uint8_t *reply = malloc(room);
	struct dns_query q;

	need(reply != NULL);
	if (names_answer(t, from, stream, data, size, &q, reply, &n) == NAMES_REPLY) {
		need(n >= DNS_HEADER && n <= room && (reply[2] & 0x80) != 0 && memcmp(reply, data, 2) == 0);
		need(names_answer(t, from, stream, reply, n, &q, reply, &n) == NAMES_IGNORE);
	}
	free(reply);
}

static void try_answer(const uint8_t *data, size_t size)
{
	static const uint8_t question[] = { 0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'x', 3, 'o', 'r', 'g', 0, 0, 1, 0, 1 };
	struct dns_query q;
	uint8_t *copy;

	need(dns_query_read(question, sizeof(question), &q) == DNS_OK);
	if (!dns_reply_fits(question, &q, 7, data, size))
		return;
	copy = malloc(size);
	need(copy != NULL && size >= sizeof(question));
	memcpy(copy, data, size);
	dns_relayed(copy, &q);
	need(dns_reply_fits(question, &q, 7, copy, size) && dns_rcode(copy) <= 15);
	free(copy);
}

static void try_message(struct names_table *t, const uint8_t *data, size_t size)
{
	const struct names_message *e = NULL;

	(void) names_table_take(t, data, size); /* any answer will do */
	while ((e = names_table_next(t, e)) != NULL) {
		for (unsigned n = 0; names_server(t, e, n) != NULL; n++)
			need(n < 3 * NAMES_SERVERS_MAX);
		(void) names_has(e, "web", 3); /* either is fine */
	}
	try_question(t, true, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct names_table t;

	if (size == 0)
		return 0;
	fill(&t);
	if (data[0] % 4 < 2)
		try_question(&t, data[0] % 4 == 1, data + 1, size - 1);
	else if (data[0] % 4 == 2)
		try_answer(data + 1, size - 1);
	else
		try_message(&t, data + 1, size - 1);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "engine/names/answer.h"

#define NETWORK "mine"

static const uint8_t gateway[4] = { 10, 1, 0, 1 }, web[4] = { 10, 1, 0, 2 }, db[4] = { 10, 1, 0, 3 }, alone[4] = { 10, 1, 0, 4 },
		     stranger[4] = { 192, 0, 2, 1 };
static const uint8_t db6[16] = { 0xfd, 0, 0, 1, [15] = 3 };

/* With @n bytes of text and servers behind the head */
static int take(struct names_table *t, struct names_message m, const char *text, const struct names_server *servers, unsigned n)
{
	uint8_t buf[NAMES_MESSAGE_MAX];
	size_t size = sizeof(m);

	m.text = (uint16_t) strlen(text);
	m.nr_servers = (uint16_t) n;
	memcpy(buf, &m, sizeof(m));
	if (n > 0)
		memcpy(buf + size, servers, n * sizeof(*servers));
	size += n * sizeof(*servers);
	memcpy(buf + size, text, strlen(text));
	return names_table_take(t, buf, size + strlen(text));
}

static int set(struct names_table *t, const char *id, const uint8_t v4[4], const char *names, bool outside)
{
	struct names_message m = { .type = NAMES_SET, .outside = outside };

	memcpy(m.v4, v4, 4);
	memcpy(m.id, id, strlen(id));
	if (v4 == db)
		memcpy(m.v6, db6, sizeof(db6));
	return take(t, m, names, NULL, 0);
}

static int setup(void **state)
{
	const struct names_server host = { .family = 4, .bytes = { 192, 0, 2, 53 } };
	struct names_message m = { .type = NAMES_NETWORK, .bits4 = 24, .bits6 = 64, .v4 = { 10, 1, 0, 1 }, .v6 = { 0xfd, 0, 0, 1, [15] = 1 } };
	struct names_table *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	assert_int_equal(take(t, m, NETWORK, NULL, 0), NAMES_NETWORK);
	m = (struct names_message) { .type = NAMES_HOST };
	assert_int_equal(take(t, m, "", &host, 1), NAMES_HOST);
	assert_int_equal(set(t, "1", web, "web 111 both", true), NAMES_SET);
	assert_int_equal(set(t, "2", db, "db 222 Data.Base both", true), NAMES_SET);
	assert_int_equal(set(t, "3", alone, "alone", false), NAMES_SET);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* A question, with @flags of the header; its length */
static size_t ask(uint8_t *p, const char *name, unsigned type, unsigned flags, bool edns)
{
	static const uint8_t opt[] = { 0, 0, DNS_OPT, 4, 0xd0, 0, 0, 0, 0, 0, 0 };
	size_t n = DNS_HEADER;

	memset(p, 0, DNS_HEADER);
	p[0] = 0xab;
	p[1] = 0xcd;
	p[2] = (uint8_t) (flags >> 8);
	p[3] = (uint8_t) flags;
	p[5] = 1;
	n += dns_name_write(p + n, name);
	p[n++] = 0;
	p[n++] = (uint8_t) type;
	p[n++] = 0;
	p[n++] = DNS_IN;
	if (edns) {
		p[11] = 1;
		memcpy(p + n, opt, sizeof(opt));
		n += sizeof(opt);
	}
	return n;
}

struct said {
	enum names_result result;
	unsigned rcode, answers, cut;
	size_t n, end;
	uint8_t p[DNS_UDP_MAX];
};

static struct said say(const struct names_table *t, const uint8_t from[4], const char *name, unsigned type)
{
	uint8_t query[DNS_QUERY_MAX];
	size_t n = ask(query, name, type, DNS_RD, false);
	struct dns_query q;
	struct said s = { 0 };

	s.result = names_answer(t, from, false, query, n, &q, s.p, &s.n);
	s.end = q.end;
	if (s.result != NAMES_REPLY)
		return s;
	assert_int_equal(s.p[0] << 8 | s.p[1], 0xabcd);
	assert_int_equal(s.p[2] & 0x80, 0x80);
	s.rcode = dns_rcode(s.p);
	s.cut = s.p[2] & 2;
	s.answers = (unsigned) (s.p[6] << 8 | s.p[7]);
	return s;
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		unsigned type, answers, rcode;
	} rows[] = {
		{ "web", DNS_A, 1, DNS_OK },	   { "WEB", DNS_A, 1, DNS_OK },	      { "web.mine", DNS_A, 1, DNS_OK },
		{ "111", DNS_A, 1, DNS_OK },	   { "web", DNS_AAAA, 0, DNS_OK },    { "db", DNS_AAAA, 1, DNS_OK },
		{ "db", DNS_ANY, 2, DNS_OK },	   { "db", 15, 0, DNS_OK },	      { "data.base", DNS_A, 1, DNS_OK },
		{ "both", DNS_A, 2, DNS_OK },	   { "both.mine", DNS_AAAA, 1, DNS_OK }, { "alone", DNS_A, 1, DNS_OK },
		{ "9.0.1.10.in-addr.arpa", DNS_PTR, 0, DNS_NXDOMAIN },
		{ "3.0.1.10.in-addr.arpa", DNS_PTR, 1, DNS_OK },
		{ "3.0.1.10.in-addr.arpa", DNS_A, 0, DNS_OK },
		{ "3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa", DNS_PTR, 1, DNS_OK },
		{ "4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa", DNS_PTR, 0, DNS_NXDOMAIN },
	};
	static const char *const others[] = { "example.com", "we", "webb", "web.other", "mine", "1.2.3.4.in-addr.arpa",
					      "256.0.1.10.in-addr.arpa", "3.0.1.10.in-addr.arpa.com", "0.1.10.in-addr.arpa" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct said s = say(*state, web, rows[i].name, rows[i].type);

		assert_int_equal(s.result, NAMES_REPLY);
		assert_int_equal(s.answers, rows[i].answers);
		assert_int_equal(s.rcode, rows[i].rcode);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_int_equal(say(*state, web, others[i], DNS_A).result, NAMES_ASK);
}

static void test_content(void **state)
{
	static const uint8_t pointer[] = { 2, 'd', 'b', 4, 'm', 'i', 'n', 'e', 0 };
	struct said s = say(*state, web, "db", DNS_A);
	const uint8_t *p = s.p + s.end;

	assert_int_equal(s.n, s.end + 16);
	assert_memory_equal(p, ((const uint8_t[]) { 0xc0, 12, 0, DNS_A, 0, DNS_IN, 0, 0, 0, 0, 0, 4, 10, 1, 0, 3 }), 16);
	s = say(*state, web, "3.0.1.10.in-addr.arpa", DNS_PTR);
	assert_memory_equal(s.p + s.end + 12, pointer, sizeof(pointer));
}

static void test_askers(void **state)
{
	uint8_t query[DNS_QUERY_MAX], reply[DNS_UDP_MAX];
	struct dns_query q;
	size_t n;

	assert_int_equal(say(*state, stranger, "web", DNS_A).result, NAMES_IGNORE);
	assert_int_equal(say(*state, alone, "web", DNS_A).answers, 1);
	assert_int_equal(say(*state, alone, "example.com", DNS_A).rcode, DNS_NXDOMAIN); /* nothing leads outside */
	assert_int_equal(say(*state, gateway, "web", DNS_A).answers, 1);
	assert_int_equal(say(*state, gateway, "example.com", DNS_A).rcode, DNS_REFUSED); /* the host has its own */
	n = ask(query, "example.com", DNS_A, 0, false); /* as peers ask */
	assert_int_equal(names_answer(*state, gateway, false, query, n, &q, reply, &n), NAMES_REPLY);
	assert_int_equal(dns_rcode(reply), DNS_NXDOMAIN);
}

static void test_changes(void **state)
{
	struct names_table *t = *state;
	struct names_message m = { .type = NAMES_DROP, .id = "2" };

	assert_int_equal(set(t, "1", web, "other", true), NAMES_SET); /* in place of what was known */
	assert_int_equal(say(t, web, "other", DNS_A).answers, 1);
	assert_int_equal(say(t, web, "web", DNS_A).result, NAMES_ASK);
	assert_int_equal(take(t, m, "", NULL, 0), NAMES_DROP);
	assert_int_equal(say(t, web, "db", DNS_A).result, NAMES_ASK);
	assert_int_equal(say(t, db, "web", DNS_A).result, NAMES_IGNORE);
	assert_int_equal(take(t, m, "", NULL, 0), NAMES_DROP); /* there is none */
	m.type = 99;
	assert_int_equal(take(t, m, "", NULL, 0), -EBADMSG);
	m = (struct names_message) { .type = NAMES_SET, .text = 7 };
	assert_int_equal(names_table_take(t, (const uint8_t *) &m, sizeof(m)), -EBADMSG);
	m = (struct names_message) { .type = NAMES_SET, .nr_servers = NAMES_SERVERS_MAX + 1 };
	assert_int_equal(names_table_take(t, (const uint8_t *) &m, sizeof(m)), -EBADMSG);
	m = (struct names_message) { .type = NAMES_NETWORK, .bits4 = 33 };
	assert_int_equal(names_table_take(t, (const uint8_t *) &m, sizeof(m)), -EBADMSG);
}

static void test_full(void **state)
{
	struct names_table *t = *state;
	char id[16], names[NAMES_TEXT_MAX + 1];
	int r = NAMES_SET;

	memset(names, 'n', sizeof(names) - 1);
	names[sizeof(names) - 1] = '\0';
	for (int i = 0; r == NAMES_SET; i++) {
		(void) snprintf(id, sizeof(id), "full%d", i);
		r = set(t, id, stranger, names, true);
	}
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(say(t, web, "db", DNS_A).answers, 1);
}

/* One name of more instances than an answer has room for */
static void test_cut(void **state)
{
	struct names_table *t = *state;
	uint8_t query[DNS_QUERY_MAX], *reply = malloc(DNS_MESSAGE_MAX);
	struct dns_query q;
	struct said s;
	char id[16];
	size_t n;

	assert_non_null(reply);
	for (int i = 0; i < 100; i++) {
		(void) snprintf(id, sizeof(id), "many%d", i);
		assert_int_equal(set(t, id, (const uint8_t[]) { 10, 1, 0, (uint8_t) (100 + i) }, "many", true), NAMES_SET);
	}
	s = say(t, web, "many", DNS_A);
	assert_true(s.cut && s.answers == (512 - s.end) / 16 && s.n <= 512);
	n = ask(query, "many", DNS_A, DNS_RD, true);
	assert_int_equal(names_answer(t, web, false, query, n, &q, reply, &n), NAMES_REPLY);
	assert_true((reply[2] & 2) && n <= DNS_UDP_MAX && n > 1200);
	assert_int_equal(reply[11], 1); /* who sends OPT gets one */
	n = ask(query, "many", DNS_A, DNS_RD, false);
	assert_int_equal(names_answer(t, web, true, query, n, &q, reply, &n), NAMES_REPLY);
	assert_int_equal(reply[7], 100);
	assert_false(reply[2] & 2);
	free(reply);
}

static void test_servers(void **state)
{
	const struct names_server own[] = { { .family = 4, .peer = 1, .bytes = { 1 } }, { .family = 4, .bytes = { 2 } }, { .family = 6, .bytes = { 3 } } };
	struct names_message m = { .type = NAMES_SET, .outside = 1, .v4 = { 10, 1, 0, 2 }, .id = "1" };
	struct names_table *t = *state;
	const struct names_message *e;

	e = names_table_find(t, db);
	assert_int_equal(names_server(t, e, 0)->bytes[0], 192);
	assert_int_equal(names_server(t, e, 1)->bytes[0], 192);
	assert_null(names_server(t, e, 2));
	assert_false(names_try_next(t, e, 1, DNS_NXDOMAIN));
	assert_true(names_try_next(t, e, 1, DNS_SERVFAIL));
	assert_false(names_try_next(t, e, 2, DNS_SERVFAIL));
	assert_int_equal(names_give_up(t, e, 2), DNS_SERVFAIL);
	assert_int_equal(take(t, m, "web", own, 3), NAMES_SET);
	e = names_table_find(t, web);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(names_server(t, e, i)->bytes[0], ((const uint8_t[]) { 1, 2, 3, 2, 3 })[i]);
	assert_null(names_server(t, e, 5));
	assert_true(names_try_next(t, e, 1, DNS_NXDOMAIN)); /* a peer */
	assert_false(names_try_next(t, e, 1, DNS_OK));
	m.outside = 0;
	assert_int_equal(take(t, m, "web", own, 3), NAMES_SET);
	e = names_table_find(t, web);
	assert_int_equal(names_server(t, e, 0)->peer, 1);
	assert_null(names_server(t, e, 1));
	assert_int_equal(names_give_up(t, e, 1), DNS_NXDOMAIN);
}

static void test_hostile(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		int result;
	} rows[] = {
		{ "", 0, -1 },
		{ "\0\1\0\0\0\1\0\0\0\0\0", 11, -1 },
		{ "\0\1\x80\0\0\1\0\0\0\0\0\0", 12, -1 }, /* an answer */
		{ "\0\1\x10\0\0\1\0\0\0\0\0\0", 12, DNS_NOTIMP },
		{ "\0\1\0\0\0\1\0\0\0\0\0\0", 12, DNS_FORMERR },
		{ "\0\1\0\0\0\2\0\0\0\0\0\0\0\0\1\0\1", 17, DNS_FORMERR }, /* two questions */
		{ "\0\1\0\0\0\1\0\0\0\0\0\0\300\14\0\1\0\1", 18, DNS_FORMERR }, /* a pointer */
		{ "\0\1\0\0\0\1\0\0\0\0\0\0\77a\0\1\0\1", 18, DNS_FORMERR }, /* a label behind the end */
		{ "\0\1\0\0\0\1\0\0\0\0\0\0\1a\0\0\1\0", 18, DNS_FORMERR }, /* half a class */
		{ "\0\1\0\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1", 19, DNS_OK },
	};
	uint8_t reply[DNS_UDP_MAX], query[DNS_QUERY_MAX], *exact;
	struct dns_query q;
	size_t n;

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		exact = malloc(rows[i].n + 1);
		assert_non_null(exact);
		memcpy(exact, rows[i].bytes, rows[i].n);
		assert_int_equal(dns_query_read(exact, rows[i].n, &q), rows[i].result);
		if (rows[i].result > 0)
			assert_true(names_refuse(exact, &q, (unsigned) rows[i].result, reply) >= DNS_HEADER);
		free(exact);
	}
	n = ask(query, "a.b", DNS_A, DNS_RD, false);
	query[DNS_HEADER + 1] = '.'; /* a dot within a label is no end of it */
	assert_int_equal(dns_query_read(query, n, &q), DNS_OK);
	assert_string_equal(q.name, "");
}

static void test_fits(void **state)
{
	uint8_t query[DNS_QUERY_MAX], reply[DNS_QUERY_MAX];
	size_t n = ask(query, "Example.com", DNS_A, DNS_RD, false);
	struct dns_query q;

	(void) state;
	assert_int_equal(dns_query_read(query, n, &q), DNS_OK);
	memcpy(reply, query, n);
	reply[2] |= 0x80;
	reply[DNS_HEADER + 1] = 'e'; /* some servers change the case */
	assert_true(dns_reply_fits(query, &q, 0xabcd, reply, n));
	assert_false(dns_reply_fits(query, &q, 0xabce, reply, n));
	assert_false(dns_reply_fits(query, &q, 0xabcd, reply, n - 1));
	reply[n - 3] = DNS_AAAA;
	assert_false(dns_reply_fits(query, &q, 0xabcd, reply, n));
	memcpy(reply, query, n);
	assert_false(dns_reply_fits(query, &q, 0xabcd, reply, n)); /* the question itself */
}

static void test_write(void **state)
{
	uint8_t p[DNS_NAME_MAX];
	char label[65];

	(void) state;
	memset(label, 'a', 64);
	label[64] = '\0';
	assert_int_equal(dns_name_write(p, "a.bc"), 6);
	assert_memory_equal(p, "\1a\2bc", 6);
	assert_int_equal(dns_name_write(p, label), 0);
	assert_int_equal(dns_name_write(p, label + 1), 65);
	assert_int_equal(dns_name_write(p, ""), 0);
	assert_int_equal(dns_name_write(p, "a..b"), 0);
	assert_int_equal(dns_name_write(p, "a."), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_content, setup, teardown),
		cmocka_unit_test_setup_teardown(test_askers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_servers, setup, teardown),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

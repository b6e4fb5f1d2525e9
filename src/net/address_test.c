/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "net/address.h"

static struct net_prefix prefix(const char *text)
{
	struct net_prefix p;

	assert_int_equal(net_prefix_parse(text, &p), 0);
	return p;
}

static struct net_address address(const char *text)
{
	struct net_address a;

	assert_int_equal(net_address_parse(text, &a), 0);
	return a;
}

static void test_text(void **state)
{
	static const char *const good[] = { "10.1.2.3/8", "0.0.0.0/0", "fd00::1/64", "::/0", "1.2.3.4/32", "::1/128" };
	static const char *const bad[] = { "",	     "10.0.0.0",   "10.0.0.0/",	 "10.0.0.0/33", "10.0.0/8",
					   "fd00::/129", "x/8",	   "10.0.0.0/-1", "10.0.0.0/8 ", "/8" };
	char text[NET_TEXT_MAX];
	struct net_prefix p;

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		p = prefix(good[i]);
		net_prefix_text(&p, text);
		assert_string_equal(text, good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(net_prefix_parse(bad[i], &p), -EINVAL);
	net_prefix_text(&(struct net_prefix) { 0 }, text);
	assert_string_equal(text, "");
}

static void test_range(void **state)
{
	static const struct {
		const char *prefix, *first, *last, *in, *out;
	} rows[] = {
		{ "172.17.5.6/16", "172.17.0.0", "172.17.255.255", "172.17.9.9", "172.18.0.0" },
		{ "192.168.7.9/20", "192.168.0.0", "192.168.15.255", "192.168.15.1", "192.168.16.0" },
		{ "10.0.0.1/32", "10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2" },
		{ "fd00:1::7/33", "fd00:1::", "fd00:1:7fff:ffff:ffff:ffff:ffff:ffff", "fd00:1::9", "fd00:1:8000::" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct net_prefix p = prefix(rows[i].prefix);
		struct net_address first = net_prefix_first(&p), last = net_prefix_last(&p);
		struct net_address want_first = address(rows[i].first), want_last = address(rows[i].last);
		struct net_address in = address(rows[i].in), out = address(rows[i].out);

		assert_true(net_address_same(&first, &want_first));
		assert_true(net_address_same(&last, &want_last));
		assert_true(net_prefix_has(&p, &in));
		assert_false(net_prefix_has(&p, &out));
	}
}

static void test_overlap(void **state)
{
	static const struct {
		const char *a, *b;
		bool yes;
	} rows[] = {
		{ "10.0.0.0/8", "10.5.0.0/16", true },	   { "10.5.0.0/16", "10.0.0.0/8", true },
		{ "10.0.0.0/16", "10.1.0.0/16", false },   { "0.0.0.0/0", "1.2.3.4/32", true },
		{ "10.0.0.0/8", "fd00::/8", false },	   { "fd00::/8", "fd01::/16", true },
		{ "192.168.0.0/20", "192.168.16.0/20", false },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct net_prefix a = prefix(rows[i].a), b = prefix(rows[i].b);

		assert_int_equal(net_prefix_overlap(&a, &b), rows[i].yes);
	}
}

static void test_sums(void **state)
{
	struct net_address a = address("10.0.255.254"), b = net_address_plus(&a, 3), want = address("10.1.0.1");
	struct net_address c = address("fd00::ffff:ffff"), d = net_address_plus(&c, 1), far = address("fe00::");

	(void) state;
	assert_true(net_address_same(&b, &want));
	assert_int_equal(net_address_minus(&b, &a), 3);
	want = address("fd00::1:0:0");
	assert_true(net_address_same(&d, &want));
	assert_int_equal(net_address_minus(&d, &c), 1);
	assert_true(net_address_minus(&far, &c) == UINT64_MAX);
	want = address("0.0.0.0");
	assert_true(net_address_is_any(&want));
	assert_false(net_address_is_any(&a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

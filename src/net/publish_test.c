/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/publish.h"

static void test_good(void **state)
{
	static const struct {
		const char *text, *host;
		int n, protocol;
		unsigned inside, first, last; /* of the last one */
	} rows[] = {
		{ "80", "", 1, IPPROTO_TCP, 80, 0, 0 },
		{ "8080:80", "", 1, IPPROTO_TCP, 80, 8080, 8080 },
		{ ":80", "", 1, IPPROTO_TCP, 80, 0, 0 },
		{ "0:80", "", 1, IPPROTO_TCP, 80, 0, 0 },
		{ "53:53/udp", "", 1, IPPROTO_UDP, 53, 53, 53 },
		{ "1-3:4-6/sctp", "", 3, IPPROTO_SCTP, 6, 3, 3 },
		{ "8000-8010:80", "", 1, IPPROTO_TCP, 80, 8000, 8010 },
		{ "80-82", "", 3, IPPROTO_TCP, 82, 0, 0 },
		{ "127.0.0.1:8080:80", "127.0.0.1", 1, IPPROTO_TCP, 80, 8080, 8080 },
		{ "127.0.0.1::80", "127.0.0.1", 1, IPPROTO_TCP, 80, 0, 0 },
		{ "[::1]:1:2", "::1", 1, IPPROTO_TCP, 2, 1, 1 },
		{ "::1:1:2", "::1", 1, IPPROTO_TCP, 2, 1, 1 },
		{ "0.0.0.0:65535:65535", "0.0.0.0", 1, IPPROTO_TCP, 65535, 65535, 65535 },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct net_publish *v = NULL;
		struct err err = { 0 };
		char host[NET_TEXT_MAX];
		int n = net_publish_parse(rows[i].text, &v, &err);

		assert_int_equal(n, rows[i].n);
		net_address_text(&v[n - 1].host, host);
		assert_string_equal(host, rows[i].host);
		assert_int_equal(v[n - 1].protocol, rows[i].protocol);
		assert_int_equal(v[n - 1].inside, rows[i].inside);
		assert_int_equal(v[n - 1].first, rows[i].first);
		assert_int_equal(v[n - 1].last, rows[i].last);
		free(v);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "invalid containerPort" },
		{ "0", "invalid containerPort" },
		{ "65536", "invalid containerPort" },
		{ "80/icmp", "invalid containerPort: 80/icmp" },
		{ "9-8", "invalid containerPort" },
		{ "x:80", "invalid hostPort: x" },
		{ "70000:80", "invalid hostPort: 70000" },
		{ "1-2:1-3", "invalid ranges" },
		{ "1.2.3:80:80", "invalid IP address: 1.2.3" },
		{ "[::g]:80:80", "invalid IP address: [::g]" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct net_publish *v = NULL;
		struct err err = { 0 };

		assert_int_equal(net_publish_parse(rows[i].text, &v, &err), -EINVAL);
		assert_non_null(strstr(err.text, rows[i].says));
	}
}

/* A port that this process holds */
static void test_holder(void **state)
{
	const struct net_address any = { .family = AF_INET };
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t size = sizeof(a);
	char holder[NET_HOLDER_MAX], want[32];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint16_t port;

	(void) state;
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *) &a, size), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *) &a, &size), 0);
	port = ntohs(a.sin_port);
	assert_int_equal(net_port_try(IPPROTO_TCP, &any, port), -EADDRINUSE);
	net_port_holder(IPPROTO_TCP, port, holder);
	(void) snprintf(want, sizeof(want), "process %d", (int) getpid());
	assert_non_null(strstr(holder, want));
	assert_int_equal(close(fd), 0);
	assert_int_equal(net_port_try(IPPROTO_TCP, &any, port), port);
	assert_true(net_port_try(IPPROTO_UDP, &any, 0) > 0);
	net_port_holder(IPPROTO_TCP, port, holder);
	assert_string_equal(holder, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_holder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

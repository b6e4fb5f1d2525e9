/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "registry/challenge.h"
#include "registry/http.h"

static void challenges(void **state)
{
	static const struct {
		const char *text;
		enum reg_scheme scheme;
		const char *realm, *service, *scope;
	} cases[] = {
		{ "Bearer realm=\"https://a/token\",service=\"reg\",scope=\"repository:a:pull,push\"",
		  REG_SCHEME_BEARER, "https://a/token", "reg", "repository:a:pull,push" },
		{ "Basic realm=\"Registry\"", REG_SCHEME_BASIC, "Registry", "", "" },
		{ "Basic realm=x, Bearer realm=\"https://a\"", REG_SCHEME_BEARER, "https://a", "", "" },
		{ "Bearer realm=\"https://a\", Basic realm=x", REG_SCHEME_BEARER, "https://a", "", "" },
		{ "bearer REALM = \"a\\\"b\" , x=y", REG_SCHEME_BEARER, "a\"b", "", "" },
		{ "Negotiate, Basic realm=\"r\"", REG_SCHEME_BASIC, "r", "", "" },
		{ "Digest realm=\"r\", nonce=\"1,2\"", REG_SCHEME_NONE, "", "", "" },
		{ "", REG_SCHEME_NONE, "", "", "" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct reg_challenge c;

		assert_int_equal(reg_challenge_parse(cases[i].text, &c, NULL), 0);
		assert_int_equal(c.scheme, cases[i].scheme);
		assert_string_equal(c.realm, cases[i].realm);
		assert_string_equal(c.service, cases[i].service);
		assert_string_equal(c.scope, cases[i].scope);
	}
}

static void bad_challenges(void **state)
{
	static const char *const cases[] = { "Bearer realm=\"no end", "Bearer service=x", "Basic realm=\"a\\",
					     "Bearer realm=\"https://a\" \"" };
	char large[2048];

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct reg_challenge c;
		struct err err = { 0 };

		assert_true(reg_challenge_parse(cases[i], &c, &err) < 0);
		assert_true(strncmp(err.text, "header WWW-Authenticate", 23) == 0);
	}
	memset(large, 'a', sizeof(large));
	memcpy(large, "Basic realm=", 12);
	large[sizeof(large) - 1] = '\0';
	struct reg_challenge c;
	assert_true(reg_challenge_parse(large, &c, NULL) < 0);
}

static void give(struct http_answer *a, const char *line)
{
	http_header(a, line, strlen(line));
}

static void headers(void **state)
{
	struct http_answer a = { 0 };
	char large[8192];

	(void) state;
	give(&a, "HTTP/1.1 307 Temporary Redirect\r\n");
	give(&a, "Location: https://elsewhere/x\r\n");
	give(&a, "WWW-Authenticate: Basic realm=\"old\"\r\n");
	give(&a, "HTTP/2 206\r\n");
	assert_string_equal(a.location, "");
	assert_int_equal(a.challenge.len, 0);
	give(&a, "content-range:  bytes 100-199/200\r\n");
	give(&a, "Content-Type: application/json; charset=utf-8\r\n");
	give(&a, "www-authenticate: Basic realm=a\r\n");
	give(&a, "www-authenticate: Bearer realm=b\r\n");
	give(&a, "retry-after: 7\r\n");
	give(&a, "\r\n");
	assert_int_equal(a.from, 100);
	assert_int_equal(a.retry_after, 7);
	assert_string_equal(a.type, "application/json; charset=utf-8");
	assert_string_equal(a.challenge.p, "Basic realm=a, Bearer realm=b");
	give(&a, "retry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\n");
	assert_int_equal(a.retry_after, 0);
	give(&a, "retry-after: 999999999\r\n");
	assert_int_equal(a.retry_after, 0);
	memset(large, 'x', sizeof(large));
	memcpy(large, "Location: ", 10);
	http_header(&a, large, sizeof(large));
	assert_string_equal(a.location, "");
	http_answer_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenges),
		cmocka_unit_test(bad_challenges),
		cmocka_unit_test(headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

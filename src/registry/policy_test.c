/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "registry/policy.h"
#include "registry/signature.h"

#define ACCEPT "[{\"type\":\"insecureAcceptAnything\"}]"
#define REJECT "[{\"type\":\"reject\"}]"

static void scopes(void **state)
{
	static const char text[] =
		"{\"default\": " REJECT ", \"transports\": {\"docker-daemon\": {\"\": " ACCEPT "}, \"docker\": {"
		"\"a.example\": " ACCEPT ", \"a.example/x\": " REJECT ", \"a.example/x/y:1\": " ACCEPT ","
		"\"*.example\": " ACCEPT ", \"*.b.example\": " REJECT ", \"docker.io/library/debian\": " ACCEPT "}}}";
	static const char *const cases[][3] = {
		{ "a.example/q", ":1", "a.example" },
		{ "a.example/x", ":1", "a.example/x" },
		{ "a.example/x/y", ":2", "a.example/x" },
		{ "a.example/x/y", ":1", "a.example/x/y:1" },
		{ "a.example/xx", ":1", "a.example" },
		{ "c.example/x", ":1", "*.example" },
		{ "c.b.example/x", ":1", "*.b.example" },
		{ "b.example/x", ":1", "*.example" },
		{ "example/x", ":1", "default" },
		{ "a.example.org/x", ":1", "default" },
		{ "docker.io/library/debian", ":12", "docker.io/library/debian" },
		{ "docker.io/library/debian", "@sha256:0", "docker.io/library/debian" },
		{ "docker.io/debian/debian", ":12", "default" },
	};
	_cleanup_(reg_policy_fini) struct reg_policy p = { 0 }, any = { 0 };
	struct err err = { 0 };

	(void) state;
	assert_int_equal(reg_policy_parse("p", text, strlen(text), &p, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(reg_policy_of(&p, cases[i][0], cases[i][1])->scope, cases[i][2]);
	static const char all[] = "{\"default\": " REJECT ", \"transports\": {\"docker\": {\"\": " ACCEPT "}}}";
	assert_int_equal(reg_policy_parse("p", all, strlen(all), &any, &err), 0);
	assert_string_equal(reg_policy_of(&any, "a/b", ":1")->scope, "");
}

static void rules(void **state)
{
	static const char *const bad[][2] = {
		{ "{}", "p: default: missing" },
		{ "{\"default\": []}", "p: default: expected a list of 1 to 64 requirements" },
		{ "{\"default\": {}}", "p: default: expected a list of 1 to 64 requirements" },
		{ "{\"default\": [{}]}", "p: default[0].type: missing" },
		{ "{\"default\": [{\"type\":\"sigstoreSigned\"}]}", "p: default[0]: it names no key" },
		{ "{\"default\": [{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\"}]}", "p: default[0]: it names no key" },
		{ "{\"default\": [{\"type\":\"signedBy\",\"keyPath\":\"a\"}]}", "p: default[0].keyType: missing" },
		{ "{\"default\": [{\"type\":\"sigstoreSigned\",\"keyPath\":\"a\",\"keyPaths\":[\"b\",\"c\"]}]}",
		  "p: default[0].keyPaths: there are other keys" },
		{ "{\"default\": [{\"type\":\"sigstoreSigned\",\"keyPath\":\"a\",\"keyPath\":\"b\"}]}",
		  "p: default[0].keyPath: given twice" },
		{ "{\"default\": " REJECT ", \"transports\": {\"docker\": {\"a\": " REJECT ", \"a\": " ACCEPT "}}}",
		  "p: transports.docker.a: given twice" },
		{ "{\"default\": [{\"type\":\"sigstoreSigned\",\"keyPath\":\"k\",\"signedIdentity\":{\"type\":\"x\"}}]}",
		  "p: default[0].signedIdentity.type: 'x' is no kind of identity" },
		{ "{\"default\": [{\"type\":\"sigstoreSigned\",\"keyPath\":\"k\",\"signedIdentity\":{\"type\":\"exactReference\"}}]}",
		  "p: default[0].signedIdentity.dockerReference: missing" },
	};
	static const char unknown[] =
		"{\"default\": [{\"type\":\"signedBy\",\"keyType\":\"X509Certificates\"},"
		"{\"type\":\"sigstoreSigned\",\"keyPath\":\"k\",\"rekorPublicKeyPath\":\"r\"},"
		"{\"type\":\"sigstoreSigned\",\"keyPaths\":[\"k\",\"l\"],\"keyData\":\"eA==\"}]}";
	_cleanup_(reg_policy_fini) struct reg_policy p = { 0 };

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct reg_policy none = { 0 };
		struct err err = { 0 };

		assert_true(reg_policy_parse("p", bad[i][0], strlen(bad[i][0]), &none, &err) < 0);
		assert_string_equal(err.text, bad[i][1]);
	}
	assert_int_equal(reg_policy_parse("p", unknown, strlen(unknown), &p, NULL), 0);
	assert_int_equal(p.fallback.n, 3);
	assert_string_equal(p.fallback.v[0].unsupported, "X509Certificates");
	assert_string_equal(p.fallback.v[1].unsupported, "rekorPublicKeyPath");
	assert_null(p.fallback.v[2].unsupported);
	assert_int_equal(p.fallback.v[2].paths.n, 2);
	assert_int_equal(p.fallback.v[2].texts.n, 1);
}

static void identities(void **state)
{
	static const struct {
		enum reg_identity identity;
		const char *name, *with, *of, *mark, *is;
		bool want;
	} cases[] = {
		{ REG_IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, "q.io/a", ":1", "q.io/a:1", true },
		{ REG_IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, "q.io/a", ":1", "q.io/a:2", false },
		{ REG_IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, "q.io/a", ":latest", "q.io/a", false },
		{ REG_IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, "q.io/a", "@sha256:0", "q.io/a:2", true },
		{ REG_IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL, "q.io/a", "@sha256:0", "q.io/b:2", false },
		{ REG_IDENTITY_EXACT, NULL, NULL, "q.io/a", "@sha256:0", "q.io/a:2", false },
		{ REG_IDENTITY_EXACT, NULL, NULL, "q.io/a", ":2", "q.io/a:2", true },
		{ REG_IDENTITY_REPOSITORY, NULL, NULL, "q.io/a", ":1", "q.io/a", true },
		{ REG_IDENTITY_REPOSITORY, NULL, NULL, "q.io/a", ":1", "q.io/ab", false },
		{ REG_IDENTITY_REPOSITORY, NULL, NULL, "q.io/a", ":1", "Q.io//", false },
		{ REG_IDENTITY_REPOSITORY, NULL, NULL, "docker.io/library/a", ":1", "a:3", true },
		{ REG_IDENTITY_REPOSITORY, NULL, NULL, "docker.io/library/a", ":1", "docker.io/library/a", true },
		{ REG_IDENTITY_REPOSITORY, NULL, NULL, "docker.io/b/a", ":1", "index.docker.io/b/a:1", true },
		{ REG_IDENTITY_REFERENCE, "v.io/a:1", NULL, "q.io/x", ":9", "v.io/a:1", true },
		{ REG_IDENTITY_REFERENCE, "v.io/a:1", NULL, "q.io/x", ":9", "v.io/a:2", false },
		{ REG_IDENTITY_REFERENCE, "v.io/a", NULL, "q.io/x", ":9", "v.io/a", false },
		{ REG_IDENTITY_EXACT_REPOSITORY, "v.io/a", NULL, "q.io/x", ":9", "v.io/a:2", true },
		{ REG_IDENTITY_EXACT_REPOSITORY, "v.io/a", NULL, "q.io/x", ":9", "q.io/x:9", false },
		{ REG_IDENTITY_REMAP, "m.io", "v.io/v", "m.io/a", ":1", "v.io/v/a:1", true },
		{ REG_IDENTITY_REMAP, "m.io", "v.io/v", "m.io/a", ":1", "m.io/a:1", false },
		{ REG_IDENTITY_REMAP, "m.io/a", "v.io/v", "m.io/ab", ":1", "m.io/ab:1", true },
		{ REG_IDENTITY_REMAP, "m.io", "v.io/v", "m.io/a", "@sha256:0", "v.io/v/a:1", true },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct reg_rule rule = { .identity = cases[i].identity, .name = cases[i].name,
					       .with = cases[i].with };

		if (reg_identity_fits(&rule, cases[i].of, cases[i].mark, cases[i].is) != cases[i].want)
			fail_msg("case %zu: '%s'", i, cases[i].is);
	}
}

static void payloads(void **state)
{
	static const char *const bad[] = {
		"", "[]", "{}", "{\"critical\":{}}", "{\"critical\":{\"type\":\"atomic container signature\"}}",
		"{\"critical\":{\"type\":\"cosign container image signature\",\"image\":{\"docker-manifest-digest\":\"d\"}}}",
		"{\"critical\":{\"type\":\"cosign container image signature\",\"image\":{},\"identity\":{\"docker-reference\":\"\"}}}",
	};
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(str_fini) struct str text = { 0 };
	struct reg_payload p;

	(void) state;
	reg_payload_format(REG_PAYLOAD_COSIGN, "q.io/a:1", "sha256:1", &text);
	assert_int_equal(reg_payload_parse(REG_PAYLOAD_COSIGN, text.p, text.len, &arena, &p, NULL), 0);
	assert_string_equal(p.name, "q.io/a:1");
	assert_string_equal(p.digest, "sha256:1");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = { 0 };

		assert_true(reg_payload_parse(REG_PAYLOAD_COSIGN, bad[i], strlen(bad[i]), &arena, &p, &err) < 0);
		assert_true(err.text[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scopes),
		cmocka_unit_test(rules),
		cmocka_unit_test(identities),
		cmocka_unit_test(payloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

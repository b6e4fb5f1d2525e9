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
#include "registry/base64.h"
#include "registry/creds.h"

static void base64(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "\xff\xfe\xfd", "//79" },
	};
	static const char *const bad[] = { "A", "Zg=v", "Z g=", "Zm9vY" };

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(str_fini) struct str there = { 0 }, back = { 0 };

		base64_add(&there, cases[i][0], strlen(cases[i][0]));
		assert_string_equal(there.p != NULL ? there.p : "", cases[i][1]);
		assert_int_equal(base64_decode(cases[i][1], &back), 0);
		assert_string_equal(back.p != NULL ? back.p : "", cases[i][0]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_(str_fini) struct str s = { 0 };

		assert_true(base64_decode(bad[i], &s) < 0);
	}
}

/* What a text says of a host: "user:password", "token=...", "helper=..."; "" for nothing */
static void look(const char *text, const char *name, const char *want)
{
	const char *slash = strchr(name, '/'), *path = slash != NULL ? slash + 1 : "";
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const char *host = arena_strndup(&arena, name, strcspn(name, "/"));
	struct reg_dockercfg c;
	struct err err = { 0 };
	const char *have = "";

	if (reg_dockercfg_parse("config.json", text, strlen(text), host, path, &arena, &c, &err) < 0)
		have = err.text;
	else if (c.helper != NULL)
		have = arena_printf(&arena, "helper=%s for %s", c.helper, c.key);
	else if (c.creds.token != NULL)
		have = arena_printf(&arena, "token=%s", c.creds.token);
	else if (c.creds.user != NULL)
		have = arena_printf(&arena, "%s:%s", c.creds.user, c.creds.password);
	assert_string_equal(have, want);
}

static void lookups(void **state)
{
	static const char file[] = "{\"auths\": {\"https://index.docker.io/v1/\": {\"auth\": \"aHViOnB3\"},"
				   " \"a:5000\": {\"auth\": \"dTpwOnE=\"}, \"https://b/v2/\": {\"username\": \"n\","
				   " \"password\": \"s\"}, \"t\": {\"auth\": \"dTo=\", \"identitytoken\": \"i\"},"
				   " \"e\": {}}}";

	static const char podman[] = "{\"auths\": {\"docker.io\": {\"auth\": \"aHViOnB3\"},"
				     " \"q/team\": {\"auth\": \"dTpwOnE=\"}, \"https://q/v2/\": {\"auth\": \"cmVnOng=\"},"
				     " \"q/team/other\": {\"username\": \"n\", \"password\": \"s\"}},"
				     " \"credHelpers\": {\"h/team\": \"h\"}}";

	(void) state;
	look(file, "docker.io", "hub:pw");
	look(file, "a:5000", "u:p:q");
	look(file, "a", "");
	look(file, "b", "n:s");
	look(file, "t", "token=i");
	look(file, "e", "");
	look("{}", "a", "");
	look(podman, "docker.io/library/debian", "hub:pw");
	look(podman, "q/team", "u:p:q");
	look(podman, "q/team/app", "u:p:q");
	look(podman, "q/team/app/deep", "u:p:q");
	look(podman, "q/team/other/app", "n:s");
	look(podman, "q/teams", "reg:x");
	look(podman, "q", "reg:x");
	look(podman, "h/team/app", "helper=h for h");
	look("{\"credsStore\": \"s\", \"credHelpers\": {\"a\": \"h\"}}", "a", "helper=h for a");
	look("{\"credsStore\": \"s\", \"credHelpers\": {\"a\": \"h\"}}", "docker.io",
	     "helper=s for https://index.docker.io/v1/");
	look("{\"credsStore\": \"../x\"}", "a", "config.json: credsStore: '../x' is no name of a helper");
	look("{\"auths\": {\"a\": {\"auth\": \"!\"}}}", "a",
	     "config.json: auths.a.auth: it is not USER:PASSWORD in base 64");
	look("{\"auths\": {\"a\": {\"auth\": \"Zm9v\"}}}", "a",
	     "config.json: auths.a.auth: it is not USER:PASSWORD in base 64");
	look("{\"auths\": {\"a\": 1}}", "a", "config.json: auths.a: expected an object, got a number");
}

static void edits(void **state)
{
	static const char file[] =
		"{\"auths\":{\"a\":{\"auth\":\"x\"},\"b\":{\"auth\":\"dTpw\",\"email\":\"e\"}},\"other\":[1,null]}";
	const struct reg_creds c = { .user = "u", .password = "p" };
	_cleanup_(str_fini) struct str with = { 0 }, without = { 0 }, fresh = { 0 };
	bool found;

	(void) state;
	assert_int_equal(reg_dockercfg_edit("f", file, strlen(file), "a", &c, &with, &found, NULL), 0);
	assert_true(found);
	assert_string_equal(with.p, "{\"auths\":{\"b\":{\"auth\":\"dTpw\",\"email\":\"e\"},\"a\":{\"auth\":"
				    "\"dTpw\"}},\"other\":[1,null]}\n");
	assert_int_equal(reg_dockercfg_edit("f", file, strlen(file), "b", NULL, &without, &found, NULL), 0);
	assert_true(found);
	assert_string_equal(without.p, "{\"auths\":{\"a\":{\"auth\":\"x\"}},\"other\":[1,null]}\n");
	assert_int_equal(reg_dockercfg_edit("f", "{}", 2, "https://index.docker.io/v1/", &c, &fresh, &found,
					    NULL), 0);
	assert_false(found);
	assert_string_equal(fresh.p, "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"dTpw\"}}}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64),
		cmocka_unit_test(lookups),
		cmocka_unit_test(edits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

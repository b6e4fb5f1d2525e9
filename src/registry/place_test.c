/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "registry/manifests.h"
#include "registry/place.h"
#include "registry/settings.h"

/* All places of a name, one behind the other */
static void place(const char *settings, const char *name, const char *want)
{
	_cleanup_(reg_settings_fini) struct reg_settings s = { 0 };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(str_fini) struct str have = { 0 };
	struct reg_place first, *list = NULL;
	struct img_reference ref;
	struct err err = { 0 };
	int n;

	assert_int_equal(reg_settings_parse("s", settings, strlen(settings), &s, &err), 0);
	assert_int_equal(img_reference_parse(name, &ref, NULL), 0);
	n = reg_places(&s, &ref, &arena, &list, &err);
	if (n < 0)
		str_puts(&have, err.text);
	for (int i = 0; i < n; i++)
		str_printf(&have, "%s%s%s%s%s %s %s%s", i > 0 ? "; " : "", list[i].mirror ? "mirror " : "",
			   list[i].scheme != NULL ? list[i].scheme : "", list[i].scheme != NULL ? "://" : "",
			   list[i].host, list[i].address, list[i].path, list[i].insecure ? " insecure" : "");
	assert_string_equal(have.p, want);
	assert_int_equal(reg_place_of(&s, &ref, &first, NULL), n < 0 ? n : 0);
	for (int i = 0; i < n; i++)
		if (!list[i].mirror) {
			assert_string_equal(list[i].host, first.host);
			assert_string_equal(list[i].path, first.path);
			break;
		}
}

static void places(void **state)
{
	(void) state;
	place("{}", "debian", "docker.io registry-1.docker.io library/debian");
	place("{}", "a/b", "docker.io registry-1.docker.io a/b");
	place("{}", "docker.io/library/debian", "docker.io registry-1.docker.io library/debian");
	place("{}", "quay.io/a/b/c", "quay.io quay.io a/b/c");
	place("{}", "localhost:5000/a", "localhost:5000 localhost:5000 a insecure");
	place("{}", "127.9.8.7/a", "127.9.8.7 127.9.8.7 a insecure");
	place("{}", "[::1]:5000/a", "[::1]:5000 [::1]:5000 a insecure");
	place("{}", "127.0.0.1.example.org/a", "127.0.0.1.example.org 127.0.0.1.example.org a");
	place("{\"registries\": {\"r.example\": {\"insecure\": true}}}", "r.example/a",
	      "r.example r.example a insecure");
	place("{\"registries\": {\"docker.io\": {\"blocked\": true}}}", "a",
	      "registry 'docker.io' is blocked in registries.json");
}

static void short_names(void **state)
{
	static const char searched[] = "{\"default\": [\"quay.io/team\", \"docker.io\"]}";

	(void) state;
	place("{\"default\": \"quay.io\"}", "a/b", "quay.io quay.io a/b");
	place("{\"default\": \"quay.io\"}", "debian", "quay.io quay.io debian");
	place("{\"default\": \"quay.io\"}", "docker.io/library/debian",
	      "docker.io registry-1.docker.io library/debian");
	place(searched, "debian", "quay.io quay.io team/debian; docker.io registry-1.docker.io library/debian");
	place(searched, "docker.io/debian", "docker.io registry-1.docker.io library/debian");
	place(searched, "r.example/debian", "r.example r.example debian");
	place("{\"aliases\": {\"debian\": \"quay.io/base/debian\"}}", "debian", "quay.io quay.io base/debian");
	place("{\"aliases\": {\"debian\": \"quay.io/base/debian\"}}", "docker.io/debian",
	      "docker.io registry-1.docker.io library/debian");
	place("{\"default\": \"quay.io\", \"aliases\": {\"d\": \"docker.io/library/debian\"}}", "d",
	      "docker.io registry-1.docker.io library/debian");
	place("{\"aliases\": {\"d\": \"Not/A/Name\"}}", "d",
	      "registries.json: alias of 'd': image name 'Not/A/Name': 'Not' must be lower case letters and "
	      "digits, separated by '.', '_', '__' or '-'");
}

static void mirrors(void **state)
{
	static const char file[] =
		"{\"registries\": {\"docker.io\": {\"mirrors\": [\"http://m:5000\", \"https://n/hub/\", \"o.example\"]},"
		" \"o.example\": {\"insecure\": true}, \"docker.io/library\": {\"mirrors\": [\"p.example/x\"]},"
		" \"old.example/team\": {\"location\": \"new.example/t\", \"insecure\": true},"
		" \"old.example\": {\"location\": \"other.example\"}, \"*.bad.example\": {\"blocked\": true},"
		" \"only.example/a\": {\"location\": \"new.example\"}}}";

	(void) state;
	place(file, "a/b",
	      "mirror http://m:5000 m:5000 a/b; mirror https://n n hub/a/b; mirror o.example o.example a/b insecure; "
	      "docker.io registry-1.docker.io a/b");
	place(file, "a", "mirror p.example p.example x/library/a; docker.io registry-1.docker.io library/a");
	place(file, "old.example/team/a", "new.example new.example t/a insecure");
	place(file, "old.example/teams/a", "other.example other.example teams/a");
	place(file, "x.bad.example/a", "registry '*.bad.example' is blocked in registries.json");
	place(file, "bad.example/a", "bad.example bad.example a");
	place(file, "only.example/a", "registries.json: what replaces 'only.example/a' leaves no name");
}

static void settings(void **state)
{
	static const char *const bad[][2] = {
		{ "[]", "s: expected an object, got an array" },
		{ "{\"stall\": 0}", "s: stall: 0 is too small" },
		{ "{\"downloads\": 17}", NULL },
		{ "{\"registries\": {\"a\": {\"mirrors\": [\"ftp://x\"]}}}",
		  "s: registries.a.mirrors[0]: 'ftp://x' is no HOST[:PORT][/PATH] or http:// or https:// address" },
		{ "{\"registries\": {\"a\": {\"location\": \"http://x\"}}}",
		  "s: registries.a.location: 'http://x' is no HOST[:PORT][/PATH]" },
		{ "{\"default\": []}", "s: default: the list is empty" },
		{ "{\"default\": \"\"}", "s: default: '' is no HOST[:PORT][/PATH]" },
		{ "{\"default\": [\"../x\"]}", "s: default[0]: '../x' is no HOST[:PORT][/PATH]" },
		{ "{\"default\": \"a//b\"}", "s: default: 'a//b' is no HOST[:PORT][/PATH]" },
	};
	_cleanup_(reg_settings_fini) struct reg_settings s = { 0 };
	static const char good[] = "{\"stall\": 5, \"registries\": {\"a\": {\"mirrors\": [\"http://m\"]}, \"b\": {}}}";

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct reg_settings none = { 0 };
		struct err err = { 0 };

		assert_true(reg_settings_parse("s", bad[i][0], strlen(bad[i][0]), &none, &err) < 0);
		if (bad[i][1] != NULL)
			assert_string_equal(err.text, bad[i][1]);
	}
	assert_int_equal(reg_settings_parse("s", good, strlen(good), &s, NULL), 0);
	assert_int_equal(s.stall, 5);
	assert_int_equal(s.attempts, 5);
	assert_string_equal(reg_settings_of(&s, "a")->mirrors.v[0], "http://m");
	assert_null(reg_settings_of(&s, "c"));
}

static void platforms(void **state)
{
	struct img_index_entry v[] = {
		{ .os = "linux", .arch = "amd64", .variant = "", .usable = true },
		{ .os = "linux", .arch = "arm", .variant = "v6" },
		{ .os = "linux", .arch = "arm", .variant = "v7" },
		{ .os = "windows", .arch = "amd64", .variant = "" },
		{ .os = "linux", .arch = "amd64", .variant = "v3" },
		{ .os = "unknown", .arch = "unknown", .variant = "" },
		{ .os = "linux", .arch = "arm64", .variant = "" },
		{ .os = "linux", .arch = "ppc64le", .variant = "" },
	};
	static const struct {
		const char *platform;
		int want;
	} cases[] = {
		{ NULL, 0 },	      { "linux/amd64", 0 }, { "amd64", 0 },	     { "x86_64", 0 },
		{ "linux/arm/v7", 2 }, { "linux/arm", 2 },   { "windows/amd64", 3 },
		{ "linux/arm/v6", 1 }, { "linux/arm/v8", 2 }, { "linux/amd64/v1", 0 },
		{ "linux/amd64/v2", 0 }, { "linux/amd64/v3", 4 }, { "linux/amd64/v4", 4 },
		{ "linux/arm64/v8", 6 }, { "aarch64", 6 }, { "linux/ppc64le/x", 7 },
	};
	static const char *const bad[] = { "linux/s390x", "", "LINUX/amd64", "linux/", "/",
				     "linux/arm/v5", "linux/amd64/v1/x", "linux/amd64x!" };
	struct img_index_entry any[] = { { .os = "windows", .arch = "", .variant = "" },
					 { .os = "", .arch = "", .variant = "", .usable = true } };
	const struct img_index index = { v, ARRAY_LEN(v) }, silent = { any, ARRAY_LEN(any) };

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(reg_choose(&index, cases[i].platform, NULL), cases[i].want);
	assert_int_equal(reg_choose(&silent, NULL, NULL), 1);
	assert_int_equal(reg_platform_check("linux/arm64", "linux", "arm64", "v8", NULL), 0);
	assert_int_equal(reg_platform_check("linux/arm64", "linux", "amd64", "", NULL), -ENOENT);
	assert_int_equal(reg_platform_check("linux/arm64", "windows", "arm64", "", NULL), -ENOENT);
	assert_int_equal(reg_platform_check("linux/arm64", "linux", "", "", NULL), -ENOENT);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = { 0 };

		assert_true(reg_choose(&index, bad[i], &err) < 0);
		assert_true(err.text[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(short_names),
		cmocka_unit_test(mirrors),
		cmocka_unit_test(settings),
		cmocka_unit_test(platforms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "registry/manifests.h"
#include "registry/place.h"
#include "registry/settings.h"

static void place(const char *settings, const char *name, const char *want)
{
	_cleanup_(reg_settings_fini) struct reg_settings s = { 0 };
	struct img_reference ref;
	struct reg_place p;
	struct err err = { 0 };
	char have[1024];

	assert_int_equal(reg_settings_parse("s", settings, strlen(settings), &s, NULL), 0);
	assert_int_equal(img_reference_parse(name, &ref, NULL), 0);
	if (reg_place_of(&s, ref.repository, &p, &err) < 0)
		(void) snprintf(have, sizeof(have), "%s", err.text);
	else
		(void) snprintf(have, sizeof(have), "%s %s %s%s", p.host, p.address, p.path,
				p.insecure ? " insecure" : "");
	assert_string_equal(have, want);
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
	place("{\"default\": \"quay.io\"}", "a/b", "quay.io quay.io a/b");
	place("{\"default\": \"quay.io\"}", "debian", "quay.io quay.io debian");
	place("{\"aliases\": {\"debian\": \"quay.io/base/debian\"}}", "debian", "quay.io quay.io base/debian");
	place("{\"default\": \"quay.io\", \"aliases\": {\"d\": \"docker.io/library/debian\"}}", "d",
	      "docker.io registry-1.docker.io library/debian");
	place("{\"aliases\": {\"d\": \"Not/A/Name\"}}", "d",
	      "registries.json: alias of 'd': image name 'Not/A/Name': 'Not' must be lower case letters and "
	      "digits, separated by '.', '_', '__' or '-'");
	place("{\"registries\": {\"r.example\": {\"insecure\": true}}}", "r.example/a",
	      "r.example r.example a insecure");
	place("{\"registries\": {\"docker.io\": {\"blocked\": true}}}", "a",
	      "registry 'docker.io' is blocked in registries.json");
}

static void settings(void **state)
{
	static const char *const bad[][2] = {
		{ "[]", "s: expected an object, got an array" },
		{ "{\"stall\": 0}", "s: stall: 0 is too small" },
		{ "{\"downloads\": 17}", NULL },
		{ "{\"registries\": {\"a\": {\"mirrors\": [\"ftp://x\"]}}}",
		  "s: registries.a.mirrors[0]: 'ftp://x' is no http:// or https:// address" },
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
	};
	static const struct {
		const char *platform;
		int want;
	} cases[] = {
		{ NULL, 0 },	      { "linux/amd64", 0 }, { "amd64", 0 },	     { "x86_64", 0 },
		{ "linux/arm/v7", 2 }, { "linux/arm", 1 },   { "windows/amd64", 3 },
	};
	static const char *const bad[] = { "linux/s390x", "", "LINUX/amd64", "linux/", "/" };
	const struct img_index index = { v, ARRAY_LEN(v) };

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(reg_choose(&index, cases[i].platform, NULL), cases[i].want);
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
		cmocka_unit_test(settings),
		cmocka_unit_test(platforms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

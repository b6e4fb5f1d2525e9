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
#include "image/reference.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void names(void **state)
{
	static const struct {
		const char *text, *shortest;
	} cases[] = {
		{ "debian", "debian:latest" },
		{ "debian:12", "debian:12" },
		{ "library/debian", "debian:latest" },
		{ "docker.io/library/debian:12", "debian:12" },
		{ "docker.io/cleave/tiny", "cleave/tiny:latest" },
		{ "cleave/tiny", "cleave/tiny:latest" },
		{ "localhost/a", "localhost/a:latest" },
		{ "localhost:5000/a/b:v1.0-x_y", "localhost:5000/a/b:v1.0-x_y" },
		{ "registry.example.org/library/a", "registry.example.org/library/a:latest" },
		{ "a__b/c--d.e", "a__b/c--d.e:latest" },
		{ "debian@sha256:" HEX, "debian@sha256:" HEX },
		{ "debian:12@sha256:" HEX, "debian:12@sha256:" HEX },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(str_fini) struct str s = { 0 };
		struct img_reference ref;

		assert_int_equal(img_reference_parse(cases[i].text, &ref, NULL), 0);
		img_reference_format(&ref, &s);
		assert_string_equal(s.p, cases[i].shortest);
	}
}

static void refusals(void **state)
{
	static const char *const cases[] = {
		"",     ":",           "a:",           ":tag", "A",    "a//b",    "/a",
		"a/",   "a..b",        "a___b",        "-a",   "a-",   "a b",     "a\nb",
		"a@",   "a@sha256:12", ("a@md5:" HEX), "a:-x", "a:.x", "a:x/y:z", "http://a/b",
		"../a", "a/../b",
	};
	char longest[400];

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct img_reference ref = { .tag = "kept" };
		struct err err = { 0 };

		assert_int_equal(img_reference_parse(cases[i], &ref, &err), -EINVAL);
		assert_non_null(strstr(err.text, "image name"));
		assert_string_equal(ref.tag, "kept");
	}
	memset(longest, 'a', sizeof(longest));
	longest[IMG_NAME_MAX + 1] = '\0';
	assert_int_equal(img_reference_parse(longest, &(struct img_reference) { 0 }, NULL),
			 -EINVAL);
	longest[IMG_NAME_MAX] = '\0';
	assert_int_equal(img_reference_parse(longest, &(struct img_reference) { 0 }, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

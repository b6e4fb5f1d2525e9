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
#include "registry/lookaside.h"

static const char file[] = "# comment\n"
			   "---\n"
			   "default-docker:\n"
			   "#  lookaside: file:///not/this\n"
			   "  lookaside: file:///default\n"
			   "  lookaside-staging: file:///elsewhere\n"
			   "docker:\n"
			   "   q.io:\n"
			   "      sigstore: https://q.example # of before\n"
			   "   \"q.io/a\":\n"
			   "      lookaside-staging: file:///staging\n"
			   "      lookaside: 'file:///q a'\n"
			   "   q.io:5000/b:1:\n"
			   "      lookaside: http://one\n"
			   "\n"
			   "other:\n"
			   "   lookaside: file:///other\n";

static const char *find_for(struct arena *a, const char *name, const char *mark, bool staging)
{
	struct reg_lookaside best = { .staging = staging };
	struct err err = { 0 };
	char text[sizeof(file)];

	memcpy(text, file, sizeof(file));
	if (reg_lookaside_parse("f", text, name, mark, a, &best, &err) < 0)
		fail_msg("%s", err.text);
	return best.url;
}

static const char *find(struct arena *a, const char *name, const char *mark)
{
	return find_for(a, name, mark, false);
}

static void staging(void **state)
{
	_cleanup_(arena_fini) struct arena a = { 0 };

	(void) state;
	assert_string_equal(find_for(&a, "x.io/a", ":1", true), "file:///elsewhere");
	assert_string_equal(find_for(&a, "q.io/x", ":1", true), "https://q.example");
	assert_string_equal(find_for(&a, "q.io/a/b", ":1", true), "file:///staging");
	assert_string_equal(find_for(&a, "q.io:5000/b", ":1", true), "http://one");
}

static void places(void **state)
{
	_cleanup_(arena_fini) struct arena a = { 0 };

	(void) state;
	assert_string_equal(find(&a, "x.io/a", ":1"), "file:///default");
	assert_string_equal(find(&a, "q.io/x", ":1"), "https://q.example");
	assert_string_equal(find(&a, "q.io/a", ":1"), "file:///q a");
	assert_string_equal(find(&a, "q.io/a/b", ":1"), "file:///q a");
	assert_string_equal(find(&a, "q.io/ab", ":1"), "https://q.example");
	assert_string_equal(find(&a, "q.io:5000/b", ":1"), "http://one");
	assert_string_equal(find(&a, "q.io:5000/b", ":2"), "file:///default");
}

static void refused(void **state)
{
	static const struct {
		const char *text;
		int line;
	} bad[] = {
		{ "  lookaside: file:///x\n", 1 },
		{ "docker:\n  q.io: yes\n", 2 },
		{ "docker:\n  q.io:\n    lookaside: ftp://x\n", 3 },
		{ "default-docker:\n  lookaside: \"file:///x\n", 2 },
		{ "default-docker: {lookaside: file:///x}\n", 1 },
		{ "default-docker:\n\tlookaside: file:///x\n", 2 },
		{ "\n\nword\n", 3 },
		{ ":\n", 1 },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_(arena_fini) struct arena a = { 0 };
		struct reg_lookaside best = { 0 };
		struct err err = { 0 };
		char text[128], want[64];

		(void) snprintf(text, sizeof(text), "%s", bad[i].text);
		(void) snprintf(want, sizeof(want), "f: line %d: not understood", bad[i].line);
		assert_int_equal(reg_lookaside_parse("f", text, "q.io/a", ":1", &a, &best, &err), -EINVAL);
		assert_string_equal(err.text, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(staging),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

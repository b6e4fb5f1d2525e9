/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"

struct text {
	struct arena arena;
	struct json_in in;
	struct err err;
	char *copy; /* exactly as long as the text, so that reading past it is seen */
};

static int open_bytes(struct text *t, const char *bytes, size_t n)
{
	*t = (struct text) { 0 };
	t->copy = malloc(n > 0 ? n : 1);
	assert_non_null(t->copy);
	memcpy(t->copy, bytes, n);
	return json_parse(&t->in, "f", &t->arena, t->copy, n, &t->err);
}

static int open_text(struct text *t, const char *text)
{
	return open_bytes(t, text, strlen(text));
}

static void close_text(struct text *t)
{
	json_fini(&t->in);
	arena_fini(&t->arena);
	free(t->copy);
}

static void syntax_refusals(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "", "f: line 1 column 1: unexpected end" },
		{ "  \n ", "f: line 2 column 2: unexpected end" },
		{ "{", "f: line 1 column 2: expected a name in double quotes" },
		{ "{\"a\"", "f: line 1 column 5: expected ':'" },
		{ "{\"a\":", "f: line 1 column 6: unexpected end" },
		{ "{\"a\":1", "f: line 1 column 7: expected ',' or '}'" },
		{ "{\n \"a\": 1\n \"b\": 2}", "f: line 3 column 2: expected ',' or '}'" },
		{ "{\"a\":1,}", "f: line 1 column 8: expected a name in double quotes" },
		{ "{a:1}", "f: line 1 column 2: expected a name in double quotes" },
		{ "[", "f: line 1 column 2: unexpected end" },
		{ "[1", "f: line 1 column 3: expected ',' or ']'" },
		{ "[1,]", "f: line 1 column 4: unexpected character" },
		{ "[1 2]", "f: line 1 column 4: expected ',' or ']'" },
		{ "[,]", "f: line 1 column 2: unexpected character" },
		{ "{} {}", "f: line 1 column 4: text after the end" },
		{ "nul", "f: line 1 column 1: unexpected character" },
		{ "True", "f: line 1 column 1: unexpected character" },
		{ "/* c */ 1", "f: line 1 column 1: unexpected character" },
		{ "\xef\xbb\xbf{}", "f: line 1 column 1: unexpected character" },
		{ "-", "f: line 1 column 1: unexpected character" },
		{ "01", "f: line 1 column 1: number with a leading zero" },
		{ "-012", "f: line 1 column 1: number with a leading zero" },
		{ "1.", "f: line 1 column 3: expected a digit" },
		{ "1e", "f: line 1 column 3: expected a digit" },
		{ "1e+", "f: line 1 column 4: expected a digit" },
		{ ".5", "f: line 1 column 1: unexpected character" },
		{ "+1", "f: line 1 column 1: unexpected character" },
		{ "\"a", "f: line 1 column 1: string without end" },
		{ "\"a\\", "f: line 1 column 3: string without end" },
		{ "\"a\nb\"", "f: line 1 column 3: control character in a string" },
		{ "\"\\x\"", "f: line 1 column 2: unknown escape in a string" },
		{ "\"\\u12\"", "f: line 1 column 2: \\u needs four hexadecimal digits" },
		{ "\"\\u12g4\"", "f: line 1 column 2: \\u needs four hexadecimal digits" },
		{ "\"\\ud800\"", "f: line 1 column 2: half of a surrogate pair" },
		{ "\"\\udc00\"", "f: line 1 column 2: half of a surrogate pair" },
		{ "\"\\ud800\\u0041\"", "f: line 1 column 2: half of a surrogate pair" },
		{ "\"\x80\"", "f: line 1 column 2: invalid UTF-8" },
		{ "\"\xc0\xaf\"", "f: line 1 column 2: invalid UTF-8" }, /* overlong */
		{ "\"\xe0\x80\xaf\"", "f: line 1 column 2: invalid UTF-8" }, /* overlong */
		{ "\"\xf0\x80\x80\xaf\"", "f: line 1 column 2: invalid UTF-8" }, /* overlong */
		{ "\"\xed\xa0\x80\"", "f: line 1 column 2: invalid UTF-8" }, /* surrogate */
		{ "\"\xf4\x90\x80\x80\"", "f: line 1 column 2: invalid UTF-8" }, /* over 10ffff */
		{ "\"\xf5\x80\x80\x80\"", "f: line 1 column 2: invalid UTF-8" },
		{ "\"\xe2\x82", "f: line 1 column 2: invalid UTF-8" }, /* cut */
		{ "\"\xc3\x28\"", "f: line 1 column 2: invalid UTF-8" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text t;

		assert_int_equal(open_text(&t, rows[i].text), -EINVAL);
		assert_string_equal(t.err.text, rows[i].message);
		close_text(&t);
	}
}

static void strings_decode(void **state)
{
	static const struct {
		const char *text, *value;
	} rows[] = {
		{ "\"\"", "" },
		{ "\"a b\"", "a b" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
		{ "\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac" },
		{ "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80" },
		{ "\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf" },
		{ "\"\xc2\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\"",
		  "\xc2\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text t;

		assert_int_equal(open_text(&t, rows[i].text), 0);
		assert_string_equal(json_to_str(&t.in, t.in.root), rows[i].value);
		assert_int_equal(t.in.root->len, strlen(rows[i].value));
		close_text(&t);
	}
}

static void nesting_has_a_limit(void **state)
{
	char text[2 * JSON_NESTING_MAX + 3];
	struct text t;

	(void) state;
	for (size_t depth = JSON_NESTING_MAX; depth <= JSON_NESTING_MAX + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		text[2 * depth] = '\0';
		assert_int_equal(open_text(&t, text), depth > JSON_NESTING_MAX ? -EINVAL : 0);
		if (depth > JSON_NESTING_MAX)
			assert_string_equal(t.err.text,
					    "f: line 1 column 65: nested too deeply, the limit is 64");
		close_text(&t);
	}
	/* brothers are not nested */
	assert_int_equal(open_text(&t, "[[],[],[[]],{},{\"a\":{}}]"), 0);
	assert_int_equal(t.in.root->len, 5);
	close_text(&t);
}

static void size_has_a_limit(void **state)
{
	struct arena arena = { 0 };
	struct err err = { 0 };
	struct json_in in;

	(void) state;
	assert_int_equal(json_parse(&in, "f", &arena, "", (size_t) JSON_SIZE_MAX + 1, &err), -EFBIG);
	assert_string_equal(err.text, "f: 67108865 bytes are over the limit 67108864");
	json_fini(&in);
	arena_fini(&arena);
}

static void zero_bytes(void **state)
{
	struct text t;

	(void) state;
	assert_int_equal(open_text(&t, "{\"a\":{\"b\":\"x\\u0000y\"}}"), 0);
	assert_null(json_get_str(&t.in, json_get(&t.in, t.in.root, "a"), "b"));
	assert_string_equal(t.err.text, "f: a.b: contains null byte");
	close_text(&t);

	assert_int_equal(open_text(&t, "{\"a\":{\"b\\u0000c\":1}}"), 0);
	assert_null(json_get(&t.in, t.in.root->first, "b"));
	assert_null(json_to_key(&t.in, t.in.root->first->first));
	assert_string_equal(t.err.text, "f: a: a name contains null byte");
	close_text(&t);

	assert_int_equal(open_text(&t, "{\"\":1}"), 0);
	assert_null(json_to_key(&t.in, t.in.root->first));
	assert_string_equal(t.err.text, "f: a name is empty");
	close_text(&t);

	assert_int_equal(open_bytes(&t, "[1\0]", 4), -EINVAL);
	assert_string_equal(t.err.text, "f: line 1 column 3: expected ',' or ']'");
	close_text(&t);
}

static void unsigned_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, value;
		const char *message;
	} rows[] = {
		{ "0", 0, 0, NULL },
		{ "-0", 0, 0, NULL },
		{ "18446744073709551615", UINT64_MAX, UINT64_MAX, NULL },
		{ "4294967295", UINT32_MAX, UINT32_MAX, NULL },
		{ "4294967296", UINT32_MAX, 0, "f: v: 4294967296 is over the limit 4294967295" },
		{ "18446744073709551616", UINT64_MAX, 0,
		  "f: v: 18446744073709551616 is over the limit 18446744073709551615" },
		{ "99999999999999999999999999999999999999999999", 5, 0,
		  "f: v: 9999999999999999999999999999999999999999 is over the limit 5" },
		{ "-1", UINT64_MAX, 0, "f: v: -1 is under the limit 0" },
		{ "1.0", UINT64_MAX, 0, "f: v: expected an integer, got 1.0" },
		{ "1e3", UINT64_MAX, 0, "f: v: expected an integer, got 1e3" },
		{ "2E0", UINT64_MAX, 0, "f: v: expected an integer, got 2E0" },
		{ "\"1\"", UINT64_MAX, 0, "f: v: expected an integer, got a string" },
		{ "true", UINT64_MAX, 0, "f: v: expected an integer, got a boolean" },
		{ "[1]", UINT64_MAX, 0, "f: v: expected an integer, got an array" },
		{ "{}", UINT64_MAX, 0, "f: v: expected an integer, got an object" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[128];
		uint64_t v = 7;
		struct text t;

		(void) snprintf(text, sizeof(text), "{\"v\":%s}", rows[i].text);
		assert_int_equal(open_text(&t, text), 0);
		assert_int_equal(json_get_u64(&t.in, t.in.root, "v", rows[i].max, &v),
				 rows[i].message == NULL);
		assert_true(v == (rows[i].message == NULL ? rows[i].value : 7));
		assert_string_equal(t.err.text, rows[i].message != NULL ? rows[i].message : "");
		close_text(&t);
	}
}

static void signed_numbers(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max, value;
		const char *message;
	} rows[] = {
		{ "-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN, NULL },
		{ "9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX, NULL },
		{ "-20", -20, 19, -20, NULL },
		{ "9223372036854775808", INT64_MIN, INT64_MAX, 0,
		  "f: v: 9223372036854775808 is over the limit 9223372036854775807" },
		{ "-9223372036854775809", INT64_MIN, INT64_MAX, 0,
		  "f: v: -9223372036854775809 is under the limit -9223372036854775808" },
		{ "-21", -20, 19, 0, "f: v: -21 is under the limit -20" },
		{ "20", -20, 19, 0, "f: v: 20 is over the limit 19" },
		{ "0", 1, 9, 0, "f: v: 0 is under the limit 1" },
		{ "18446744073709551616", 1, 9, 0, "f: v: 18446744073709551616 is over the limit 9" },
		{ "-1.5", -20, 19, 0, "f: v: expected an integer, got -1.5" },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[128];
		int64_t v = 7;
		struct text t;

		(void) snprintf(text, sizeof(text), "{\"v\":%s}", rows[i].text);
		assert_int_equal(open_text(&t, text), 0);
		assert_int_equal(json_get_i64(&t.in, t.in.root, "v", rows[i].min, rows[i].max, &v),
				 rows[i].message == NULL);
		assert_true(v == (rows[i].message == NULL ? rows[i].value : 7));
		assert_string_equal(t.err.text, rows[i].message != NULL ? rows[i].message : "");
		close_text(&t);
	}
}

static void paths_name_the_field(void **state)
{
	struct text t;
	const struct json *node;

	(void) state;
	assert_int_equal(open_text(&t, "{\"mounts\":[{},{\"to\":5,\"l\":[[1,\"x\"]]}]}"), 0);
	node = json_get_array(&t.in, t.in.root, "mounts", 2)->first->next;
	assert_null(json_get_str(&t.in, node, "to"));
	assert_string_equal(t.err.text, "f: mounts[1].to: expected a string, got a number");
	assert_int_equal(t.in.code, -EINVAL);

	/* the first failure is the one that stays, and nothing is read after it */
	assert_false(json_fail(&t.in, node, NULL, "other"));
	assert_string_equal(t.err.text, "f: mounts[1].to: expected a string, got a number");
	assert_null(json_get(&t.in, node, "l"));
	assert_null(json_to_str(&t.in, t.in.root));
	assert_false(json_need(&t.in, node, "to"));

	t.in.code = 0;
	node = json_get(&t.in, node, "l")->first->first->next;
	assert_false(json_to_object(&t.in, node));
	assert_string_equal(t.err.text, "f: mounts[1].l[0][1]: expected an object, got a string");
	t.in.code = 0;
	assert_false(json_need(&t.in, t.in.root, "gone"));
	assert_string_equal(t.err.text, "f: gone: missing");
	t.in.code = 0;
	assert_false(json_fail(&t.in, t.in.root, NULL, "wrong"));
	assert_string_equal(t.err.text, "f: wrong");
	t.in.code = 0;
	t.in.err = NULL;
	assert_false(json_fail(&t.in, t.in.root, NULL, "no one is told"));
	assert_int_equal(t.in.code, -EINVAL);
	close_text(&t);
}

static void messages_are_printable(void **state)
{
	struct text t;

	(void) state;
	assert_int_equal(open_text(&t, "{\"a\\nb\\u001b[2J\":{}}"), 0);
	assert_false(json_fail(&t.in, t.in.root->first, NULL, "'%s' is odd", "x\ty\177"));
	assert_string_equal(t.err.text, "f: a?b?[2J: 'x?y?' is odd");
	close_text(&t);
}

static void long_paths_are_cut(void **state)
{
	char text[4096] = "", name[256];
	const struct json *node;
	struct text t;

	(void) state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 12; i++)
		(void) snprintf(text + strlen(text), sizeof(text) - strlen(text), "{\"%s\":", name);
	(void) snprintf(text + strlen(text), sizeof(text) - strlen(text), "1}}}}}}}}}}}}");
	assert_int_equal(open_text(&t, text), 0);
	for (node = t.in.root; node->kind == JSON_KIND_OBJECT; node = node->first)
		;
	assert_null(json_to_str(&t.in, node));
	assert_true(strlen(t.err.text) < JSON_PATH_MAX + 64);
	assert_non_null(strstr(t.err.text, "n: expected a string, got a number"));
	close_text(&t);
}

static void members(void **state)
{
	uint32_t u32 = 3;
	uint64_t u64 = 4;
	struct text t;

	(void) state;
	assert_int_equal(open_text(&t, " { \"b\" : true, \"n\":null, \"o\":{}, \"e\":[], \"a\":[1,2],"
				       "\"s\":\"x\", \"x\":7, \"x\":8 } \t\r\n"),
			 0);
	assert_true(json_get_bool(&t.in, t.in.root, "b", false));
	assert_true(json_get_bool(&t.in, t.in.root, "n", true));
	assert_false(json_get_bool(&t.in, t.in.root, "gone", false));
	assert_null(json_get(&t.in, t.in.root, "n"));
	assert_null(json_get(&t.in, NULL, "n"));
	assert_non_null(json_get_object(&t.in, t.in.root, "o"));
	assert_null(json_get_array(&t.in, t.in.root, "e", 1));
	assert_int_equal(json_get_array(&t.in, t.in.root, "a", 2)->len, 2);
	assert_string_equal(json_get_str(&t.in, t.in.root, "s"), "x");
	assert_false(json_get_u32(&t.in, t.in.root, "gone", &u32));
	assert_int_equal(u32, 3);
	assert_true(json_to_u64(&t.in, json_get(&t.in, t.in.root, "a")->first, 1, &u64));
	assert_int_equal(u64, 1);
	assert_string_equal(json_to_key(&t.in, t.in.root->first), "b");
	assert_int_equal(t.in.code, 0);

	assert_null(json_get_array(&t.in, t.in.root, "a", 1));
	assert_string_equal(t.err.text, "f: a: 2 elements are over the limit 1");
	t.in.code = 0;
	assert_false(json_get_u32(&t.in, t.in.root, "x", &u32));
	assert_string_equal(t.err.text, "f: x: given twice");
	t.in.code = 0;
	assert_false(json_get_bool(&t.in, t.in.root, "s", false));
	assert_string_equal(t.err.text, "f: s: expected a boolean, got a string");
	t.in.code = 0;
	assert_null(json_get_object(&t.in, t.in.root, "a"));
	assert_string_equal(t.err.text, "f: a: expected an object, got an array");
	t.in.code = 0;
	assert_null(json_get_array(&t.in, t.in.root, "o", 1));
	assert_string_equal(t.err.text, "f: o: expected an array, got an object");
	t.in.code = 0;
	assert_false(json_nomem(&t.in));
	assert_int_equal(t.in.code, -ENOMEM);
	assert_string_equal(t.err.text, "read f: cannot allocate memory");
	close_text(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syntax_refusals),	cmocka_unit_test(strings_decode),
		cmocka_unit_test(nesting_has_a_limit),	cmocka_unit_test(size_has_a_limit),
		cmocka_unit_test(zero_bytes),		cmocka_unit_test(unsigned_numbers),
		cmocka_unit_test(signed_numbers),	cmocka_unit_test(paths_name_the_field),
		cmocka_unit_test(messages_are_printable), cmocka_unit_test(long_paths_are_cut),
		cmocka_unit_test(members),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

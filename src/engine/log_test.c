/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "engine/config.h"
#include "engine/log.h"
#include "engine/log_entry.h"
#include "engine/log_lines.h"
#include "engine/log_time.h"

#define NOW 1700000000000000000ll

static void times(void **state)
{
	static const struct {
		const char *text;
		int code;
		int64_t value;
	} cases[] = {
		{ "2023-11-14T22:13:20Z", 0, NOW },
		{ "2023-11-14T23:13:20.5+01:00", 0, NOW + 500000000 },
		{ "2023-11-14T21:43:20-00:30", 0, NOW },
		{ "1700000000", 0, NOW },
		{ "1700000000.000000001", 0, NOW + 1 },
		{ "0", 0, 0 },
		{ "10m", 0, NOW - 600000000000 },
		{ "1h30m", 0, NOW - 5400000000000 },
		{ "1.5s", 0, NOW - 1500000000 },
		{ "250ms", 0, NOW - 250000000 },
		{ "-1m", 0, NOW + 60000000000 },
		{ "2023-11-14", 0, 1699920000000000000 },
		{ "2023-11-14T22:13", 0, 1699999980000000000 },
		{ "2023-11-14T22:13:20,5+00:00", 0, 1700000000500000000 },
		{ "", -EINVAL, 0 },
		{ "abc", -EINVAL, 0 },
		{ "10", 0, 10000000000 },
		{ "10x", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 },
		{ "99999999999999999999", -EINVAL, 0 },
		{ "9999999999h", -EINVAL, 0 },
		{ "2023-13-01T00:00:00Z", -EINVAL, 0 },
		{ "2023-11-14T25:00:00Z", -EINVAL, 0 },
		{ "2023-11-14T22:13:20X", -EINVAL, 0 },
		{ "2023-11-14T22:13:20+99:00", -EINVAL, 0 },
	};

	(void) state;
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t v = 0;

		assert_int_equal(eng_log_time_parse(cases[i].text, NOW, &v), cases[i].code);
		if (cases[i].code == 0)
			assert_int_equal(v, cases[i].value);
	}
}

static void entries(void **state)
{
	static const char *const bad[] = {
		"", "{", "{}x", "[]", "{\"log\":\"x", "{\"log\":\"\\u12\"}", "{\"log\":\"\\q\"}",
		"{\"log\":1}", "{\"log\":\"a\",\"time\":\"yesterday\"}", "{\"attrs\":{\"a\":1}}",
		"{\"log\":\"a\",\"log\":\"b\"}", "{\"log\":\"\\",
	};
	static const char good[] =
		"{ \"stream\":\"stderr\", \"attrs\":{\"a\":\"1\",\"lost\":\"7\"},"
		"\"time\":\"2023-11-14T22:13:20.1Z\",\"log\":\"\\ud83d\\ude00\\ud83dx\\/\\u00e4\\b\\n\"}";
	_cleanup_(eng_log_parser_fini) struct eng_log_parser p = { 0 };
	struct eng_log_entry e;

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		size_t n = strlen(bad[i]);
		_cleanup_free_ char *copy = malloc(n + 1);

		memcpy(copy, bad[i], n);
		if (n > 0 || i == 0)
			assert_false(eng_log_entry_parse(&p, copy, n, &e));
	}
	assert_true(eng_log_entry_parse(&p, good, sizeof(good) - 1, &e));
	assert_int_equal(e.n, 4 + 3 + 1 + 1 + 2 + 1 + 1);
	assert_memory_equal(e.text, "\xf0\x9f\x98\x80\xef\xbf\xbdx/\xc3\xa4\b\n", e.n);
	assert_true(e.error);
	assert_int_equal(e.lost, 7);
	assert_string_equal(e.attrs, "a=1,lost=7");
	assert_int_equal(e.time, NOW + 100000000);
}

static int file_of(const char *text, size_t n)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void lines(void **state)
{
	size_t big = ENG_LOG_LINE_MAX + 100000;
	_cleanup_free_ char *text = malloc(big + 20);
	struct eng_log_lines l;
	const char *line;
	size_t n;

	(void) state;
	memset(text, 'x', big);
	memcpy(text, "first\n", 6);
	memcpy(text + big, "\nlast\ntorn", 10);
	assert_int_equal(eng_log_lines_init(&l, file_of(text, big + 10)), 0);
	assert_int_equal(eng_log_lines_next(&l, &line, &n), 1);
	assert_memory_equal(line, "first", n);
	assert_int_equal(eng_log_lines_next(&l, &line, &n), 1);
	assert_int_equal(n, 4); /* the long one is passed over */
	assert_memory_equal(line, "last", n);
	assert_int_equal(eng_log_lines_next(&l, &line, &n), 0);
	assert_int_equal(pwrite(l.fd, "!\n", 2, (off_t) big + 10), 2);
	assert_int_equal(eng_log_lines_next(&l, &line, &n), 1);
	assert_memory_equal(line, "torn!", n);
	eng_log_lines_fini(&l);
}

static void tails(void **state)
{
	static const struct {
		const char *text;
		uint64_t n, missing;
		off_t at;
	} cases[] = {
		{ "a\nb\nc\n", 0, 0, 6 }, { "a\nb\nc\n", 1, 0, 4 }, { "a\nb\nc\n", 3, 0, 0 },
		{ "a\nb\nc\n", 5, 2, 0 }, { "a\nb\nto", 1, 0, 2 },  { "a\nb\nto", 0, 0, 4 },
		{ "", 2, 2, 0 },          { "torn", 1, 1, 0 },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_close_ int fd = file_of(cases[i].text, strlen(cases[i].text));
		uint64_t n = cases[i].n;

		assert_int_equal(eng_log_lines_tail(fd, &n), cases[i].at);
		assert_int_equal(n, cases[i].missing);
	}
}

static int parse(const char *driver, const char *opt, struct eng_log *ret)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct img_words opts = { 0 };

	if (opt != NULL)
		assert_int_equal(eng_words_add(&a, &opts, opt), 0);
	return eng_log_parse(driver, &opts, ret, NULL);
}

static void options(void **state)
{
	static const char *const bad[] = { "max-size", "max-size=", "max-size=x", "max-size=0",
					   "max-file=0", "max-file=x", "max-file=1001", "x=1",
					   "mode=non-blocking", "tag=x", "=1" };
	struct eng_log log;

	(void) state;
	assert_int_equal(parse(NULL, "max-size=10m", &log), 0);
	assert_int_equal(log.max_size, 10 << 20);
	assert_int_equal(log.max_files, 1);
	assert_int_equal(parse("", "max-file=3", &log), 0);
	assert_int_equal(log.max_files, 3);
	assert_int_equal(parse("json-file", "max-size=-1", &log), 0);
	assert_int_equal(log.max_size, 0);
	assert_int_equal(parse("journald", "tag={{.Name}}", &log), 0);
	assert_int_equal(parse("none", NULL, &log), 0);
	assert_int_equal(parse("none", "max-size=1m", &log), -EINVAL);
	assert_int_equal(parse("syslog", NULL, &log), -EINVAL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(parse("json-file", bad[i], &log), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times), cmocka_unit_test(entries), cmocka_unit_test(lines),
		cmocka_unit_test(tails), cmocka_unit_test(options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

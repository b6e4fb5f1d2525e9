/* SPDX-License-Identifier: MIT */
/* The monitor's own parts, with the system calls they need replaced by memory. */
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
#include "engine/log_entry.h"
#include "engine/monitor/encode.h"
#include "engine/monitor/keys.h"
#include "engine/monitor/log.h"
#include "engine/monitor/screen.h"
#include "bare/sys.h"

#define DISK_MAX (4u << 20)

static struct {
	char data[DISK_MAX];
	size_t n, room;
} disk;

size_t text_len(const char *s)
{
	return strlen(s);
}

char *text_number(char *to, uint64_t v, unsigned digits)
{
	char text[32];

	(void) snprintf(text, sizeof(text), "%0*llu", (int) digits, (unsigned long long) v);
	return stpcpy(to, text);
}

long sys_write(int fd, const void *buf, size_t n)
{
	size_t take = n < disk.room ? n : disk.room;

	(void) fd;
	if (take == 0)
		return -ENOSPC;
	memcpy(disk.data + disk.n, buf, take);
	disk.n += take;
	disk.room -= take;
	return (long) take;
}

long sys_truncate(int fd, int64_t size)
{
	(void) fd;
	disk.room += disk.n - (size_t) size;
	disk.n = (size_t) size;
	return 0;
}

long sys_size(int fd)
{
	(void) fd;
	return 0;
}

long sys_close(int fd)
{
	(void) fd;
	return 0;
}

long sys_open_log(int dir, const char *name)
{
	(void) dir;
	(void) name;
	return -ENOSPC;
}

long sys_rename(int dir, const char *from, const char *to)
{
	(void) dir;
	(void) from;
	(void) to;
	return 0;
}

void sys_now(int64_t *ret_s, uint32_t *ret_ns)
{
	*ret_s = 1709210096; /* a 29th of February */
	*ret_ns = 7;
}

void sys_release(void *p, size_t n)
{
	memset(p, 0, n);
}

long sys_send_to(int sock, const char *path, const struct iovec *parts, size_t n)
{
	(void) sock;
	(void) path;
	(void) parts;
	(void) n;
	return 0;
}

static void check_entry(const char *text, size_t n, const char *want)
{
	_cleanup_free_ char *copy = malloc(n + 1); /* the sanitizer sees what is read beyond it */
	_cleanup_free_ char *to = malloc(ENCODE_GROWTH * n + ENCODE_ENTRY_MAX);
	struct encode_stamp stamp;
	char *end;

	memcpy(copy, text, n);
	encode_stamp(&stamp, "stdout", 1709210096, 123456789);
	end = encode_entry(to, copy, n, &stamp, 0);
	*end = '\0';
	assert_string_equal(to, want);
}

#define TAIL "\",\"stream\":\"stdout\",\"time\":\"2024-02-29T12:34:56.123456789Z\"}\n"

static void entries(void **state)
{
	static const char all[] = "plain text that is longer than two blocks of bytes\n";

	(void) state;
	check_entry("y\n", 2, "{\"log\":\"y\\n" TAIL);
	check_entry(all, sizeof(all) - 1,
		    "{\"log\":\"plain text that is longer than two blocks of bytes\\n" TAIL);
	check_entry("\"\\\t\r\x01\x7f", 6, "{\"log\":\"\\\"\\\\\\t\\r\\u0001\x7f" TAIL);
	check_entry("\xc3\xa4\xff\xc3", 4, "{\"log\":\"\xc3\xa4\\ufffd\\ufffd" TAIL);
	check_entry("\xf0\x9f\x98\x80\xed\xa0\x80", 7,
		    "{\"log\":\"\xf0\x9f\x98\x80\\ufffd\\ufffd\\ufffd" TAIL);
	check_entry("", 0, "{\"log\":\"" TAIL);
}

/* What is encoded is read again, wherever the special bytes lie. */
static void round_trip(void **state)
{
	_cleanup_(eng_log_parser_fini) struct eng_log_parser parser = { 0 };
	char text[80], to[ENCODE_GROWTH * sizeof(text) + ENCODE_ENTRY_MAX];
	struct encode_stamp stamp;
	struct eng_log_entry entry;
	unsigned seed = 1;

	(void) state;
	encode_stamp(&stamp, "stderr", 1709210096, 5);
	for (int round = 0; round < 20000; round++) {
		size_t n = (seed = seed * 1103515245 + 12345) >> 16 & 63;
		char *end;

		for (size_t i = 0; i < n; i++) {
			seed = seed * 1103515245 + 12345;
			text[i] = (char) ((seed >> 16) % 10 == 0 ? (seed >> 20) % 32
								 : (seed >> 20) % 128);
		}
		end = encode_entry(to, text, n, &stamp, (uint64_t) round % 3);
		assert_int_equal(end[-1], '\n');
		assert_true(eng_log_entry_parse(&parser, to, (size_t) (end - to) - 1, &entry));
		assert_int_equal(entry.n, n);
		assert_memory_equal(entry.text, text, n);
		assert_true(entry.error);
		assert_int_equal(entry.lost, round % 3);
		assert_int_equal(entry.time, 1709210096000000005);
	}
}

static void newlines(void **state)
{
	char text[64];

	(void) state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(encode_newline(text, sizeof(text)), sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = '\n';
		assert_int_equal(encode_newline(text, sizeof(text)), i);
		assert_int_equal(encode_newline(text, i), i);
		text[i] = 'x';
	}
}

/* Lines of the disk; @lost gets what is told to be missing. */
static size_t count_lines(uint64_t *lost)
{
	_cleanup_(eng_log_parser_fini) struct eng_log_parser parser = { 0 };
	struct eng_log_entry entry;
	size_t n = 0;

	*lost = 0;
	for (const char *p = disk.data, *end; p < disk.data + disk.n; p = end + 1, n++) {
		end = memchr(p, '\n', (size_t) (disk.data + disk.n - p));
		assert_non_null(end);
		assert_true(eng_log_entry_parse(&parser, p, (size_t) (end - p), &entry));
		*lost += entry.lost;
	}
	return n;
}

/* However little fits at a time: whole lines, and all others are counted. */
static void full_disk(void **state)
{
	static struct log_stream s;
	size_t written = 0;
	uint64_t lost;

	(void) state;
	log_open("json 0 1");
	s.name = "stdout";
	for (size_t room = 0; room < 1000; room += 37) {
		disk.room = room;
		log_add(&s, "one\ntwo\nthree\nfour\nfive\n", 24);
		log_flush();
		written += 5;
	}
	disk.room = DISK_MAX - disk.n;
	log_add(&s, "last\n", 5);
	log_flush();
	written++;
	assert_int_equal(count_lines(&lost) + lost, written);
	assert_true(lost > 5);
}

static void long_lines(void **state)
{
	static struct log_stream s;
	static char text[3 * LOG_LINE_MAX + 10];
	uint64_t lost;

	(void) state;
	disk.n = 0;
	(void) sys_truncate(0, 0);
	log_open("json 0 1");
	disk.room = DISK_MAX;
	s.name = "stdout";
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(text); i += 1000)
		log_add(&s, text + i, sizeof(text) - i < 1000 ? sizeof(text) - i : 1000);
	log_flush();
	assert_int_equal(count_lines(&lost), 3);
	log_end(&s);
	assert_int_equal(count_lines(&lost), 4);
	log_add(&s, text, LOG_LINE_MAX);
	log_flush();
	assert_int_equal(count_lines(&lost), 5);
	log_add(&s, "\n", 1);
	log_flush();
	assert_int_equal(count_lines(&lost), 6);
}

static void detach_keys(void **state)
{
	static const struct {
		const char *keys, *typed, *arrives;
		bool leaves;
	} cases[] = {
		{ "1011", "ab\x10\x11zz", "ab", true },   { "1011", "\x10x\x11", "\x10x\x11", false },
		{ "616162", "aaab", "a", true },          { "61626163", "ababac", "ab", true },
		{ "", "\x10\x11", "\x10\x11", false },    { "10", "\x10", "", true },
		{ "1010", "\x10x", "\x10x", false },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t step = 1; step < 3; step++) { /* in pieces, too */
			char to[64], all[64] = "";
			struct keys k;
			bool leaves = false;
			size_t n, len = strlen(cases[i].typed), sum = 0;

			assert_true(keys_open(&k, cases[i].keys));
			for (size_t at = 0; at < len && !leaves; at += step) {
				leaves = keys_filter(&k, cases[i].typed + at,
						     len - at < step ? len - at : step, to, &n);
				memcpy(all + sum, to, n);
				sum += n;
			}
			all[sum] = '\0';
			assert_int_equal(leaves, cases[i].leaves);
			assert_string_equal(all, cases[i].arrives);
		}
	struct keys k;
	assert_false(keys_open(&k, "1"));
	assert_false(keys_open(&k, "xx"));
	assert_false(keys_open(&k, "0000000000000000000000000000000000"));
}

static size_t replay(char *to, uint64_t *from)
{
	size_t sum = 0, n;
	const char *p;

	while ((n = screen_read(*from, &p)) > 0) {
		memcpy(to + sum, p, n);
		sum += n;
		*from += n;
	}
	return sum;
}

static void screen(void **state)
{
	static const char *const questions[] = { "\x05", "\x1bZ", "\x1b[6n", "\x1b[>0c", "\x1b[?1$p",
						 "\x1b]11;?\x07", "\x1b]4;1;?\x1b\\",
						 "\x1bP$qm\x1b\\", "\x1bP+q544e\x1b\\" };
	static const char kept[] = "a\x1b[1;31mred\x1b[0m\x1b]0;title\x07\x1b(B\x1b[?1049h";
	static char to[2 * SCREEN_SIZE];
	uint64_t from = 0;
	size_t n;

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(questions); i++)
		for (const char *p = questions[i]; *p != '\0'; p++)
			screen_add(p, 1);
	assert_int_equal(screen_end(), 0);
	screen_add(kept, sizeof(kept) - 1);
	n = replay(to, &from);
	assert_int_equal(n, sizeof(kept) - 1);
	assert_memory_equal(to, kept, n);
	for (int i = 0; i < 20000; i++)
		screen_add("12345\r\n", 7);
	from = screen_start();
	n = replay(to, &from);
	assert_true(n <= SCREEN_SIZE && n > SCREEN_SIZE - 100);
	assert_memory_equal(to, "12345\r\n", 7);
	for (int i = 0; i < 300; i++)
		screen_add(i == 0 ? "\x1b]" : "x", i == 0 ? 2 : 1);
	assert_int_equal(replay(to, &from), 301); /* too long for a question */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),   cmocka_unit_test(round_trip), cmocka_unit_test(newlines),
		cmocka_unit_test(full_disk), cmocka_unit_test(long_lines), cmocka_unit_test(detach_keys),
		cmocka_unit_test(screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

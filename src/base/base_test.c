/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/opt.h"
#include "base/str.h"

static void err_texts(void **state)
{
	struct err err = { 0 };

	(void) state;
	assert_int_equal(err_set(&err, -ENOENT, "open '%s'", "x"), -ENOENT);
	assert_string_equal(err.text, "open 'x': no such file or directory");
	assert_int_equal(err_msg(&err, -EINVAL, "%s", err.text), -EINVAL); /* of itself */
	assert_int_equal(err_wrap(&err, -ENOENT, "load"), -ENOENT);
	assert_string_equal(err.text, "load: open 'x': no such file or directory");
	assert_int_equal(err_msg(NULL, -EINVAL, "ignored"), -EINVAL);
	assert_int_equal(err_msg(&err, -EINVAL, "%s", "a\x1b[2J\nb\xc2\x9b\x7f\xc3\x9b\xc2\xa9"), -EINVAL);
	assert_string_equal(err.text, "a?[2J?b???\xc3\x9b\xc2\xa9"); /* but letters stay */
}

/* Whatever there is room for, the text is whole. */
static void str_printf_grows(void **state)
{
	char want[200];

	(void) state;
	for (int n = 0; n < 140; n++) {
		_cleanup_(str_fini) struct str s = { 0 };

		str_printf(&s, "%0*d", n + 1, 7);
		str_printf(&s, "%s", "");
		str_printf(&s, "%c%0*d", 'x', 140 - n, 8);
		(void) snprintf(want, sizeof(want), "%0*dx%0*d", n + 1, 7, 140 - n, 8);
		assert_false(s.failed);
		assert_string_equal(s.p, want);
		assert_int_equal(s.len, strlen(want));
	}
}

static void str_json_quotes(void **state)
{
	_cleanup_(str_fini) struct str s = { 0 };

	(void) state;
	str_json(&s, "a\"b\\c\n\xc3\xa9\xff\xe2\x82");
	assert_string_equal(s.p, "\"a\\\"b\\\\c\\u000a\xc3\xa9\\ufffd\\ufffd\\ufffd\"");
}

static void numbers(void **state)
{
	uint64_t u = 7;
	int64_t i = 7;

	(void) state;
	assert_int_equal(str_to_u64("18446744073709551615", &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(str_to_u64("18446744073709551616", &u), -ERANGE);
	assert_int_equal(str_to_u64("-1", &u), -EINVAL);
	assert_int_equal(str_to_u64("", &u), -EINVAL);
	assert_int_equal(str_to_i64("-12", &i), 0);
	assert_int_equal(i, -12);
	assert_int_equal(str_to_i64("1x", &i), -EINVAL);
}

static void arena_array_grows(void **state)
{
	struct arena a = { 0 };
	size_t room = 0;
	int *v = NULL;

	(void) state;
	for (int i = 0; i < 1000; i++) {
		v = arena_grow(&a, v, (size_t) i, &room, sizeof(*v));
		assert_non_null(v);
		assert_true(room > (size_t) i);
		assert_int_equal(v[i], 0);
		v[i] = i + 1;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v[i], i + 1);
	room = SIZE_MAX / 8;
	assert_null(arena_grow(&a, v, room, &room, sizeof(*v)));
	assert_int_equal(room, SIZE_MAX / 8);
	arena_fini(&a);
}

static void arena_large_and_small(void **state)
{
	struct arena a = { 0 };
	char *big = arena_alloc(&a, 100000, 1);
	char *text = arena_printf(&a, "%d-%s", 5, "x");

	(void) state;
	assert_non_null(big);
	assert_string_equal(text, "5-x");
	assert_null(arena_alloc(&a, SIZE_MAX, 2));
	assert_int_equal(big[99999], 0);
	arena_fini(&a);
	assert_null(a.chunks);
}

struct opts {
	bool tty, interactive;
	const char *name;
	struct opt_strings env;
	uint64_t count;
};

static const struct opt table[] = {
	{ "tty", 't', OPT_BOOL, offsetof(struct opts, tty), NULL, "terminal" },
	{ "interactive", 'i', OPT_BOOL, offsetof(struct opts, interactive), NULL, "stdin" },
	{ "name", 0, OPT_STRING, offsetof(struct opts, name), "NAME", "name" },
	{ "env", 'e', OPT_STRINGS, offsetof(struct opts, env), "K=V", "environment" },
	{ "count", 'n', OPT_U64, offsetof(struct opts, count), "N", "number" },
	{ 0 },
};

static void opt_forms(void **state)
{
	char *argv[] = { "-it", "--name=a", "-eX=1", "-e", "Y=2", "-n", "3", "op", "-x", NULL };
	struct opts o = { 0 };
	int argc = (int) ARRAY_LEN(argv) - 1;

	(void) state;
	assert_int_equal(opt_parse(table, &o, &argc, argv, false, NULL), 0);
	assert_true(o.tty && o.interactive);
	assert_string_equal(o.name, "a");
	assert_int_equal(o.env.n, 2);
	assert_string_equal(o.env.v[0], "X=1");
	assert_string_equal(o.env.v[1], "Y=2");
	assert_int_equal(o.count, 3);
	assert_int_equal(argc, 2);
	assert_string_equal(argv[0], "op");
	assert_string_equal(argv[1], "-x");
	opt_fini(table, &o);
	assert_null(o.env.v);
}

static void opt_refusals(void **state)
{
	static const char *const bad[] = { "--nope", "-x", "--name", "-n=z", "--tty=maybe" };

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *argv[] = { "--env=A", (char *) bad[i], NULL };
		struct err err = { 0 };
		struct opts o = { 0 };
		int argc = 2;

		assert_int_equal(opt_parse(table, &o, &argc, argv, true, &err), -EINVAL);
		assert_non_null(strstr(err.text, "option"));
		opt_fini(table, &o);
	}
}

static void files(void **state)
{
	char dir[] = "/tmp/base_test.XXXXXX", path[64];
	_cleanup_(str_fini) struct str s = { 0 };

	(void) state;
	assert_non_null(mkdtemp(dir));
	(void) snprintf(path, sizeof(path), "%s/a/b/c", dir);
	assert_int_equal(dir_make_all(path, 0755), 0);
	assert_int_equal(dir_make_all(path, 0755), 0);

	_cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(file_replace(fd, "f", "hello", 5, 0600), 0);
	assert_int_equal(file_replace(fd, "f", "there", 5, 0600), 0);
	assert_int_equal(file_read(fd, "f", 5, &s), 0);
	assert_string_equal(s.p, "there");
	assert_int_equal(file_read(fd, "f", 4, &s), -EFBIG);
	assert_int_equal(symlinkat("/etc", fd, "link"), 0);
	assert_int_equal(dir_remove(AT_FDCWD, dir), 0);
	assert_int_equal(access(dir, F_OK), -1);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
}

/* Deeper than a process has descriptors, and with names that removal itself would choose. */
static void deep_tree(void **state)
{
	char dir[] = "/tmp/cleave-deep.XXXXXX";
	int fd;

	(void) state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(fd, ".lifted-0", 0755), 0);
	for (int i = 0; i < 700; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		(void) close(fd);
		fd = next;
	}
	(void) close(fd);
	assert_int_equal(dir_remove(AT_FDCWD, dir), 0);
	assert_int_equal(access(dir, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_texts),   cmocka_unit_test(str_json_quotes),
		cmocka_unit_test(str_printf_grows),
		cmocka_unit_test(numbers),     cmocka_unit_test(arena_large_and_small),
		cmocka_unit_test(arena_array_grows),
		cmocka_unit_test(opt_forms),   cmocka_unit_test(opt_refusals),
		cmocka_unit_test(files),
		cmocka_unit_test(deep_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "sys/path.h"

#define RACE_ROUNDS 150

/* A directory "top" with a "root" in it that nothing may leave, and an "outside" beside that */
struct place {
	char top[64];
	int top_fd, root;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -1;
	(void) snprintf(p->top, sizeof(p->top), "/tmp/path_test.XXXXXX");
	if (mkdtemp(p->top) == NULL)
		return -1;
	p->top_fd = open(p->top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(p->top_fd, "root", 0755) < 0 || mkdirat(p->top_fd, "outside", 0755) < 0)
		return -1;
	p->root = openat(p->top_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = p;
	return p->root < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	(void) close(p->root);
	(void) close(p->top_fd);
	(void) dir_remove(AT_FDCWD, p->top);
	free(p);
	return 0;
}

static void assert_same(int fd, int dirfd, const char *path)
{
	struct stat a, b;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstatat(dirfd, path, &b, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	(void) close(fd);
}

static bool is_empty(int dirfd, const char *path)
{
	return unlinkat(dirfd, path, AT_REMOVEDIR) == 0 && mkdirat(dirfd, path, 0755) == 0;
}

static void cleaning(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "/" },
		{ "/", "/" },
		{ "a", "/a" },
		{ "//a///b//", "/a/b" },
		{ "/a/./b/.", "/a/b" },
		{ "/a/../b", "/b" },
		{ "/../../x", "/x" },
		{ "/a/b/../../..", "/" },
		{ "/...", "/..." },
	};
	char out[64], tiny[4];

	(void) state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(path_clean(rows[i].in, out, sizeof(out)),
				 (int) strlen(rows[i].out));
		assert_string_equal(out, rows[i].out);
	}
	assert_int_equal(path_clean("/abc", tiny, sizeof(tiny)), -ENAMETOOLONG);
	assert_int_equal(path_clean("/ab", tiny, sizeof(tiny)), 3);
	assert_string_equal(path_below("/a/b", "/a/b/c"), "/c");
	assert_string_equal(path_below("/a/b", "/a/b"), "");
	assert_null(path_below("/a/b", "/a/bc"));
	assert_null(path_below("/", "/a"));
}

static void made_with_parents(void **state)
{
	struct place *p = *state;
	struct stat st;

	assert_same(path_make(p->root, "/a/b/c", S_IFDIR), p->root, "a/b/c");
	assert_same(path_make(p->root, "a//b/f", S_IFREG), p->root, "a/b/f");
	assert_int_equal(fstatat(p->root, "a/b/f", &st, 0), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_same(path_make(p->root, "/a/b/c", S_IFDIR), p->root, "a/b/c"); /* again */
	assert_int_equal(path_make(p->root, "/a/b/f/x", S_IFDIR), -ENOTDIR);
}

static void dots_stay_inside(void **state)
{
	struct place *p = *state;

	assert_same(path_open(p->root, "/../../..", O_PATH), p->top_fd, "root");
	assert_same(path_make(p->root, "../../outside/x", S_IFDIR), p->root, "outside/x");
	assert_true(is_empty(p->top_fd, "outside"));
}

static void links_stay_inside(void **state)
{
	struct place *p = *state;
	char target[128], below[140];

	(void) snprintf(target, sizeof(target), "%s/outside", p->top);
	assert_int_equal(symlinkat(target, p->root, "abs"), 0);
	assert_int_equal(symlinkat("../../../outside", p->root, "rel"), 0);
	assert_int_equal(symlinkat("rel", p->root, "chain"), 0);
	assert_int_equal(path_open(p->root, "abs", O_PATH), -ENOENT);
	/* made through dangling links, where they lead inside the root */
	assert_same(path_make(p->root, "rel/x", S_IFDIR), p->root, "outside/x");
	assert_same(path_make(p->root, "chain/y/f", S_IFREG), p->root, "outside/y/f");
	(void) snprintf(below, sizeof(below), "%s/z", target);
	assert_same(path_make(p->root, "abs/z", S_IFDIR), p->root, below + 1);
	assert_true(is_empty(p->top_fd, "outside"));
}

static void link_loops_end(void **state)
{
	struct place *p = *state;

	assert_int_equal(symlinkat("two", p->root, "one"), 0);
	assert_int_equal(symlinkat("one", p->root, "two"), 0);
	assert_int_equal(symlinkat("self/x", p->root, "self"), 0);
	assert_int_equal(path_make(p->root, "one/x", S_IFDIR), -ELOOP);
	assert_int_equal(path_make(p->root, "self", S_IFDIR), -ELOOP);
}

static void plain_refuses_links(void **state)
{
	struct place *p = *state;

	assert_same(path_make(p->root, "d/e", S_IFDIR), p->root, "d/e");
	assert_int_equal(symlinkat("d", p->root, "l"), 0);
	assert_same(path_open(p->root, "l/e", O_PATH), p->root, "d/e");
	assert_int_equal(path_open_plain(p->root, "l/e", O_PATH), -ELOOP);
	assert_int_equal(path_open_plain(p->root, "l", O_PATH), -ELOOP);
	assert_same(path_open_plain(p->root, "d/e", O_PATH), p->root, "d/e");
}

static void parents(void **state)
{
	struct place *p = *state;
	char name[NAME_MAX + 1];

	assert_same(path_make_parent(p->root, "/q/r/last", name), p->root, "q/r");
	assert_string_equal(name, "last");
	assert_same(path_make_parent(p->root, "top", name), p->top_fd, "root");
	assert_int_equal(path_make_parent(p->root, "/", name), -EINVAL);
	assert_int_equal(path_make_parent(p->root, "/a/..", name), -EINVAL);
}

static void magic_links_are_refused(void **state)
{
	_cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void) state;
	assert_true(proc >= 0);
	assert_int_equal(path_open(proc, "self/root/etc", O_PATH), -ELOOP);
	assert_int_equal(path_open(proc, "self/fd/0", O_PATH), -ELOOP);
	assert_int_equal(path_verify_fs(proc, PROC_SUPER_MAGIC), 0);
}

static void long_names(void **state)
{
	struct place *p = *state;
	char path[PATH_MAX + 8];

	memset(path, 'n', NAME_MAX + 1);
	path[NAME_MAX + 1] = '\0';
	assert_int_equal(path_make(p->root, path, S_IFDIR), -ENAMETOOLONG);
	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 2] = 'x';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(path_make(p->root, path, S_IFDIR), -ENAMETOOLONG);
}

struct race {
	int root;
	atomic_bool stop;
};

/* Swap a directory and a link that leads outside, as fast as it goes */
static void *swapper(void *arg)
{
	struct race *race = arg;

	while (!race->stop)
		(void) syscall(SYS_renameat2, race->root, "dir", race->root, "evil",
			       RENAME_EXCHANGE);
	return NULL;
}

static void swaps_never_lead_outside(void **state)
{
	struct place *p = *state;
	struct race race = { .root = p->root };
	struct stat outside, st;
	unsigned made = 0;
	pthread_t thread;

	assert_int_equal(fstatat(p->top_fd, "outside", &outside, 0), 0);
	assert_int_equal(mkdirat(p->root, "dir", 0755), 0);
	assert_int_equal(symlinkat("../../outside", p->root, "evil"), 0);
	assert_int_equal(pthread_create(&thread, NULL, swapper, &race), 0);
	for (int i = 0; i < RACE_ROUNDS; i++) {
		char path[32];
		int fd;

		(void) snprintf(path, sizeof(path), "dir/%d/x", i);
		fd = path_make(p->root, path, i % 2 ? S_IFDIR : S_IFREG);
		made += fd >= 0;
		if (fd >= 0)
			(void) close(fd);
		fd = i % 2 ? path_open_plain(p->root, "dir", O_PATH)
			   : path_make(p->root, "dir", S_IFDIR);
		if (fd < 0)
			continue;
		assert_int_equal(fstat(fd, &st), 0);
		assert_true(st.st_ino != outside.st_ino);
		(void) close(fd);
	}
	race.stop = true;
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(made > 0);
	assert_true(is_empty(p->top_fd, "outside"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleaning),
		TEST(made_with_parents),
		TEST(dots_stay_inside),
		TEST(links_stay_inside),
		TEST(link_loops_end),
		TEST(plain_refuses_links),
		TEST(parents),
		cmocka_unit_test(magic_links_are_refused),
		TEST(long_names),
		TEST(swaps_never_lead_outside),
	};

	(void) umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

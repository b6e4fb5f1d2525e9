/* SPDX-License-Identifier: MIT */
/* Images of EROFS: fsck.erofs takes them apart again, and all is as it was. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "image/erofs.h"

#define MAX (1ull << 40)

static char where[] = "/tmp/cleave-erofs-XXXXXX";

static int shell(const char *text)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (chdir(where) == 0)
			(void) execl("/bin/sh", "sh", "-c", text, NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static int set_up(void **state)
{
	(void) state;
	return mkdtemp(where) == NULL ? -1 : shell("mkdir tree");
}

static int tear_down(void **state)
{
	(void) state;
	return shell("rm -rf -- *") != 0 || rmdir(where) < 0;
}

/* Write "image" from "tree". */
static int write_image(uint64_t max, struct err *err)
{
	char path[64];

	(void) snprintf(path, sizeof(path), "%s/tree", where);
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void) snprintf(path, sizeof(path), "%s/image", where);
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(dir >= 0 && fd >= 0);
	return img_erofs_write(dir, fd, max, err);
}

/* Kinds, owners, modes, times, sizes, links and bytes; that tool loses set-user-id, hard links and attributes */
static void assert_same(void)
{
	assert_int_equal(shell("rm -rf out; fsck.erofs --extract=out image >/dev/null"), 0);
	assert_int_equal(shell("list() { find \"$1\" ! -type d -printf '%P %M %U %G %T@ %s %l\n' -o -printf '%P %M %U %G %T@\n' | sort; };"
			       "[ \"$(list tree)\" = \"$(list out)\" ] || { list tree >a; list out >b; diff a b; exit 1; }"),
			 0);
	assert_int_equal(shell("sums() { (cd $1 && find . -type f -exec sha256sum {} + | sort); }; [ \"$(sums tree)\" = \"$(sums out)\" ]"), 0);
}

static void test_kinds(void **state)
{
	struct err err = { 0 };

	(void) state;
	if (shell("command -v fsck.erofs >/dev/null") != 0)
		skip();
	assert_int_equal(shell("cd tree; mkdir -p a/b/empty 'a/name with spaces'; echo hello >a/b/file; : >a/nothing;"
			       "ln a/b/file a/other; ln a/b/file z; ln -s ../a/b a/link; ln -s $(printf %04000d 0) a/long; mkfifo fifo;"
			       "head -c 12288 /dev/urandom >three; head -c 4097 /dev/urandom >more; chmod 711 more; chmod 1777 a;"
			       "touch -d '1999-12-31 23:59:59.123456789' three; touch -h -d 1970-01-02 a/link; touch -d 2040-01-01 a/b;"
			       "if [ $(id -u) = 0 ]; then mknod null c 1 3; mknod big b 4095 1048575; chown 100000:4294967294 z; fi"),
			 0);
	assert_int_equal(write_image(MAX, &err), 0);
	assert_same();
}

static void test_many_names(void **state)
{
	struct err err = { 0 };

	(void) state;
	if (shell("command -v fsck.erofs >/dev/null") != 0)
		skip();
	assert_int_equal(shell("cd tree; mkdir many; cd many; seq 3000 | xargs touch; touch $(printf %0255d 1) $(printf %0254d 1) $(printf '\\377')"), 0);
	assert_int_equal(write_image(MAX, &err), 0);
	assert_same();
	assert_int_equal(shell("[ $(stat -c %s image) = 2097152 ]"), 0);
}

/* A sparse file of 4 GiB takes no room, and is not written out. */
static void test_holes(void **state)
{
	struct err err = { 0 };

	(void) state;
	assert_int_equal(shell("truncate -s 4294967297 tree/sparse; echo end | dd of=tree/sparse bs=1 seek=3000000000 conv=notrunc 2>/dev/null"), 0);
	assert_int_equal(write_image(MAX, &err), 0);
	assert_int_equal(shell("[ $(stat -c %b image) -lt 20480 ] && [ $(stat -c %s image) -gt 4294967296 ]"), 0);
	assert_int_equal(write_image(1ull << 30, &err), -EFBIG);
	assert_non_null(strstr(err.text, "sparse"));
	assert_int_equal(shell("rm tree/sparse"), 0);
}

static void test_limit(void **state)
{
	struct err err = { 0 };

	(void) state;
	assert_int_equal(write_image(8192, &err), -EFBIG);
	assert_int_equal(write_image(0, &err), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

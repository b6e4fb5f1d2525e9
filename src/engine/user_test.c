/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "engine/user.h"

static void write_text(int dir, const char *path, const char *text)
{
	_cleanup_close_ int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
}

static void lookups(void **state)
{
	static const struct {
		const char *text;
		int code;
		uint32_t uid, gid;
		size_t nr_groups;
	} cases[] = {
		{ "", 0, 0, 0, 1 },
		{ NULL, 0, 0, 0, 1 },
		{ "root", 0, 0, 0, 1 },
		{ "app", 0, 1000, 100, 2 },
		{ "1000", 0, 1000, 100, 2 },
		{ "app:wheel", 0, 1000, 10, 0 },
		{ "app:42", 0, 1000, 42, 0 },
		{ "77", 0, 77, 0, 0 },
		{ "77:88", 0, 77, 88, 0 },
		{ ":wheel", 0, 0, 10, 0 },
		{ "short", -ENOENT, 0, 0, 0 },
		{ "nobody", -ENOENT, 0, 0, 0 },
		{ "app:nogroup", -ENOENT, 0, 0, 0 },
		{ "4294967295", -EINVAL, 0, 0, 0 },
		{ "app:99999999999", -EINVAL, 0, 0, 0 },
	};
	char dir[] = "/tmp/cleave-user.XXXXXX";

	(void) state;
	assert_non_null(mkdtemp(dir));
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(fd, "etc", 0755), 0);
	write_text(fd, "etc/passwd",
		   "root:x:0:0:root:/root:/bin/sh\nbroken\n\nshort:x\napp:x:1000:100:::");
	write_text(
		fd, "etc/group",
		"root:x:0:\nbin:x:1:root,daemon\nwheel:x:10:app\nusers:x:100:app\nadm:x:4:ap,app\n");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct eng_user u;

		assert_int_equal(eng_user_find(fd, cases[i].text, &u, NULL), cases[i].code);
		if (cases[i].code < 0)
			continue;
		assert_int_equal(u.uid, cases[i].uid);
		assert_int_equal(u.gid, cases[i].gid);
		assert_int_equal(u.nr_groups, cases[i].nr_groups + 1);
		assert_int_equal(u.groups[0], u.gid);
	}
	assert_int_equal(dir_remove(AT_FDCWD, dir), 0);
}

/* A link to a file of the host is followed inside of the image only. */
static void links(void **state)
{
	char dir[] = "/tmp/cleave-user.XXXXXX";
	struct eng_user u;

	(void) state;
	assert_non_null(mkdtemp(dir));
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(fd, "etc", 0755), 0);
	assert_int_equal(symlinkat("../../../../etc/passwd", fd, "etc/passwd"), 0);
	assert_int_equal(eng_user_find(fd, "daemon", &u, NULL), -ENOENT);
	assert_int_equal(eng_user_find(fd, "5", &u, NULL), 0);
	assert_int_equal(dir_remove(AT_FDCWD, dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lookups),
		cmocka_unit_test(links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

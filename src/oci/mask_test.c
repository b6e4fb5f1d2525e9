/* SPDX-License-Identifier: MIT */
/* In a child with its own mount namespace, chrooted to a new tmpfs; skipped without root */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "oci/device.h"
#include "oci/mask.h"
#include "oci/spec.h"

#define SKIPPED 77

static char *paths[] = { (char *) "/dir",   (char *) "/file",   (char *) "/missing",
			 (char *) "/other", (char *) "//file/", (char *) "/file/below",
			 (char *) "/link" };

/* A check of the child: its line is the exit code */
#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			_exit(__LINE__ % 75 + 1);                                                  \
	} while (0)

static bool is_null(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

static void enter_tree(int *ret_null)
{
	int fd;

	if (unshare(CLONE_NEWNS) < 0)
		_exit(SKIPPED);
	CHECK(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) == 0);
	CHECK(mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == 0 && chdir("/tmp") == 0);
	CHECK(mkdir("dir", 0755) == 0 && mkdir("dir/secret", 0755) == 0 &&
	      mkdir("other", 0755) == 0);
	CHECK(mkdir("target", 0755) == 0 && symlink("/target", "link") == 0);
	fd = open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && fd_write_full(fd, "secret", 6) == 0 && close(fd) == 0);
	*ret_null = oci_device_clone_null(NULL);
	CHECK(*ret_null >= 0);
	CHECK(chroot(".") == 0);
}

static void masks_child(void)
{
	struct oci_spec spec = { .linux = { .masked_paths = { paths, ARRAY_LEN(paths) } } };
	struct stat dir, other, link;
	struct err err = { 0 };
	int null;

	enter_tree(&null);
	CHECK(oci_mask_paths(&spec, null, &err) == 0);
	CHECK(is_null("/file"));
	CHECK(chmod("/file", 0) < 0 && errno == EROFS); /* the host's device is safe */
	CHECK(access("/dir/secret", F_OK) < 0 && errno == ENOENT);
	CHECK(mkdir("/dir/new", 0755) < 0 && errno == EROFS);
	CHECK(stat("/dir", &dir) == 0 && stat("/other", &other) == 0 &&
	      stat("/target", &link) == 0);
	CHECK(dir.st_dev == other.st_dev && dir.st_dev == link.st_dev);
	CHECK(umount2("/file", 0) == 0 && !is_null("/file")); /* once, although named twice */
	_exit(0);
}

static void readonly_child(void)
{
	struct oci_spec spec = { .linux = { .readonly_paths = { paths, 3 } } };
	struct err err = { 0 };
	int null;

	enter_tree(&null);
	CHECK(oci_mask_readonly(&spec, &err) == 0);
	CHECK(open("/file", O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
	CHECK(mkdir("/dir/new", 0755) < 0 && errno == EROFS);
	CHECK(mkdir("/other/new", 0755) == 0);
	CHECK(access("/dir/secret", F_OK) == 0);
	_exit(0);
}

static void in_child(void (*f)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		f();
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void masks(void **state)
{
	(void) state;
	in_child(masks_child);
}

static void readonly(void **state)
{
	(void) state;
	in_child(readonly_child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(masks),
		cmocka_unit_test(readonly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

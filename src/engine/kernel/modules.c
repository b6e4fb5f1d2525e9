/* SPDX-License-Identifier: MIT */
#include "engine/kernel/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/kernel/kernel.h"
#include "sys/path.h"

#define DEPTH_MAX 16 /* directories inside each other */

static bool ends(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n > k && strcmp(s + n - k, end) == 0;
}

static bool is_module(const char *name)
{
	return ends(name, ".ko") || ends(name, ".ko.xz") || ends(name, ".ko.zst") || ends(name, ".ko.gz");
}

bool kernel_modules_wants(const char *name)
{
	return is_module(name) || str_starts(name, "modules.");
}

static bool leads_up(const char *path)
{
	for (const char *p = path; *p != '\0'; p += strcspn(p, "/"), p += *p == '/')
		if (strcspn(p, "/") == 2 && p[0] == '.' && p[1] == '.')
			return true;
	return false;
}

int kernel_modules_create(struct kernel_modules *m, const char *path, uint64_t size, struct err *err)
{
	char name[NAME_MAX + 1];
	_cleanup_close_ int parent = leads_up(path) ? -EINVAL : path_make_parent(m->dir, path, name);
	int fd;

	if (parent < 0)
		return err_set(err, parent, "module '%.200s'", path);
	if (m->files == ENG_KERNEL_MODULES_MAX)
		return err_msg(err, -EFBIG, "the kernel has more than %d modules", ENG_KERNEL_MODULES_MAX);
	if (size > ENG_KERNEL_MODULES_SIZE_MAX - m->size)
		return err_msg(err, -EFBIG, "the kernel's modules have more than %llu bytes",
			       ENG_KERNEL_MODULES_SIZE_MAX);
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(err, -errno, "create module '%.200s'", path);
	m->files++;
	m->modules += is_module(name);
	m->size += size;
	return fd;
}

static int copy_file(struct kernel_modules *m, int dir, const char *name, const char *path, struct err *err)
{
	_cleanup_close_ int from = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_close_ int to = -EBADF;
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0)
		return err_set(err, -errno, "read module '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_msg(err, -EINVAL, "module '%s' is no regular file", path);
	to = kernel_modules_create(m, path, (uint64_t) st.st_size, err);
	if (to < 0)
		return to;
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, (size_t) left);

		if (n <= 0)
			return err_set(err, n < 0 ? -errno : -EIO, "copy module '%s'", path);
		left -= n;
	}
	return 0;
}

static int copy_directory(struct kernel_modules *m, int fd, const char *path, int depth, struct err *err);

static int copy_entry(struct kernel_modules *m, int dir, const char *path, const struct dirent *e, int depth,
		      struct err *err)
{
	char below[PATH_MAX];
	int n = snprintf(below, sizeof(below), "%s%s%s", path, *path != '\0' ? "/" : "", e->d_name), fd;

	if (n < 0 || (size_t) n >= sizeof(below) || depth > DEPTH_MAX)
		return err_msg(err, -ENAMETOOLONG, "modules: '%.200s' is more than %d directories deep", path,
			       DEPTH_MAX);
	if (e->d_type == DT_REG)
		return kernel_modules_wants(e->d_name) ? copy_file(m, dir, e->d_name, below, err) : 0;
	if (e->d_type != DT_DIR)
		return 0;
	fd = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_set(err, -errno, "open directory '%s' of the modules", below)
		      : copy_directory(m, fd, below, depth, err);
}

/* Takes the descriptor. */
static int copy_directory(struct kernel_modules *m, int fd, const char *path, int depth, struct err *err)
{
	_cleanup_closedir_ DIR *d = fdopendir(fd);
	const struct dirent *e;
	int r = 0;

	if (d == NULL) {
		(void) close(fd); /* fdopendir() did not take it */
		return err_set(err, -ENOMEM, "read the modules");
	}
	while (r == 0 && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    (depth > 0 || (strcmp(e->d_name, "build") != 0 && strcmp(e->d_name, "source") != 0)))
			r = copy_entry(m, dirfd(d), path, e, depth + 1, err);
	return r;
}

int kernel_modules_copy(struct kernel_modules *m, const char *from, struct err *err)
{
	int fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return err_set(err, -errno, "open the modules' directory '%s'", from);
	r = copy_directory(m, fd, "", 0, err);
	if (r == 0 && m->modules == 0)
		r = err_msg(err, -ENOENT, "directory '%s' has no kernel modules", from);
	return r;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: copying a directory into a new tmpfs (the option "tmpcopyup")
 *
 * Works on descriptors and never follows a link, so whatever somebody does to the source meanwhile,
 * nothing outside is read.  Owners, permissions, times, extended attributes, links and special
 * files are kept; files that are hard links of each other become copies. Limit: DEPTH_MAX
 * directories deep.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "oci/mount.h"

#define DEPTH_MAX      256
#define CHUNK          ((size_t) 65536) /* bytes */
#define XATTR_SIZE_MAX 65536            /* bytes, a kernel limit */

static int copy_xattrs(int from, int to)
{
	_cleanup_free_ char *names = NULL, *value = NULL;
	ssize_t n = flistxattr(from, NULL, 0);

	if (n <= 0)
		return n == 0 || errno == ENOTSUP ? 0 : -errno;
	names = malloc((size_t) n);
	value = malloc(XATTR_SIZE_MAX);
	if (names == NULL || value == NULL)
		return -ENOMEM;
	n = flistxattr(from, names, (size_t) n);
	if (n < 0)
		return -errno;
	for (const char *name = names; name < names + n; name += strlen(name) + 1) {
		ssize_t k = fgetxattr(from, name, value, XATTR_SIZE_MAX);

		if (k < 0)
			return -errno;
		if (fsetxattr(to, name, value, (size_t) k, 0) < 0 && errno != ENOTSUP &&
		    errno != EPERM)
			return -errno;
	}
	return 0;
}

/* Last, since writing changes times and chown() clears bits */
static int copy_attributes(int from, int to, const struct stat *st)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	int r = copy_xattrs(from, to);
	if (r < 0)
		return r;
	return futimens(to, times) < 0 ? -errno : 0;
}

static int copy_content(int from, int to)
{
	_cleanup_free_ char *buf = malloc(CHUNK);

	if (buf == NULL)
		return -ENOMEM;
	for (;;) {
		ssize_t n = fd_read_full(from, buf, CHUNK);
		int r;

		if (n <= 0)
			return (int) n;
		r = fd_write_full(to, buf, (size_t) n);
		if (r < 0)
			return r;
	}
}

static int copy_file(int from_dir, int to_dir, const char *name)
{
	_cleanup_close_ int from =
		openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int r;

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EAGAIN; /* it was a moment ago */
	_cleanup_close_ int to =
		openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	r = copy_content(from, to);
	return r < 0 ? r : copy_attributes(from, to, &st);
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (symlinkat(target, to_dir, name) < 0 ||
	    fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int copy_special(int to_dir, const char *name, const struct stat *st)
{
	if (mknodat(to_dir, name, st->st_mode, st->st_rdev) < 0 ||
	    fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int copy_tree(int from, int to, int depth, struct err *err);

static int copy_dir(int from_dir, int to_dir, const char *name, int depth, struct err *err)
{
	_cleanup_close_ int from =
		openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	if (mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	_cleanup_close_ int to =
		openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return -errno;
	r = copy_tree(from, to, depth + 1, err);
	return r < 0 ? r : copy_attributes(from, to, &st);
}

static int copy_entry(int from, int to, const char *name, int depth, struct err *err)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return copy_dir(from, to, name, depth, err);
	if (S_ISREG(st.st_mode))
		return copy_file(from, to, name);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to, name, &st);
	return copy_special(to, name, &st);
}

/* Takes @from over only for the time of the call; a message is set for every failure */
static int copy_tree(int from, int to, int depth, struct err *err)
{
	struct dirent *e;
	int fd;

	if (depth > DEPTH_MAX)
		return err_msg(err, -ELOOP, "tmpcopyup: more than %d directories deep", DEPTH_MAX);
	fd = fcntl(from, F_DUPFD_CLOEXEC, 3);
	_cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (d == NULL)
		return err_set(err, -errno, "tmpcopyup");
	while ((errno = 0, e = readdir(d)) != NULL) {
		int r;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (err != NULL)
			err->text[0] = '\0';
		r = copy_entry(from, to, e->d_name, depth, err);
		if (r < 0)
			return err_wrap(err, r, "%s%s", depth == 0 ? "tmpcopyup: " : "", e->d_name);
	}
	return errno != 0 ? err_set(err, -errno, "tmpcopyup: read directory") : 0;
}

int oci_mount_copy_up(int from, int to, struct err *err)
{
	_cleanup_close_ int from_dir = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int to_dir = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r;

	if (from_dir < 0 || to_dir < 0 || fstat(from_dir, &st) < 0)
		return err_set(err, -errno, "tmpcopyup");
	r = copy_tree(from_dir, to_dir, 0, err);
	if (r < 0)
		return r;
	return fchown(to_dir, st.st_uid, st.st_gid) < 0
		       ? err_set(err, -errno, "tmpcopyup: set owner")
		       : 0;
}

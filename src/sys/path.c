/* SPDX-License-Identifier: MIT */
/**
 * DOC: paths that stay inside a root
 *
 * All resolution is openat2(2) with RESOLVE_IN_ROOT, so the kernel guards against races; EAGAIN
 * (a rename happened while ".." was resolved) is tried again.  Creating walks component by
 * component: a component is made in the directory that was just opened, then opened again inside
 * the root, so a swap between the two calls fails or stays inside.
 * Limit: LINKS_MAX dangling links while creating.
 */
#include "sys/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"

#define RETRY_MAX 128
#define LINKS_MAX 40

static int open_in(int rootfd, const char *path, int flags, unsigned long long resolve)
{
	struct open_how how = {
		.flags = (unsigned long long) (flags | O_CLOEXEC),
		.resolve = resolve,
	};
	long fd;
	int tries = 0;

	do
		fd = syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR) && ++tries < RETRY_MAX);
	return fd < 0 ? -errno : (int) fd;
}

int path_open(int rootfd, const char *path, int flags)
{
	if (*path == '\0')
		path = "/";
	return open_in(rootfd, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int path_open_plain(int rootfd, const char *path, int flags)
{
	if (*path == '\0')
		path = "/";
	return open_in(rootfd, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
}

int path_open_own(const char *path, int flags)
{
	return open_in(AT_FDCWD, path, flags, RESOLVE_NO_MAGICLINKS);
}

int path_clean(const char *path, char *ret, size_t size)
{
	size_t len = 0;

	if (size < 2)
		return -ENAMETOOLONG;
	for (;;) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 0)
			break;
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (len > 0 && ret[--len] != '/')
				;
		} else if (n != 1 || path[0] != '.') {
			if (len + 1 + n >= size)
				return -ENAMETOOLONG;
			ret[len++] = '/';
			memcpy(ret + len, path, n);
			len += n;
		}
		path += n;
	}
	if (len == 0)
		ret[len++] = '/';
	ret[len] = '\0';
	return (int) len;
}

const char *path_below(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	if (n <= 1 || strncmp(dir, path, n) != 0 || (path[n] != '/' && path[n] != '\0'))
		return NULL;
	return path + n;
}

/* Make @name in directory @dirfd.  Return: 0 also when it exists; -errno. */
static int make_one(int dirfd, const char *name, mode_t mode)
{
	int fd;

	if (S_ISDIR(mode))
		return mkdirat(dirfd, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
	fd = openat(dirfd, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	return close(fd) < 0 ? -errno : 0;
}

/*
 * Replace @path (PATH_MAX bytes) by the target of the link it names: @parent/@name is a dangling
 * link, @rest is what follows it.
 */
static int splice_link(int dirfd, const char *parent, const char *name, const char *rest,
		       char *path)
{
	char target[PATH_MAX], out[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);
	size_t used = 0;
	const char *parts[] = { target[0] == '/' ? "" : parent, "/", target, "/", rest };

	if (n < 0)
		return -errno;
	target[n] = '\0';
	parts[0] = target[0] == '/' ? "" : parent;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		size_t len = strlen(parts[i]);

		if (used + len >= sizeof(out))
			return -ENAMETOOLONG;
		memcpy(out + used, parts[i], len);
		used += len;
	}
	memcpy(path, out, used);
	path[used] = '\0';
	return 0;
}

/*
 * Walk @path below @rootfd, making what is missing.
 * Return: descriptor; -EDOM when @path was rewritten by a dangling link and must be walked again.
 */
static int walk(int rootfd, char *path, mode_t mode)
{
	_cleanup_close_ int dir = open_in(rootfd, "/", O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
	char *p = path;

	if (dir < 0)
		return dir;
	for (;;) {
		char name[NAME_MAX + 1], saved;
		size_t n;
		char *end;
		bool last;
		int fd, r;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 0)
			return take_fd(dir);
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, p, n);
		name[n] = '\0';
		end = p + n;
		last = end[strspn(end, "/")] == '\0';

		saved = *end;
		*end = '\0';
		fd = path_open(rootfd, path, O_PATH);
		if (fd == -ENOENT) {
			r = make_one(dir, name, last ? mode : S_IFDIR);
			if (r == 0)
				fd = path_open(rootfd, path, O_PATH);
			else
				fd = r;
		}
		if (fd == -ENOENT) { /* still: it is a dangling link */
			char rest[PATH_MAX];

			*end = saved;
			memcpy(rest, end, strlen(end) + 1);
			*p = '\0';
			char parent[PATH_MAX];
			memcpy(parent, path, strlen(path) + 1);
			r = splice_link(dir, parent, name, rest, path);
			return r < 0 ? r : -EDOM;
		}
		*end = saved;
		if (fd < 0)
			return fd;
		(void) close(dir); /* O_PATH */
		dir = fd;
		p = end;
	}
}

/* Split off the last part of @path.  Return: bytes before it; -EINVAL; -ENAMETOOLONG. */
static ssize_t split_last(const char *path, char *name)
{
	size_t end = strlen(path), start, n;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	n = end - start;
	if (n > NAME_MAX || start >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(name, path + start, n);
	name[n] = '\0';
	if (n == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	return (ssize_t) start;
}

/* The usual case: only the last part is missing.  Return: descriptor; -errno, then walk. */
static int make_last(int rootfd, const char *path, mode_t mode)
{
	char name[NAME_MAX + 1], parent[PATH_MAX];
	ssize_t n = split_last(path, name);
	int fd, r;

	if (n < 0)
		return (int) n;
	memcpy(parent, path, (size_t) n);
	parent[n] = '\0';
	_cleanup_close_ int dir = path_open(rootfd, parent, O_PATH | O_DIRECTORY);
	if (dir < 0)
		return dir;
	r = make_one(dir, name, mode);
	if (r < 0)
		return r;
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | (S_ISDIR(mode) ? O_DIRECTORY : 0));
	if (fd < 0)
		return -errno;
	if (!S_ISDIR(mode)) { /* a link that was there already does not count */
		struct stat st;

		if (fstat(fd, &st) < 0 || S_ISLNK(st.st_mode)) {
			(void) close(fd); /* O_PATH */
			return -ELOOP;
		}
	}
	return fd;
}

int path_make_parent(int rootfd, const char *path, char *name)
{
	char parent[PATH_MAX];
	ssize_t n = split_last(path, name);

	if (n < 0)
		return (int) n;
	memcpy(parent, path, (size_t) n);
	parent[n] = '\0';
	return path_make(rootfd, parent, S_IFDIR);
}

int path_create(int rootfd, const char *path, mode_t mode)
{
	char buf[PATH_MAX];
	size_t n = strlen(path);
	int fd = make_last(rootfd, path, mode);

	if (fd >= 0)
		return fd;
	if (n >= sizeof(buf))
		return -ENAMETOOLONG;
	memcpy(buf, path, n + 1);
	for (int i = 0; i < LINKS_MAX; i++) {
		fd = walk(rootfd, buf, mode);
		if (fd != -EDOM)
			return fd;
	}
	return -ELOOP;
}

int path_make(int rootfd, const char *path, mode_t mode)
{
	int fd = path_open(rootfd, path, O_PATH);

	return fd == -ENOENT ? path_create(rootfd, path, mode) : fd;
}

int path_verify_fs(int fd, long magic)
{
	struct statfs st;

	if (fstatfs(fd, &st) < 0)
		return -errno;
	return st.f_type == magic ? 0 : -EXDEV;
}

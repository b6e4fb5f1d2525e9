/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/str.h"

#define SIZE_DEPTH_MAX 256 /* directories inside each other */

#define READ_STEP ((size_t) 16384) /* bytes */
#define DIR_DEPTH_MAX 256

ssize_t fd_read_full(int fd, void *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = read(fd, (char *) buf + done, n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		done += (size_t) r;
	}
	return (ssize_t) done;
}

int fd_write_full(int fd, const void *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = write(fd, (const char *) buf + done, n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		done += (size_t) r;
	}
	return 0;
}

int fd_read_str(int fd, size_t max, struct str *ret)
{
	char buf[READ_STEP];
	size_t total = 0;

	for (;;) {
		ssize_t r = read(fd, buf, sizeof(buf));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		total += (size_t) r;
		if (total > max)
			return -EFBIG;
		str_add(ret, buf, (size_t) r);
	}
	str_add(ret, "", 0);
	return ret->failed ? -ENOMEM : 0;
}

int file_read(int dirfd, const char *path, size_t max, struct str *ret)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fd_read_str(fd, max, ret);
}

int file_write(int dirfd, const char *path, const char *text)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);
	ssize_t r;

	if (fd < 0)
		return -errno;
	do
		r = write(fd, text, strlen(text));
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int file_replace(int dirfd, const char *name, const void *data, size_t n, mode_t mode)
{
	char tmp[NAME_MAX + 1];
	int r;

	if (snprintf(tmp, sizeof(tmp), ".%s.%d", name, (int) getpid()) >= (int) sizeof(tmp))
		return -ENAMETOOLONG;

	_cleanup_close_ int fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	r = fd_write_full(fd, data, n);
	if (r == 0 && renameat(dirfd, tmp, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		(void) unlinkat(dirfd, tmp, 0); /* the first failure is the one to report */
	return r;
}

int dir_make_all(const char *path, mode_t mode)
{
	char buf[PATH_MAX];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(buf))
		return n == 0 ? -ENOENT : -ENAMETOOLONG;
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	memcpy(buf, path, n + 1);
	for (char *p = buf + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(buf, mode) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(buf, mode) < 0 && errno != EEXIST ? -errno : 0;
}

struct removal {
	int top; /* the directory that is removed, -EBADF while it is not open */
	unsigned lifted;
};

static int remove_entry(struct removal *rm, int dirfd, const char *path, int depth);

/* A tree may be deeper than descriptors suffice: move what is too deep to the top, which is read again. */
static int lift(struct removal *rm, int dirfd, const char *path)
{
	char name[32];
	int r;

	do {
		(void) snprintf(name, sizeof(name), ".lifted-%u", rm->lifted++);
		r = renameat2(dirfd, path, rm->top, name, RENAME_NOREPLACE) < 0 ? -errno : 0;
	} while (r == -EEXIST);
	return r;
}

static int remove_content(struct removal *rm, DIR *d, int depth)
{
	struct dirent *e;
	int r = 0;

	rewinddir(d);
	while ((e = readdir(d)) != NULL) {
		int q;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		q = remove_entry(rm, dirfd(d), e->d_name, depth + 1);
		if (r == 0)
			r = q;
	}
	return r;
}

static int remove_entry(struct removal *rm, int dirfd, const char *path, int depth)
{
	int fd, r;

	if (unlinkat(dirfd, path, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (depth > DIR_DEPTH_MAX)
		return lift(rm, dirfd, path);
	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	_cleanup_closedir_ DIR *d = fdopendir(fd);
	if (d == NULL) {
		(void) close(fd); /* fdopendir() did not take it */
		return -ENOMEM;
	}
	if (depth == 0)
		rm->top = fd;
	do {
		r = remove_content(rm, d, depth);
		if (r == 0 && unlinkat(dirfd, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
			r = -errno;
	} while (r == -ENOTEMPTY); /* something was lifted here, or the file system skipped an entry */
	return r;
}

int dir_remove(int dirfd, const char *path)
{
	struct removal rm = { .top = -EBADF };

	return remove_entry(&rm, dirfd, path, 0);
}

static uint64_t size_below(int dirfd, const char *path, unsigned depth)
{
	struct dirent *d;
	struct stat st;
	uint64_t sum = 0;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || depth > SIZE_DEPTH_MAX)
		return 0;
	if (!S_ISDIR(st.st_mode))
		return S_ISREG(st.st_mode) ? (uint64_t) st.st_size : 0;
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL && fd >= 0)
		(void) close(fd); /* read-only */
	while (dir != NULL && (d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			sum += size_below(fd, d->d_name, depth + 1);
	return sum;
}

uint64_t dir_size(int dirfd, const char *path)
{
	return size_below(dirfd, path, 0);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

int dir_names(int dir, struct arena *arena, const char ***ret, size_t *ret_n)
{
	_cleanup_free_ const char **list = NULL;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	size_t n = 0, room = 0;
	struct dirent *e;

	if (d == NULL)
		return -errno;
	while ((errno = 0, e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (n == room) {
			const char **more = reallocarray(list, room = room * 2 + 32, sizeof(*more));

			if (more == NULL)
				return -ENOMEM;
			list = more;
		}
		list[n] = arena_strdup(arena, e->d_name);
		if (list[n++] == NULL)
			return -ENOMEM;
	}
	if (errno != 0)
		return -errno;
	if (n > 0)
		qsort(list, n, sizeof(*list), compare_names);
	*ret = take_ptr(list);
	*ret_n = n;
	return 0;
}

bool dir_is_empty(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), n = 0;
	_cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (fd < 0)
		return errno == ENOENT;
	while (d != NULL && n < 3 && readdir(d) != NULL)
		n++;
	return n == 2; /* "." and ".." */
}

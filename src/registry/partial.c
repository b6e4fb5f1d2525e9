/* SPDX-License-Identifier: MIT */
#include "registry/partial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

int partial_dir(int store, struct err *err)
{
	int fd;

	if (mkdirat(store, "partial", 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "create directory 'partial' of the store");
	fd = openat(store, "partial", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(err, -errno, "open directory 'partial' of the store") : fd;
}

/* The file that has the name is the one that is open: nobody removed it before we had the lock */
static bool is_there(int dir, const char *hex, const struct stat *st)
{
	struct stat now;

	return fstatat(dir, hex, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_ino == st->st_ino;
}

int partial_open(int dir, const char *hex, uint64_t *ret_have, struct err *err)
{
	struct stat st;

	for (;;) {
		_cleanup_close_ int fd = openat(dir, hex, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (fd < 0)
			return err_set(err, -errno, "create 'partial/%.12s' of the store", hex);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? -EBUSY
						    : err_set(err, -errno, "lock 'partial/%.12s'", hex);
		if (fstat(fd, &st) < 0)
			return err_set(err, -errno, "read 'partial/%.12s'", hex);
		if (st.st_nlink > 1 && is_there(dir, hex, &st)) {
			partial_remove(dir, hex); /* who made it a blob of this died before this; a blob is not written to */
			continue;
		}
		if (!is_there(dir, hex, &st))
			continue;
		*ret_have = (uint64_t) st.st_size;
		return take_fd(fd);
	}
}

void partial_remove(int dir, const char *hex)
{
	(void) unlinkat(dir, hex, 0); /* what stays is old one day */
}

void partial_sweep(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	time_t old = time(NULL) - (time_t) REG_PARTIAL_DAYS * 24 * 3600;
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		struct stat st;

		if (e->d_name[0] == '.')
			continue;
		_cleanup_close_ int file = openat(dir, e->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0 && fstat(file, &st) == 0 &&
		    (st.st_mtime < old || st.st_nlink > 1))
			partial_remove(dir, e->d_name);
	}
}

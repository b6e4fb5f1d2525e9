/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/internal.h"

int eng_lock_try(struct engine *e, const char *id, bool create)
{
	char path[ENG_ID_LEN + 16];
	struct stat st;

	(void) snprintf(path, sizeof(path), "%.64s/lock", id);
	_cleanup_close_ int fd = openat(e->run_fd, path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && create) {
		if (mkdirat(e->run_fd, id, 0700) < 0 && errno != EEXIST)
			return -errno;
		fd = openat(e->run_fd, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	/* somebody who thought the directory abandoned may have removed it before we had the lock */
	if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		return -ENOENT;
	return take_fd(fd);
}

int eng_lock_shared(struct engine *e, const char *id)
{
	char path[ENG_ID_LEN + 16];

	(void) snprintf(path, sizeof(path), "%.64s/lock", id);
	_cleanup_close_ int fd = openat(e->run_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

void eng_run_remove(struct engine *e, const char *id)
{
	int fd = openat(e->run_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	if (dir == NULL && fd >= 0)
		(void) close(fd); /* fdopendir() did not take it */
	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, "lock") != 0 && strcmp(d->d_name, ".") != 0 &&
		    strcmp(d->d_name, "..") != 0)
			(void) dir_remove(fd, d->d_name); /* then it is not empty below */
	(void) unlinkat(fd, "lock", 0); /* as above */
	(void) unlinkat(e->run_fd, id, AT_REMOVEDIR); /* reconciling tries again */
}

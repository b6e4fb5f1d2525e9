/* SPDX-License-Identifier: MIT */
#include "image/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

#define PATH_LIMIT 4096 /* bytes */

struct diff {
	void (*found)(void *data, char kind, const char *path);
	void *data;
	char path[PATH_LIMIT + 1];
};

static int filter(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int open_dir(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Everything in the lower directory that the upper one, which hides it, has not */
static int hidden(struct diff *d, int upper, int lower, size_t len)
{
	struct dirent **names = NULL;
	int n = scandirat(lower, ".", &names, filter, by_bytes);

	for (int i = 0; i < n; i++) {
		struct stat st;

		if (fstatat(upper, names[i]->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
		    len + 1 + strlen(names[i]->d_name) <= PATH_LIMIT) {
			(void) snprintf(d->path + len, sizeof(d->path) - len, "/%s",
					names[i]->d_name);
			d->found(d->data, 'D', d->path);
			d->path[len] = '\0';
		}
		free(names[i]);
	}
	free(names);
	return n < 0 ? -errno : 0;
}

static bool is_opaque(int dir)
{
	char mark = 'n';

	return (fgetxattr(dir, "trusted.overlay.opaque", &mark, 1) == 1 ||
		fgetxattr(dir, "user.overlay.opaque", &mark, 1) == 1) &&
	       mark == 'y';
}

static int walk(struct diff *d, int upper, int lower, struct err *err);

/* d->path is its name; @lower: directory, or -EBADF below an added one */
static int entry(struct diff *d, int upper, int lower, const char *name, struct err *err)
{
	struct stat st, old;
	bool was;

	if (fstatat(upper, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(err, -errno, "read '%.200s'", d->path);
	was = lower >= 0 && fstatat(lower, name, &old, AT_SYMLINK_NOFOLLOW) == 0;
	if (S_ISCHR(st.st_mode) && st.st_rdev == 0) {
		if (was)
			d->found(d->data, 'D', d->path);
		return 0;
	}
	d->found(d->data, was ? 'C' : 'A', d->path);
	if (!S_ISDIR(st.st_mode))
		return 0;
	_cleanup_close_ int up = open_dir(upper, name);
	if (up < 0)
		return err_set(err, -errno, "open '%.200s'", d->path);
	_cleanup_close_ int low = was && S_ISDIR(old.st_mode) ? open_dir(lower, name) : -EBADF;
	if (low >= 0 && is_opaque(up)) {
		int r = hidden(d, up, low, strlen(d->path));

		if (r < 0)
			return err_set(err, r, "read directory '%.200s'", d->path);
	}
	return walk(d, up, low, err);
}

static int walk(struct diff *d, int upper, int lower, struct err *err)
{
	struct dirent **names = NULL;
	int n = scandirat(upper, ".", &names, filter, by_bytes), r = 0;
	size_t len = strlen(d->path);

	if (n < 0)
		return err_set(err, -errno, "read directory '%.200s'", d->path);
	for (int i = 0; i < n; i++) {
		if (r == 0 && len + 1 + strlen(names[i]->d_name) > PATH_LIMIT)
			r = err_msg(err, -ENAMETOOLONG, "'%.200s...' is over %d bytes", d->path,
				    PATH_LIMIT);
		if (r == 0) {
			(void) snprintf(d->path + len, sizeof(d->path) - len, "/%s",
					names[i]->d_name);
			r = entry(d, upper, lower, names[i]->d_name, err);
			d->path[len] = '\0';
		}
		free(names[i]);
	}
	free(names);
	return r;
}

int img_diff(int upper, int lower, void (*found)(void *data, char kind, const char *path),
	     void *data, struct err *err)
{
	struct diff d = { .found = found, .data = data };

	return walk(&d, upper, lower, err);
}

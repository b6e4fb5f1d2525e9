/* SPDX-License-Identifier: MIT */
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
#include "base/str.h"
#include "image/diff.h"

#define PATH_LIMIT 4096 /* bytes */
#define CAPABILITY_MAX 64 /* bytes of the attribute */

/* Changes are collected: a directory is told before what is in it, which says whether it is told. */
struct trees {
	struct str list; /* kind, path, zero */
	char path[PATH_LIMIT + 1];
};

struct names {
	struct dirent **v;
	int n;
};

static void names_fini(struct names *names)
{
	for (int i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
}

static int filter(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void add(struct trees *t, char kind)
{
	str_add(&t->list, &kind, 1);
	str_add(&t->list, t->path, strlen(t->path) + 1);
}

static int read_names(int dir, struct names *ret)
{
	if (dir < 0)
		return 0;
	ret->n = scandirat(dir, ".", &ret->v, filter, by_bytes);
	if (ret->n >= 0)
		return 0;
	ret->n = 0;
	return -errno;
}

static bool same_capability(int a, int b, const char *name)
{
	char path[64 + NAME_MAX], x[CAPABILITY_MAX], y[CAPABILITY_MAX];
	ssize_t n, m;

	(void) snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", a, name);
	n = lgetxattr(path, "security.capability", x, sizeof(x));
	(void) snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", b, name);
	m = lgetxattr(path, "security.capability", y, sizeof(y));
	return n == m && (n <= 0 || memcmp(x, y, (size_t) n) == 0);
}

static bool same_target(int a, int b, const char *name)
{
	char x[PATH_LIMIT], y[PATH_LIMIT];
	ssize_t n = readlinkat(a, name, x, sizeof(x)), m = readlinkat(b, name, y, sizeof(y));

	return n == m && n >= 0 && memcmp(x, y, (size_t) n) == 0;
}

/* By size and time, as Podman: contents are not read. */
static bool same_file(int a, const struct stat *x, int b, const struct stat *y, const char *name)
{
	if (x->st_mode != y->st_mode || x->st_uid != y->st_uid || x->st_gid != y->st_gid ||
	    x->st_rdev != y->st_rdev)
		return false;
	if (!S_ISDIR(x->st_mode) &&
	    (x->st_size != y->st_size || x->st_mtim.tv_sec != y->st_mtim.tv_sec))
		return false;
	if (S_ISLNK(x->st_mode))
		return same_target(a, b, name);
	return same_capability(a, b, name);
}

static int open_dir(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int walk(struct trees *t, int old, int new, struct err *err);

/* One name; @old or @new is -EBADF where its directory is missing. */
static int entry(struct trees *t, int old, int new, const char *name, struct err *err)
{
	_cleanup_free_ char *below = NULL;
	struct stat x = { 0 }, y = { 0 };
	bool was = old >= 0 && fstatat(old, name, &x, AT_SYMLINK_NOFOLLOW) == 0;
	bool is = new >= 0 && fstatat(new, name, &y, AT_SYMLINK_NOFOLLOW) == 0;
	bool changed = was && is && !same_file(old, &x, new, &y, name);
	size_t begin = t->list.len, len;
	int r;

	if (!is) {
		if (was)
			add(t, 'D');
		return 0;
	}
	if (!was || changed)
		add(t, was ? 'C' : 'A');
	if (!S_ISDIR(y.st_mode))
		return 0;
	_cleanup_close_ int new_dir = open_dir(new, name);
	_cleanup_close_ int old_dir = was && S_ISDIR(x.st_mode) ? open_dir(old, name) : -EBADF;
	if (new_dir < 0)
		return err_set(err, -errno, "open '%.200s'", t->path);
	r = walk(t, old_dir, new_dir, err);
	len = t->list.len - begin;
	if (r < 0 || !was || changed || len == 0 || t->list.failed)
		return r;
	below = malloc(len); /* something in it changed, so it did, too */
	if (below == NULL)
		return err_set(err, -ENOMEM, "compare the images");
	memcpy(below, t->list.p + begin, len);
	t->list.len = begin;
	add(t, 'C');
	str_add(&t->list, below, len);
	return 0;
}

static int walk(struct trees *t, int old, int new, struct err *err)
{
	_cleanup_(names_fini) struct names a = { 0 }, b = { 0 };
	size_t len = strlen(t->path);
	int r = read_names(old, &a), i = 0, k = 0;

	if (r == 0)
		r = read_names(new, &b);
	if (r < 0)
		return err_set(err, r, "read directory '%.200s'", t->path);
	while (r == 0 && (i < a.n || k < b.n)) {
		int order = i == a.n ? 1
			    : k == b.n ? -1
				       : strcmp(a.v[i]->d_name, b.v[k]->d_name);
		const char *name = order <= 0 ? a.v[i]->d_name : b.v[k]->d_name;

		if (len + 1 + strlen(name) > PATH_LIMIT)
			return err_msg(err, -ENAMETOOLONG, "'%.200s...' is over %d bytes", t->path,
				       PATH_LIMIT);
		(void) snprintf(t->path + len, sizeof(t->path) - len, "/%s", name);
		r = entry(t, old, new, name, err);
		t->path[len] = '\0';
		i += order <= 0;
		k += order >= 0;
	}
	return r;
}

int img_diff_trees(int old, int new, void (*found)(void *data, char kind, const char *path),
		   void *data, struct err *err)
{
	struct trees t = { 0 };
	int r = walk(&t, old, new, err);

	if (r == 0 && t.list.failed)
		r = err_set(err, -ENOMEM, "compare the images");
	for (size_t at = 0; r == 0 && at < t.list.len; at += strlen(t.list.p + at) + 1)
		found(data, t.list.p[at], t.list.p + at + 1);
	str_fini(&t.list);
	return r;
}

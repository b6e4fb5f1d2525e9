/* SPDX-License-Identifier: MIT */
/**
 * DOC: a tree as a tar
 *
 * Walks by descriptors and follows no link, so a tree that its owner changes meanwhile leads nowhere.
 */
#include "image/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "image/sink.h"
#include "image/tar.h"
#include "image/tar_write.h"
#include "image/tree_ids.h"

#define BUCKETS 1024 /* of the table of hard links */
#define UNSIZED_MAX (16u << 20) /* bytes of a file that says it has none */
#define XATTR_LIST_MAX 65536 /* bytes, the kernel's limit */

struct link {
	dev_t dev;
	ino_t ino;
	const char *path;
	struct link *next;
};

struct walk {
	struct img_sink *sink;
	const struct img_tree_opts *opts;
	struct arena arena;
	struct link *links[BUCKETS];
	dev_t dev;
	char path[TAR_PATH_MAX + 2], target[TAR_PATH_MAX + 1]; /* of the current file; its link */
	struct img_tar_entry e; /* large, and used by one level at a time */
};

static int nomem(struct err *err)
{
	return err_set(err, -ENOMEM, "write the archive");
}

/* Return: path of the same file written before, or NULL after noting this one; *ret_r: -ENOMEM */
static const char *same_file(struct walk *w, const struct stat *st, int *ret_r)
{
	struct link **bucket = &w->links[st->st_ino % BUCKETS], *l;

	for (l = *bucket; l != NULL; l = l->next)
		if (l->ino == st->st_ino && l->dev == st->st_dev)
			return l->path;
	l = arena_alloc(&w->arena, 1, sizeof(*l));
	if (l == NULL || (l->path = arena_strdup(&w->arena, w->path)) == NULL) {
		*ret_r = -ENOMEM;
		return NULL;
	}
	l->dev = st->st_dev;
	l->ino = st->st_ino;
	l->next = *bucket;
	*bucket = l;
	return NULL;
}

static bool wanted(const char *name)
{
	return strcmp(name, "security.capability") == 0 || str_starts(name, "system.posix_acl_") ||
	       (str_starts(name, "user.") && !str_starts(name, "user.overlay."));
}

static int read_xattrs(struct walk *w, struct arena *arena, const char *file, struct err *err)
{
	_cleanup_free_ char *list = NULL;
	ssize_t n = llistxattr(file, NULL, 0);

	if (n <= 0)
		return 0; /* none, or a file system that has none */
	list = malloc(XATTR_LIST_MAX);
	n = list != NULL ? llistxattr(file, list, XATTR_LIST_MAX) : 0;
	for (const char *name = list; name != NULL && name < list + n; name += strlen(name) + 1) {
		ssize_t len = wanted(name) ? lgetxattr(file, name, NULL, 0) : -1;
		void *value;

		if (len < 0 || w->e.nr_xattrs == TAR_XATTRS_MAX)
			continue;
		value = arena_alloc(arena, 1, (size_t) len + 1);
		if (value == NULL)
			return nomem(err);
		len = lgetxattr(file, name, value, (size_t) len);
		if (len < 0)
			continue; /* it is gone */
		len = (ssize_t) img_tree_xattr_ids(w->opts, name, value, (size_t) len);
		w->e.xattrs[w->e.nr_xattrs++] = (struct img_tar_xattr) {
			arena_strdup(arena, name), value, (size_t) len };
		if (w->e.xattrs[w->e.nr_xattrs - 1].name == NULL)
			return nomem(err);
	}
	return list != NULL ? 0 : nomem(err);
}

static bool marked(const char *file, const char *what)
{
	char name[64], value[4];

	(void) snprintf(name, sizeof(name), "trusted.overlay.%s", what);
	if (lgetxattr(file, name, value, sizeof(value)) >= 0 || errno == ERANGE)
		return true;
	(void) snprintf(name, sizeof(name), "user.overlay.%s", what);
	return lgetxattr(file, name, value, sizeof(value)) >= 0 || errno == ERANGE;
}

/* Files of the kernel say that they are empty; so only reading tells.  Return: 1 done; 0 it is empty; -errno. */
static int put_unsized(struct walk *w, int fd, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	int r = fd_read_str(fd, UNSIZED_MAX, &text);

	if (r < 0)
		return err_set(err, r, "read '%.200s'", w->path);
	if (text.len == 0)
		return 0;
	w->e.size = text.len;
	r = img_tar_put(w->sink, &w->e, err);
	if (r == 0)
		r = img_sink_write(w->sink, text.p, text.len, err);
	if (r == 0)
		r = img_tar_pad(w->sink, w->e.size, err);
	return r < 0 ? r : 1;
}

static int put_content(struct walk *w, int dir, const char *name, struct err *err)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "open '%.200s'", w->path);
	if (!S_ISREG(st.st_mode))
		return err_msg(err, -EBUSY, "'%.200s' was replaced while it was read", w->path);
	if (st.st_size == 0) {
		r = put_unsized(w, fd, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	w->e.size = (uint64_t) st.st_size;
	r = img_tar_put(w->sink, &w->e, err);
	if (r == 0)
		r = img_sink_copy(w->sink, fd, 0, w->e.size, err);
	if (r == 0)
		r = img_tar_pad(w->sink, w->e.size, err);
	return r < 0 ? err_wrap(err, r, "'%.200s'", w->path) : 0;
}

/* Append to w->path.  Return: length before; -ENAMETOOLONG with a message. */
static int push(struct walk *w, const char *a, const char *b, struct err *err)
{
	size_t len = strlen(w->path), n = strlen(a), m = strlen(b);

	if (len + n + m > TAR_PATH_MAX)
		return err_msg(err, -ENAMETOOLONG, "'%.200s...' is over %d bytes", w->path,
			       TAR_PATH_MAX);
	memcpy(w->path + len, a, n);
	memcpy(w->path + len + n, b, m + 1);
	return (int) len;
}

static int put_whiteout(struct walk *w, const char *name, struct err *err)
{
	int len = push(w, ".wh.", name, err), r;

	if (len < 0)
		return len;
	r = img_tar_put_data(w->sink, w->path, "", 0, err);
	w->path[len] = '\0';
	return r;
}

static int write_dir(struct walk *w, int dir, struct err *err);

static bool skipped(const struct walk *w, dev_t dev)
{
	for (size_t i = 0; i < IMG_TREE_SKIP; i++)
		if (w->opts->skip[i] == dev)
			return true;
	return false;
}

/* w->path ends with the directory's name and "/" */
static int put_dir(struct walk *w, int dir, const char *name, const char *file, struct err *err)
{
	struct stat st;
	int r = img_tar_put(w->sink, &w->e, err);

	if (r < 0)
		return r;
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "open '%.200s'", w->path);
	if (st.st_dev != w->dev && ((w->opts->flags & IMG_TREE_ONE_FS) || skipped(w, st.st_dev)))
		return 0;
	if (w->opts->flags & IMG_TREE_CHANGES) {
		if (marked(file, "redirect"))
			return err_msg(err, -EOPNOTSUPP,
				       "directory '%.200s' was renamed inside the overlay: "
				       "its layer cannot be written",
				       w->path);
		r = marked(file, "opaque") ? put_whiteout(w, ".wh..opq", err) : 0;
	}
	return r < 0 ? r : write_dir(w, fd, err);
}

/* w->path is its name */
static int put_entry(struct walk *w, int dir, const char *name, const struct stat *st,
		     const char *file, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	bool all = (w->opts->flags & IMG_TREE_OWNER) != 0;
	const char *same = NULL;
	int r = 0;

	w->target[0] = '\0';
	if (S_ISLNK(st->st_mode)) {
		ssize_t n = readlinkat(dir, name, w->target, sizeof(w->target) - 1);

		if (n < 0)
			return err_set(err, -errno, "read link '%.200s'", w->path);
		w->target[n] = '\0';
	}
	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1)
		same = same_file(w, st, &r);
	if (r < 0)
		return nomem(err);
	w->e = (struct img_tar_entry) {
		.path = w->path,
		.link = same != NULL ? same : w->target,
		.mode = same != NULL ? st->st_mode & 07777 : st->st_mode,
		.uid = all ? w->opts->uid : img_tree_id(w->opts, st->st_uid),
		.gid = all ? w->opts->gid : img_tree_id(w->opts, st->st_gid),
		.mtime = st->st_mtim.tv_sec,
		.dev_major = major(st->st_rdev),
		.dev_minor = minor(st->st_rdev),
	};
	if (same != NULL)
		return img_tar_put(w->sink, &w->e, err);
	r = read_xattrs(w, &arena, file, err);
	if (r < 0)
		return r;
	if (S_ISREG(st->st_mode))
		return put_content(w, dir, name, err);
	return S_ISDIR(st->st_mode) ? put_dir(w, dir, name, file, err)
				    : img_tar_put(w->sink, &w->e, err);
}

static int write_one(struct walk *w, int dir, const char *name, const char *as, struct err *err)
{
	char file[64 + NAME_MAX];
	struct stat st;
	int len, r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(err, -errno, "read '%.200s%s'", w->path, name);
	if (S_ISSOCK(st.st_mode))
		return 0;
	if ((w->opts->flags & IMG_TREE_CHANGES) && S_ISCHR(st.st_mode) && st.st_rdev == 0)
		return put_whiteout(w, name, err);
	(void) snprintf(file, sizeof(file), "/proc/self/fd/%d/%s", dir, name);
	len = push(w, as, S_ISDIR(st.st_mode) ? "/" : "", err);
	if (len < 0)
		return len;
	r = put_entry(w, dir, name, &st, file, err);
	w->path[len] = '\0';
	return r;
}

static int write_dir(struct walk *w, int dir, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_free_ const char **names = NULL;
	size_t n = 0;
	int r = dir_names(dir, &arena, &names, &n);

	if (r < 0)
		return err_set(err, r, "read directory '%.200s'", w->path);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = write_one(w, dir, names[i], names[i], err);
	return r;
}

static int run(struct img_sink *s, int dir, const char *name, const char *as,
	       const struct img_tree_opts *opts, struct err *err)
{
	_cleanup_free_ struct walk *w = calloc(1, sizeof(*w));
	struct stat st;
	int r;

	if (w == NULL)
		return nomem(err);
	w->sink = s;
	w->opts = opts;
	if (fstat(dir, &st) < 0)
		return err_set(err, -errno, "read a directory");
	w->dev = st.st_dev;
	r = push(w, opts->prefix, "", err);
	if (r >= 0)
		r = name != NULL ? write_one(w, dir, name, as, err) : write_dir(w, dir, err);
	arena_fini(&w->arena);
	return r;
}

int img_tree_write(struct img_sink *s, int dir, const struct img_tree_opts *opts, struct err *err)
{
	return run(s, dir, NULL, NULL, opts, err);
}

int img_tree_write_one(struct img_sink *s, int dir, const char *name, const char *as,
		       const struct img_tree_opts *opts, struct err *err)
{
	return run(s, dir, name, as, opts, err);
}

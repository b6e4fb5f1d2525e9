/* SPDX-License-Identifier: MIT */
/**
 * DOC: layers and their archives
 *
 * An archive may have a member twice, and the later one counts.  So a member that is different is kept as a
 * suspect until the end, and cleared by a later one of its name that is the same.
 */
#include "image/check_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/str.h"
#include "image/internal.h"
#include "image/store.h"
#include "image/stream.h"
#include "image/tar.h"
#include "sys/path.h"
#include "sys/proc.h"

#define PIECE (1u << 16) /* bytes */
#define SUSPECTS_MAX 64

static int open_blob(struct img_store *store, const char *hex)
{
	char path[IMG_BLOB_PATH_SIZE];
	int fd;

	img_blob_path(hex, path);
	fd = openat(store->root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int img_blob_verify(struct img_store *store, const char *hex, uint64_t size, bool quick)
{
	_cleanup_close_ int fd = open_blob(store, hex);
	_cleanup_free_ char *buf = malloc(PIECE);
	char have[SHA256_HEX_LEN + 1];
	struct sha256 sum;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return fd;
	if (buf == NULL)
		return -ENOMEM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (size != 0 && (uint64_t) st.st_size != size))
		return -EBADMSG;
	if (quick)
		return 0;
	sha256_init(&sum);
	while ((n = fd_read_full(fd, buf, PIECE)) > 0)
		sha256_update(&sum, buf, (size_t) n);
	if (n < 0)
		return (int) n;
	sha256_final_hex(&sum, have);
	return strcmp(have, hex) == 0 ? 0 : -EBADMSG;
}

struct suspect {
	char *path;
	char why[IMG_WHY_MAX];
};

struct verify {
	struct img_tar *tar;
	int fs;
	struct suspect suspects[SUSPECTS_MAX];
	size_t nr_suspects;
	char have[PIECE], want[PIECE];
};

/* What lies between the pieces of a sparse file */
static bool is_zero(struct verify *v, int fd, uint64_t from, uint64_t to)
{
	while (from < to) {
		size_t step = to - from < PIECE ? (size_t) (to - from) : PIECE;

		if (pread(fd, v->have, step, (off_t) from) != (ssize_t) step)
			return false;
		for (size_t i = 0; i < step; i++)
			if (v->have[i] != 0)
				return false;
		from += step;
	}
	return true;
}

/* Compare the content of a member with a file.  Return: 1 the same; 0; -errno with a message. */
static int same_content(struct verify *v, int dir, const char *name, const struct img_tar_entry *e,
			struct err *err)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint64_t at, done = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	while ((n = img_tar_read(v->tar, v->want, sizeof(v->want), &at, err)) > 0) {
		ssize_t have = pread(fd, v->have, (size_t) n, (off_t) at);

		if (have != n || memcmp(v->have, v->want, (size_t) n) != 0 ||
		    (at > done && !is_zero(v, fd, done, at)))
			return 0;
		done = at + (uint64_t) n;
	}
	if (n == 0 && e->sparse && !is_zero(v, fd, done, e->real_size))
		return 0;
	return n < 0 ? (int) n : 1;
}

/* Return: NULL the same; what is different; *ret_r: -errno with a message. */
static const char *difference(struct verify *v, int dir, const char *name,
			      const struct img_tar_entry *e, int *ret_r, struct err *err)
{
	char target[TAR_PATH_MAX + 1];
	struct stat st;
	ssize_t n;
	int r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT && (S_ISCHR(e->mode) || S_ISBLK(e->mode)) && proc_in_userns())
			return NULL; /* layer.c could not make it */
		return errno == ENOENT ? "is missing" : "cannot be read";
	}
	if ((e->mode & S_IFMT) == 0)
		return NULL; /* another name of a file that is compared by its first */
	if ((st.st_mode & S_IFMT) != (e->mode & S_IFMT))
		return "is another kind of file";
	if (!S_ISLNK(e->mode) && (st.st_mode & 07777) != (e->mode & 07777))
		return "has another mode";
	if (geteuid() == 0 && (st.st_uid != e->uid || st.st_gid != e->gid))
		return "has another owner";
	switch (e->mode & S_IFMT) {
	case S_IFREG:
		if ((uint64_t) st.st_size != (e->sparse ? e->real_size : e->size))
			return "has another size";
		r = same_content(v, dir, name, e, err);
		*ret_r = r < 0 ? r : 0;
		return r == 0 ? "has another content" : NULL;
	case S_IFLNK:
		n = readlinkat(dir, name, target, sizeof(target));
		return n == (ssize_t) strlen(e->link) && memcmp(target, e->link, (size_t) n) == 0
			       ? NULL
			       : "has another target";
	case S_IFCHR:
	case S_IFBLK:
		return st.st_rdev == makedev(e->dev_major, e->dev_minor) ? NULL
									 : "is another device";
	default:
		return NULL;
	}
}

static int note(struct verify *v, const char *path, const char *why)
{
	struct suspect *s;

	for (size_t i = 0; i < v->nr_suspects; i++)
		if (strcmp(v->suspects[i].path, path) == 0) {
			if (why == NULL) { /* the later one counts */
				free(v->suspects[i].path);
				v->suspects[i] = v->suspects[--v->nr_suspects];
			}
			return 0;
		}
	if (why == NULL || v->nr_suspects == SUSPECTS_MAX)
		return 0;
	s = &v->suspects[v->nr_suspects];
	s->path = strdup(path);
	if (s->path == NULL)
		return -ENOMEM;
	(void) snprintf(s->why, sizeof(s->why), "'%.300s' %s", path, why);
	v->nr_suspects++;
	return 0;
}

static int verify_member(struct verify *v, const struct img_tar_entry *e, struct err *err)
{
	char path[TAR_PATH_MAX + 1];
	const char *name, *why;
	size_t n;
	int r = 0;

	(void) snprintf(path, sizeof(path), "%s", e->path);
	for (n = strlen(path); n > 0 && path[n - 1] == '/';)
		path[--n] = '\0';
	name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
	if (name[0] == '\0' || strcmp(name, ".") == 0 || str_starts(name, ".wh."))
		return 0;
	n = (size_t) (name - path);
	char parent[TAR_PATH_MAX + 1];
	(void) snprintf(parent, sizeof(parent), "%.*s", (int) n, path);
	_cleanup_close_ int dir = path_open(v->fs, parent, O_PATH | O_DIRECTORY);
	why = dir < 0 ? "is missing" : difference(v, dir, name, e, &r, err);
	return r < 0 ? r : note(v, path, why);
}

static int verify_all(struct verify *v, struct img_stream *s, struct err *err)
{
	struct img_tar_entry e;
	int r = img_tar_new(s, &v->tar, err);

	while (r >= 0) {
		r = img_tar_next(v->tar, &e, err);
		if (r <= 0)
			break;
		r = verify_member(v, &e, err);
	}
	img_tar_free(v->tar);
	return r;
}

static int verify(struct img_store *store, struct img_stream *s, const char *chain,
		  const char *diff_id, char why[IMG_WHY_MAX], struct err *err)
{
	_cleanup_free_ struct verify *v = calloc(1, sizeof(*v));
	struct img_stream_sum sum;
	char path[80];
	int r;

	if (v == NULL)
		return err_set(err, -ENOMEM, "verify a layer");
	(void) snprintf(path, sizeof(path), "%.64s/fs", chain);
	v->fs = openat(store->layers, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (v->fs < 0)
		return err_set(err, -errno, "open layer '%s'", path);
	r = verify_all(v, s, err);
	(void) close(v->fs); /* only a path */
	if (v->nr_suspects > 0)
		(void) snprintf(why, IMG_WHY_MAX, "%s", v->suspects[0].why);
	if (r == 0)
		r = v->nr_suspects > 0;
	while (v->nr_suspects > 0)
		free(v->suspects[--v->nr_suspects].path);
	if (r != 0 || diff_id[0] == '\0')
		return r;
	r = img_stream_finish(s, &sum, err);
	if (r == 0 && strcmp(sum.diff_id, diff_id) != 0)
		r = err_msg(err, -EBADMSG, "it unpacks to %s, not to %s", sum.diff_id, diff_id);
	return r;
}

int img_layer_verify(struct img_store *store, const char *blob, const char *chain,
		     const char *diff_id, char why[IMG_WHY_MAX], struct err *err)
{
	_cleanup_(img_stream_freep) struct img_stream *s = NULL;
	_cleanup_close_ int fd = open_blob(store, blob);
	int r = fd < 0 ? err_set(err, fd, "open blob '%s'", blob)
		       : img_stream_open(fd, -EBADF, &s, err);

	return r < 0 ? r : verify(store, s, chain, diff_id, why, err);
}

static int unpack(const struct img_work *work, int blob, struct err *err)
{
	_cleanup_(img_stream_freep) struct img_stream *s = NULL;
	uint64_t size = 0;
	int r = img_stream_open(blob, -EBADF, &s, err);

	if (r < 0)
		return r;
	img_stream_no_digests(s);
	r = img_work_unpack(work, "layer", s, IMG_LAYER_CHANGES, &size, err);
	return r == 0 ? img_work_sync(work, err) : r;
}

int img_layer_renew(struct img_store *store, const char *blob, const char *chain, struct err *err)
{
	_cleanup_close_ int fd = open_blob(store, blob);
	struct img_work work;
	int r;

	if (fd < 0)
		return err_set(err, fd, "open blob '%s'", blob);
	r = img_work_begin(store, &work, err);
	if (r < 0)
		return r;
	r = unpack(&work, fd, err);
	if (r == 0 && renameat(store->layers, chain, work.dir, "old") < 0 && errno != ENOENT)
		r = err_set(err, -errno, "move layer '%s' away", chain);
	if (r == 0)
		r = img_work_layer(store, &work, "layer", chain, err);
	if (r == 0)
		r = img_store_sync(store, err);
	img_work_end(&work);
	return r;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: archives of images
 *
 * A plain tar in a file is indexed by its headers, without reading contents; one that is compressed or
 * comes through a pipe is first written out below tmp/.  Links between members are followed inside the
 * index only.
 */
#include "image/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "image/config.h"
#include "image/meter.h"
#include "image/store.h"
#include "image/stream.h"
#include "image/tar.h"

#define LINKS_MAX 8 /* from one member to another */

struct member {
	const char *name, *link; /* link: name of another member, or NULL */
	uint64_t at, size;
	size_t order;
};

struct img_archive {
	int fd, own; /* directory, or tar */
	int directory;
	const struct img_remote *remote; /* NULL: it is here */
	struct arena arena;
	struct member *members; /* by name */
	size_t n, room;
};

void img_archive_free(struct img_archive *a)
{
	if (a == NULL)
		return;
	cleanup_closep(&a->own);
	arena_fini(&a->arena);
	free(a->members);
	free(a);
}

void img_member_fini(struct img_member *m)
{
	cleanup_closep(&m->own);
}

/* "./a//b" and "x/../a/b" become "a/b"; NULL: it leaves the archive, or no memory */
static const char *clean_name(struct arena *arena, const char *dir, size_t dir_len,
			      const char *name)
{
	char *text = arena_printf(arena, "%.*s/%s", (int) dir_len, dir, name), *to = text;

	if (text == NULL)
		return NULL;
	for (const char *p = text; *p != '\0';) {
		size_t n = strcspn(p, "/");
		const char *next = p + n + (p[n] == '/');

		if (n == 2 && p[0] == '.' && p[1] == '.') {
			if (to == text)
				return NULL;
			while (to > text && *--to != '/')
				;
		} else if (n > 0 && !(n == 1 && p[0] == '.')) {
			if (to != text)
				*to++ = '/';
			memmove(to, p, n);
			to += n;
		}
		p = next;
	}
	*to = '\0';
	return text;
}

static int add_member(struct img_archive *a, const struct img_tar_entry *e, uint64_t at,
		      struct err *err)
{
	struct member m = { .at = at, .size = e->size, .order = a->n };
	const char *slash = strrchr(e->path, '/');
	bool hard = (e->mode & S_IFMT) == 0;

	if (a->n == IMG_MEMBERS_MAX)
		return err_msg(err, -EFBIG, "the archive has more than %u members",
			       IMG_MEMBERS_MAX);
	if (a->n == a->room) {
		size_t room = a->room * 2 + 64;
		struct member *more = reallocarray(a->members, room, sizeof(*more));

		if (more == NULL)
			return err_set(err, -ENOMEM, "read the archive");
		a->members = more;
		a->room = room;
	}
	m.name = clean_name(&a->arena, "", 0, e->path);
	if (m.name != NULL && S_ISLNK(e->mode))
		m.link = clean_name(&a->arena, e->path,
				    slash != NULL ? (size_t) (slash - e->path) : 0, e->link);
	else if (m.name != NULL && hard)
		m.link = clean_name(&a->arena, "", 0, e->link);
	if (m.name == NULL || ((S_ISLNK(e->mode) || hard) && m.link == NULL))
		return err_msg(err, -EINVAL, "the archive's '%.200s' leads outside of it", e->path);
	a->members[a->n++] = m;
	return 0;
}

/* Of two with one name the later one counts. */
static int compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r != 0 ? r : x->order < y->order ? 1 : -1;
}

static int index_tar(struct img_archive *a, uint64_t at, uint64_t size, struct err *err)
{
	_cleanup_(img_stream_freep) struct img_stream *s = NULL;
	_cleanup_(img_tar_freep) struct img_tar *tar = NULL;
	struct img_tar_entry e;
	int r = img_stream_open_range(a->fd, at, size, -EBADF, &s, err);

	if (r == 0)
		img_stream_no_digests(s);
	if (r == 0)
		r = img_tar_new(s, &tar, err);
	while (r == 0 && (r = img_tar_next(tar, &e, err)) == 1) {
		uint64_t begin = at + img_stream_tell(s);

		if (e.size > size || begin - at > size - e.size)
			return err_msg(err, -EBADMSG, "the archive is no valid tar: it ends early");
		r = (S_ISREG(e.mode) && !e.sparse) || S_ISLNK(e.mode) ||
				    (e.mode & S_IFMT) == 0
			    ? add_member(a, &e, begin, err)
			    : 0;
	}
	if (r == 0)
		qsort(a->members, a->n, sizeof(*a->members), compare);
	return r;
}

static int spool(struct img_stream *s, int fd, struct img_meter *meter, struct err *err)
{
	_cleanup_free_ char *buf = malloc(1 << 18);
	ssize_t n = 0;
	int r = buf != NULL ? 0 : err_set(err, -ENOMEM, "read the archive");

	img_stream_no_digests(s);
	img_stream_meter(s, meter);
	while (r == 0 && (n = img_stream_read(s, buf, 1 << 18, err)) > 0) {
		r = fd_write_full(fd, buf, (size_t) n);
		if (r < 0)
			(void) err_set(err, r, "copy the archive");
	}
	return r < 0 ? r : (int) n;
}

static int open_tar(struct img_archive *a, int fd, const struct stat *st,
		    const struct img_work *work, struct err *err)
{
	_cleanup_(img_stream_freep) struct img_stream *s = NULL;
	off_t at = S_ISREG(st->st_mode) ? lseek(fd, 0, SEEK_CUR) : -1;
	uint64_t size = at >= 0 && st->st_size > at ? (uint64_t) (st->st_size - at) : 0;
	int r = at >= 0 ? img_stream_open_range(fd, (uint64_t) at, size, -EBADF, &s, err)
			: img_stream_open(fd, -EBADF, &s, err);

	if (r < 0)
		return r;
	if (img_stream_seeks(s)) {
		a->fd = fd;
		return index_tar(a, (uint64_t) at, size, err);
	}
	a->own = openat(work->dir, "archive", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (a->own < 0)
		return err_set(err, -errno, "create a file in the store");
	a->fd = a->own;
	img_meter_expect(work->meter, size);
	r = spool(s, a->fd, work->meter, err);
	return r < 0 ? r : index_tar(a, 0, img_stream_tell(s), err);
}

int img_archive_open(int fd, const struct img_work *work, struct img_archive **ret,
		     struct err *err)
{
	_cleanup_(img_archive_freep) struct img_archive *a = calloc(1, sizeof(*a));
	struct stat st;
	int r = 0;

	if (a == NULL)
		return err_set(err, -ENOMEM, "open the archive");
	a->own = -EBADF;
	a->fd = fd;
	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "open the archive");
	a->directory = S_ISDIR(st.st_mode);
	if (!a->directory)
		r = open_tar(a, fd, &st, work, err);
	if (r == 0)
		*ret = take_ptr(a);
	return r;
}

int img_archive_remote(const struct img_remote *remote, struct img_archive **ret, struct err *err)
{
	struct img_archive *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return err_set(err, -ENOMEM, "open the archive");
	a->own = a->fd = -EBADF;
	a->remote = remote;
	*ret = a;
	return 0;
}

static bool has(const struct img_archive *a, const char *name)
{
	_cleanup_(img_member_fini) struct img_member m = { .own = -EBADF };

	return img_archive_find(a, name, &m, NULL) == 0;
}

bool img_archive_is_layout(const struct img_archive *a)
{
	return a->remote != NULL || (has(a, "index.json") && has(a, "oci-layout"));
}

int img_archive_begin(const struct img_archive *a, const struct img_fetch *list, size_t n,
		      struct err *err)
{
	return a->remote != NULL ? a->remote->begin(a->remote->data, list, n, err) : 0;
}

void img_archive_done(const struct img_archive *a, const char *name, int r)
{
	if (a->remote != NULL)
		a->remote->done(a->remote->data, name, r);
}

static int missing(const char *name, struct err *err)
{
	return err_msg(err, -ENOENT, "the archive has no file '%.200s'", name);
}

static int find_file(const struct img_archive *a, const char *name, struct img_member *ret,
		     struct err *err)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	_cleanup_close_ int fd = (int) syscall(SYS_openat2, a->fd, name, &how, sizeof(how));
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return missing(name, err);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "open '%.200s'", name);
	if (!S_ISREG(st.st_mode))
		return err_msg(err, -EINVAL, "'%.200s' is no regular file", name);
	*ret = (struct img_member) { .fd = fd, .own = take_fd(fd), .size = (uint64_t) st.st_size };
	ret->fd = ret->own;
	return 0;
}

static const struct member *lookup(const struct img_archive *a, const char *name)
{
	size_t low = 0, high = a->n;

	while (low < high) { /* the first of those with this name */
		size_t mid = low + (high - low) / 2;

		if (strcmp(a->members[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < a->n && strcmp(a->members[low].name, name) == 0 ? &a->members[low] : NULL;
}

int img_archive_find(const struct img_archive *a, const char *name, struct img_member *ret,
		     struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const char *clean = clean_name(&arena, "", 0, name);
	const struct member *m;

	if (a->remote != NULL)
		return a->remote->open(a->remote->data, name, ret, err);
	if (clean == NULL)
		return err_msg(err, -EINVAL, "the name '%.200s' leads outside of the archive",
			       name);
	if (a->directory)
		return find_file(a, clean, ret, err);
	m = lookup(a, clean);
	for (int i = 0; m != NULL && m->link != NULL; i++)
		m = i < LINKS_MAX ? lookup(a, m->link) : NULL;
	if (m == NULL)
		return missing(name, err);
	*ret = (struct img_member) { a->fd, -EBADF, m->at, m->size, NULL };
	return 0;
}

int img_archive_text(const struct img_archive *a, const char *name, struct str *ret,
		     struct err *err)
{
	_cleanup_(img_member_fini) struct img_member m = { .own = -EBADF };
	_cleanup_free_ char *buf = NULL;
	size_t done = 0;
	int r;

	if (a->remote != NULL)
		return a->remote->text(a->remote->data, name, ret, err);
	r = img_archive_find(a, name, &m, err);
	if (r < 0)
		return r;
	if (m.size > IMG_CONFIG_SIZE_MAX)
		return err_msg(err, -EFBIG, "'%.200s' has %llu bytes, limit %u", name,
			       (unsigned long long) m.size, IMG_CONFIG_SIZE_MAX);
	buf = malloc(m.size + 1);
	if (buf == NULL)
		return err_set(err, -ENOMEM, "read '%.200s'", name);
	while (done < m.size) {
		ssize_t n = pread(m.fd, buf + done, m.size - done, (off_t) (m.at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, n < 0 ? -errno : -EBADMSG, "read '%.200s'", name);
		done += (size_t) n;
	}
	str_add(ret, buf, done);
	return ret->failed ? err_set(err, -ENOMEM, "read '%.200s'", name) : 0;
}

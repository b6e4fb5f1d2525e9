/* SPDX-License-Identifier: MIT */
/**
 * DOC: tar reader
 *
 * Hostile input: every number is checked where it is read, names are bounded, an extended header
 * is read into one buffer of at most TAR_PAX_MAX bytes.  Names are handed out as written; who
 * unpacks them decides what they may reach.  No locale: names are bytes.
 */
#include "image/tar.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "image/stream.h"
#include "image/tar_header.h"
#include "image/tar_sparse.h"

struct img_tar {
	struct img_stream *s;
	uint64_t left; /* bytes of content not read yet */
	unsigned padding; /* bytes after the content */
	char path[TAR_PATH_MAX + 1], link[TAR_PATH_MAX + 1];
	char *pax; /* extended header of the next member; xattrs point into it */
	size_t pax_len;
	struct tar_sparse sparse;
	size_t span; /* piece that is being read */
	uint64_t span_done, at; /* bytes of it; position in a file without holes */
};

int img_tar_new(struct img_stream *s, struct img_tar **ret, struct err *err)
{
	struct img_tar *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_set(err, -ENOMEM, "read the archive");
	t->s = s;
	*ret = t;
	return 0;
}

void img_tar_free(struct img_tar *t)
{
	if (t == NULL)
		return;
	free(t->pax);
	tar_sparse_fini(&t->sparse);
	free(t);
}

static int damaged(const char *why, struct err *err)
{
	return err_msg(err, -EBADMSG, "the archive is no valid tar: %s", why);
}

/* Return: @n; 0 the stream ended before the first byte; -EBADMSG it ended later. */
static ssize_t read_exactly(struct img_tar *t, void *buf, size_t n, struct err *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = img_stream_read(t->s, (char *) buf + done, n - done, err);

		if (r < 0)
			return r;
		if (r == 0)
			return done == 0 ? 0 : damaged("it ends early", err);
		done += (size_t) r;
	}
	return (ssize_t) n;
}

static int skip(struct img_tar *t, uint64_t n, struct err *err)
{
	return n > 0 ? img_stream_skip(t->s, n, err) : 0;
}

/* Bytes up to the end of the piece; *ret_at: where they belong. */
static uint64_t in_span(struct img_tar *t, uint64_t *ret_at)
{
	const struct tar_span *p;

	while (t->span < t->sparse.n && t->span_done == t->sparse.spans[t->span].size) {
		t->span++;
		t->span_done = 0;
	}
	if (t->span == t->sparse.n)
		return 0;
	p = &t->sparse.spans[t->span];
	*ret_at = p->offset + t->span_done;
	return p->size - t->span_done;
}

ssize_t img_tar_read(struct img_tar *t, void *buf, size_t n, uint64_t *ret_at, struct err *err)
{
	uint64_t at = t->at, max = t->sparse.on ? in_span(t, &at) : t->left;
	ssize_t r;

	if (max > t->left)
		max = t->left;
	if (n > max)
		n = (size_t) max;
	if (n == 0)
		return 0;
	r = img_stream_read(t->s, buf, n, err);
	if (r == 0)
		return damaged("it ends early", err);
	if (r > 0) {
		t->left -= (uint64_t) r;
		t->at += (uint64_t) r;
		t->span_done += (uint64_t) r;
		if (ret_at != NULL)
			*ret_at = at;
	}
	return r;
}

/* Octal text, or GNU's big-endian binary with the top bit set. */
static int number(const char *field, size_t n, uint64_t *ret)
{
	const unsigned char *p = (const unsigned char *) field, *end = p + n;
	uint64_t v = 0;

	if (*p & 0x80) {
		if (*p & 0x40) /* negative */
			return -ERANGE;
		v = *p++ & 0x3f;
		for (; p < end; p++) {
			if (v >> 55 != 0)
				return -ERANGE;
			v = v << 8 | *p;
		}
		*ret = v;
		return 0;
	}
	while (p < end && *p == ' ')
		p++;
	for (; p < end && *p >= '0' && *p <= '7'; p++) {
		if (v >> 60 != 0)
			return -ERANGE;
		v = v << 3 | (uint64_t) (*p - '0');
	}
	if (p < end && *p != ' ' && *p != '\0')
		return -EINVAL;
	*ret = v;
	return 0;
}

/* Of GNU tar: negative when all bits in front are set */
static int time_number(const char field[12], int64_t *ret)
{
	const unsigned char *p = (const unsigned char *) field;
	uint64_t v = 0;
	int r;

	if ((*p & 0xc0) != 0xc0) {
		r = number(field, 12, &v);
		*ret = (int64_t) v;
		return r < 0 || v > INT64_MAX ? -ERANGE : 0;
	}
	for (size_t i = 0; i < 4; i++)
		if (p[i] != 0xff)
			return -ERANGE;
	for (size_t i = 4; i < 12; i++)
		v = v << 8 | p[i];
	*ret = (int64_t) v;
	return *ret < 0 ? 0 : -ERANGE;
}

static bool sum_ok(const struct tar_header *h)
{
	const unsigned char *p = (const unsigned char *) h;
	uint64_t want, have = 8 * ' ';

	for (size_t i = 0; i < TAR_BLOCK; i++)
		if (i < offsetof(struct tar_header, sum) || i >= offsetof(struct tar_header, type))
			have += p[i];
	return number(h->sum, sizeof(h->sum), &want) == 0 && want == have;
}

/* Content of an extended header or a long name, terminated. */
static int read_text(struct img_tar *t, uint64_t size, size_t max, char **ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	ssize_t n;

	if (size > max)
		return err_msg(err, -EFBIG,
			       "the archive has an extended header of %llu bytes, limit %zu",
			       (unsigned long long) size, max);
	text = malloc((size_t) size + 1);
	if (text == NULL)
		return err_set(err, -ENOMEM, "read the archive");
	n = size == 0 ? 0 : read_exactly(t, text, (size_t) size, err);
	if (n < 0)
		return (int) n;
	if ((uint64_t) n != size)
		return damaged("it ends early", err);
	text[size] = '\0';
	*ret = take_ptr(text);
	return skip(t, -size % TAR_BLOCK, err);
}

static int set_text(char dst[TAR_PATH_MAX + 1], const char *src, size_t n, struct err *err)
{
	if (n > TAR_PATH_MAX)
		return err_msg(err, -EFBIG, "the archive has a name of %zu bytes, limit %d", n,
			       TAR_PATH_MAX);
	if (memchr(src, '\0', n) != NULL)
		return damaged("a name holds a zero byte", err);
	memcpy(dst, src, n);
	dst[n] = '\0';
	return 0;
}

static int pax_number(const char *value, uint64_t *ret, struct err *err)
{
	char *end;

	errno = 0;
	*ret = strtoull(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || *value == '-')
		return damaged("an extended header has no valid number", err);
	return 0;
}

static int pax_time(const char *value, struct img_tar_entry *e, struct err *err)
{
	char *end;
	int64_t scale = 100000000;

	errno = 0;
	e->mtime = strtoll(value, &end, 10);
	if (errno != 0 || end == value || (*end != '\0' && *end != '.'))
		return damaged("an extended header has no valid time", err);
	e->mtime_nsec = 0;
	for (const char *p = end + (*end == '.'); *p >= '0' && *p <= '9' && scale > 0;
	     p++, scale /= 10)
		e->mtime_nsec += (*p - '0') * scale;
	return 0;
}

static int pax_xattr(const char *name, const char *value, size_t len, struct img_tar_entry *e,
		     struct err *err)
{
	if (e->nr_xattrs == TAR_XATTRS_MAX)
		return err_msg(err, -EFBIG,
			       "the archive has over %d extended attributes on one file",
			       TAR_XATTRS_MAX);
	e->xattrs[e->nr_xattrs++] = (struct img_tar_xattr) { name, value, len };
	return 0;
}

/* Formats 0.0 (offset and numbytes by turns), 0.1 (map) and 1.0 (the map follows the header) */
static int pax_sparse(struct img_tar *t, const char *key, const char *value, size_t len,
		      struct err *err)
{
	uint64_t v;
	int r;

	t->sparse.on = true;
	if (strcmp(key, "name") == 0)
		return set_text(t->path, value, len, err);
	if (strcmp(key, "map") == 0)
		return tar_sparse_list(&t->sparse, value, err);
	r = pax_number(value, &v, err);
	if (r < 0)
		return r;
	if (strcmp(key, "size") == 0 || strcmp(key, "realsize") == 0)
		t->sparse.real_size = v;
	else if (strcmp(key, "offset") == 0 || strcmp(key, "numbytes") == 0)
		return t->sparse.half == (key[0] == 'n') ? tar_sparse_number(&t->sparse, v, err)
							 : damaged("a sparse file has no map", err);
	else if (strcmp(key, "major") == 0 && v > 1)
		return err_msg(err, -EOPNOTSUPP,
			       "the archive has a sparse file of format %llu, known up to 1",
			       (unsigned long long) v);
	else if (strcmp(key, "major") == 0)
		t->sparse.major = v == 1;
	return 0;
}

/* One record; @key and @value are terminated in place. */
static int pax_record(struct img_tar *t, const char *key, char *value, size_t len,
		      struct img_tar_entry *e, struct err *err)
{
	uint64_t v = 0;
	int r = 0;

	if (strcmp(key, "path") == 0) /* that of a sparse file is made up, and its own is known */
		return len == 0 || t->sparse.on ? 0 : set_text(t->path, value, len, err);
	if (strcmp(key, "linkpath") == 0)
		return set_text(t->link, value, len, err);
	if (strcmp(key, "size") == 0)
		return pax_number(value, &e->size, err);
	if (strcmp(key, "mtime") == 0)
		return pax_time(value, e, err);
	if (strncmp(key, "SCHILY.xattr.", 13) == 0)
		return pax_xattr(key + 13, value, len, e, err);
	if (strncmp(key, "GNU.sparse.", 11) == 0)
		return pax_sparse(t, key + 11, value, len, err);
	if (strcmp(key, "uid") == 0 || strcmp(key, "gid") == 0) {
		r = pax_number(value, &v, err);
		if (r == 0 && v > UINT32_MAX - 1)
			return damaged("an owner is out of range", err);
		*(key[0] == 'u' ? &e->uid : &e->gid) = (uint32_t) v;
	}
	return r;
}

/* Records "LENGTH KEY=VALUE\n", LENGTH counting all of it. */
static int pax_apply(struct img_tar *t, struct img_tar_entry *e, struct err *err)
{
	char *p = t->pax, *end = p + t->pax_len;

	while (p < end) {
		char *space, *equals;
		unsigned long n = strtoul(p, &space, 10);
		int r;

		if (space == p || *space != ' ' || n <= (size_t) (space - p) + 1 ||
		    n > (size_t) (end - p) || p[n - 1] != '\n')
			return damaged("an extended header has no valid record", err);
		p[n - 1] = '\0';
		equals = memchr(space + 1, '=', (size_t) (p + n - 1 - (space + 1)));
		if (equals == NULL)
			return damaged("an extended header has a record without '='", err);
		*equals = '\0';
		r = pax_record(t, space + 1, equals + 1, (size_t) (p + n - 1 - (equals + 1)), e,
			       err);
		if (r < 0)
			return r;
		p += n;
	}
	return 0;
}

static int header_names(struct img_tar *t, const struct tar_header *h, struct err *err)
{
	size_t prefix = memcmp(h->magic, "ustar\0", 6) == 0 ? strnlen(h->prefix, sizeof(h->prefix))
							    : 0;
	size_t name = strnlen(h->name, sizeof(h->name));

	if (t->path[0] == '\0') {
		memcpy(t->path, h->prefix, prefix);
		if (prefix != 0)
			t->path[prefix++] = '/';
		memcpy(t->path + prefix, h->name, name);
		t->path[prefix + name] = '\0';
	}
	if (t->path[0] == '\0')
		return damaged("a member has no name", err);
	if (t->link[0] == '\0')
		return set_text(t->link, h->link, strnlen(h->link, sizeof(h->link)), err);
	return 0;
}

static int header_numbers(const struct tar_header *h, struct img_tar_entry *e, struct err *err)
{
	uint64_t mode, uid, gid, major = 0, minor = 0;
	int64_t mtime;

	if (number(h->mode, sizeof(h->mode), &mode) < 0 ||
	    number(h->uid, sizeof(h->uid), &uid) < 0 || number(h->gid, sizeof(h->gid), &gid) < 0 ||
	    number(h->size, sizeof(h->size), &e->size) < 0 ||
	    time_number(h->mtime, &mtime) < 0 || uid >= UINT32_MAX ||
	    gid >= UINT32_MAX)
		return damaged("a header has no valid number", err);
	if ((h->type == '3' || h->type == '4') &&
	    (number(h->major, sizeof(h->major), &major) < 0 ||
	     number(h->minor, sizeof(h->minor), &minor) < 0 || major > 4095 || minor > 1048575))
		return damaged("a device has no valid number", err);
	e->mode = mode & 07777;
	e->uid = (uid_t) uid;
	e->gid = (gid_t) gid;
	e->mtime = mtime;
	e->dev_major = (unsigned) major;
	e->dev_minor = (unsigned) minor;
	return 0;
}

static int set_type(char type, struct img_tar_entry *e, struct err *err)
{
	switch (type) {
	case '\0':
	case '0':
	case '7':
	case 'S':
		e->mode |= e->path[strlen(e->path) - 1] == '/' ? S_IFDIR
							       : S_IFREG; /* old tars: "dir/" */
		return 0;
	case '1':
		return 0;
	case '2':
		e->mode |= S_IFLNK;
		return 0;
	case '3':
		e->mode |= S_IFCHR;
		return 0;
	case '4':
		e->mode |= S_IFBLK;
		return 0;
	case '5':
		e->mode |= S_IFDIR;
		return 0;
	case '6':
		e->mode |= S_IFIFO;
		return 0;
	default:
		return err_msg(err, -EOPNOTSUPP,
			       "the archive has a member of kind '%c' (%s), which is not supported",
			       type >= ' ' && type < 127 ? type : '?', e->path);
	}
}

/* Return: 1 @h is a header; 0 the end of the archive; -errno. */
static int read_header(struct img_tar *t, struct tar_header *h, struct err *err)
{
	static const struct tar_header zero;
	ssize_t n;
	int r = skip(t, t->left, err);
	char padding[TAR_BLOCK];

	t->left = 0;
	if (r < 0)
		return r;
	if (t->padding > 0 && (n = read_exactly(t, padding, t->padding, err)) <= 0)
		return (int) n; /* writers that were not closed, as umoci's, leave out the last */
	t->padding = 0;
	if ((n = read_exactly(t, h, sizeof(*h), err)) <= 0)
		return (int) n;
	if (memcmp(h, &zero, sizeof(zero)) == 0)
		return 0; /* what follows is padding */
	return sum_ok(h) ? 1 : damaged("a header has a wrong checksum", err);
}

/* Headers that describe the next one.  Return: 1 it was one; 0 it is a member; -errno. */
static int read_extension(struct img_tar *t, const struct tar_header *h, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	uint64_t size;
	int r;

	if (strchr("xgLK", h->type) == NULL || h->type == '\0')
		return 0;
	if (number(h->size, sizeof(h->size), &size) < 0)
		return damaged("a header has no valid number", err);
	r = read_text(t, size, TAR_PAX_MAX, &text, err);
	if (r < 0)
		return r;
	if (h->type == 'x') {
		free(t->pax);
		t->pax = take_ptr(text);
		t->pax_len = (size_t) size;
	} else if (h->type != 'g') { /* global records name the archive, e.g. git's comment */
		r = set_text(h->type == 'L' ? t->path : t->link, text, strlen(text), err);
	}
	return r < 0 ? r : 1;
}

/* Old GNU format: four pieces in the header, 21 in each block that follows it. */
static int old_sparse(struct img_tar *t, const struct tar_header *h, struct err *err)
{
	const char *p = (const char *) h + 386, *more = (const char *) h + 482;
	char block[TAR_BLOCK];
	size_t pieces = 4;
	uint64_t v;

	t->sparse.on = true;
	if (number((const char *) h + 483, 12, &t->sparse.real_size) < 0)
		return damaged("a sparse file has no valid size", err);
	for (;;) {
		for (size_t i = 0; i < 2 * pieces && p[i * 12] != '\0'; i++) {
			int r = number(p + i * 12, 12, &v);

			r = r < 0 ? damaged("a sparse file has no valid map", err)
				  : tar_sparse_number(&t->sparse, v, err);
			if (r < 0)
				return r;
		}
		if (*more == '\0')
			return 0;
		ssize_t n = read_exactly(t, block, sizeof(block), err);
		if (n <= 0)
			return n < 0 ? (int) n : damaged("it ends early", err);
		p = block;
		more = block + 504;
		pieces = 21;
	}
}

/* Format 1.0: decimal lines in front of the content, padded to a block: how many pieces, then those. */
static int front_map(struct img_tar *t, struct err *err)
{
	uint64_t v = 0, count = 0, seen = 0;
	char block[TAR_BLOCK];
	bool digits = false;
	size_t at = TAR_BLOCK;

	while (seen == 0 || seen < 1 + 2 * count) {
		if (at == TAR_BLOCK) {
			if (t->left < TAR_BLOCK)
				return damaged("a sparse file has no valid map", err);
			ssize_t n = read_exactly(t, block, sizeof(block), err);
			if (n <= 0)
				return n < 0 ? (int) n : damaged("it ends early", err);
			t->left -= TAR_BLOCK;
			at = 0;
		}
		char c = block[at++];
		if (c >= '0' && c <= '9' && v < UINT64_MAX / 10 - 1) {
			v = v * 10 + (uint64_t) (c - '0');
			digits = true;
			continue;
		}
		if (c != '\n' || !digits)
			return damaged("a sparse file has no valid map", err);
		int r = seen == 0 ? 0 : tar_sparse_number(&t->sparse, v, err);
		if (r == 0 && seen == 0 && v > TAR_SPANS_MAX)
			r = err_msg(err, -EFBIG, "the archive has a sparse file of over %u pieces",
				    TAR_SPANS_MAX);
		if (r < 0)
			return r;
		if (seen++ == 0)
			count = v;
		v = 0;
		digits = false;
	}
	return 0;
}

/* The content begins: read what describes a sparse one. */
static int begin_content(struct img_tar *t, const struct tar_header *h, struct img_tar_entry *e,
			 struct err *err)
{
	int r = 0;

	if (!S_ISREG(e->mode))
		e->size = 0;
	t->left = e->size;
	t->padding = (unsigned) (-e->size % TAR_BLOCK);
	t->span = 0;
	t->span_done = t->at = 0;
	e->real_size = e->size;
	if (h->type == 'S')
		r = old_sparse(t, h, err);
	if (!S_ISREG(e->mode) || !t->sparse.on) {
		t->sparse.on = false;
		return r;
	}
	if (r == 0 && t->sparse.major)
		r = front_map(t, err);
	if (r == 0)
		r = tar_sparse_check(&t->sparse, t->left, err);
	e->sparse = true;
	e->size = t->left;
	e->real_size = t->sparse.real_size;
	return r;
}

int img_tar_next(struct img_tar *t, struct img_tar_entry *ret, struct err *err)
{
	struct img_tar_entry e = { 0 };
	struct tar_header h;
	int r;

	t->path[0] = t->link[0] = '\0';
	free(t->pax);
	t->pax = NULL;
	t->pax_len = 0;
	tar_sparse_reset(&t->sparse);
	do {
		r = read_header(t, &h, err);
		if (r <= 0)
			return r;
		r = read_extension(t, &h, err);
	} while (r == 1);
	if (r == 0)
		r = header_numbers(&h, &e, err);
	if (r == 0)
		r = pax_apply(t, &e, err);
	if (r == 0)
		r = header_names(t, &h, err);
	if (r < 0)
		return r;
	e.path = t->path;
	e.link = h.type == '1' || h.type == '2' ? t->link : "";
	r = set_type(h.type, &e, err);
	if (r < 0)
		return r;
	r = begin_content(t, &h, &e, err);
	if (r < 0)
		return r;
	*ret = e;
	return 1;
}

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

#define BLOCK 512 /* bytes */

/* Spec: POSIX.1-2017 pax, table "ustar Header Block" */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8];
	char type;
	char link[100], magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155],
		pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "on-disk layout");

struct img_tar {
	struct img_stream *s;
	uint64_t left; /* bytes of content not read yet */
	unsigned padding; /* bytes after the content */
	char path[TAR_PATH_MAX + 1], link[TAR_PATH_MAX + 1];
	char *pax; /* extended header of the next member; xattrs point into it */
	size_t pax_len;
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
	char buf[16384];

	while (n > 0) {
		size_t step = n < sizeof(buf) ? (size_t) n : sizeof(buf);
		ssize_t r = read_exactly(t, buf, step, err);

		if (r <= 0)
			return r < 0 ? (int) r : damaged("it ends early", err);
		n -= step;
	}
	return 0;
}

ssize_t img_tar_read(struct img_tar *t, void *buf, size_t n, struct err *err)
{
	ssize_t r;

	if (n > t->left)
		n = (size_t) t->left;
	if (n == 0)
		return 0;
	r = img_stream_read(t->s, buf, n, err);
	if (r == 0)
		return damaged("it ends early", err);
	if (r > 0)
		t->left -= (uint64_t) r;
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

static bool sum_ok(const struct header *h)
{
	const unsigned char *p = (const unsigned char *) h;
	uint64_t want, have = 8 * ' ';

	for (size_t i = 0; i < BLOCK; i++)
		if (i < offsetof(struct header, sum) || i >= offsetof(struct header, type))
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
	return skip(t, -size % BLOCK, err);
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

/* One record; @key and @value are terminated in place. */
static int pax_record(struct img_tar *t, const char *key, char *value, size_t len,
		      struct img_tar_entry *e, struct err *err)
{
	uint64_t v = 0;
	int r = 0;

	if (strcmp(key, "path") == 0)
		return len == 0 ? 0 : set_text(t->path, value, len, err);
	if (strcmp(key, "linkpath") == 0)
		return set_text(t->link, value, len, err);
	if (strcmp(key, "size") == 0)
		return pax_number(value, &e->size, err);
	if (strcmp(key, "mtime") == 0)
		return pax_time(value, e, err);
	if (strncmp(key, "SCHILY.xattr.", 13) == 0)
		return pax_xattr(key + 13, value, len, e, err);
	if (strncmp(key, "GNU.sparse.", 11) == 0)
		return err_msg(err, -EOPNOTSUPP,
			       "the archive has a sparse file, which is not supported: "
			       "pack it without --sparse");
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

static int header_names(struct img_tar *t, const struct header *h, struct err *err)
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

static int header_numbers(const struct header *h, struct img_tar_entry *e, struct err *err)
{
	uint64_t mode, uid, gid, mtime, major = 0, minor = 0;

	if (number(h->mode, sizeof(h->mode), &mode) < 0 ||
	    number(h->uid, sizeof(h->uid), &uid) < 0 || number(h->gid, sizeof(h->gid), &gid) < 0 ||
	    number(h->size, sizeof(h->size), &e->size) < 0 ||
	    number(h->mtime, sizeof(h->mtime), &mtime) < 0 || uid >= UINT32_MAX ||
	    gid >= UINT32_MAX)
		return damaged("a header has no valid number", err);
	if ((h->type == '3' || h->type == '4') &&
	    (number(h->major, sizeof(h->major), &major) < 0 ||
	     number(h->minor, sizeof(h->minor), &minor) < 0 || major > 4095 || minor > 1048575))
		return damaged("a device has no valid number", err);
	e->mode = mode & 07777;
	e->uid = (uid_t) uid;
	e->gid = (gid_t) gid;
	e->mtime = (int64_t) mtime;
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
static int read_header(struct img_tar *t, struct header *h, struct err *err)
{
	static const struct header zero;
	ssize_t n;
	int r = skip(t, t->left + t->padding, err);

	t->left = 0;
	t->padding = 0;
	if (r < 0)
		return r;
	n = read_exactly(t, h, sizeof(*h), err);
	if (n <= 0)
		return (int) n;
	if (memcmp(h, &zero, sizeof(zero)) == 0)
		return 0; /* what follows is padding */
	return sum_ok(h) ? 1 : damaged("a header has a wrong checksum", err);
}

/* Headers that describe the next one.  Return: 1 it was one; 0 it is a member; -errno. */
static int read_extension(struct img_tar *t, const struct header *h, struct err *err)
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

int img_tar_next(struct img_tar *t, struct img_tar_entry *ret, struct err *err)
{
	struct img_tar_entry e = { 0 };
	struct header h;
	int r;

	t->path[0] = t->link[0] = '\0';
	free(t->pax);
	t->pax = NULL;
	t->pax_len = 0;
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
	if (!S_ISREG(e.mode))
		e.size = 0;
	t->left = e.size;
	t->padding = (unsigned) (-e.size % BLOCK);
	*ret = e;
	return 1;
}

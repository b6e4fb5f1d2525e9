/* SPDX-License-Identifier: MIT */
#include "image/tar_write.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "image/sink.h"
#include "image/tar.h"
#include "image/tar_header.h"

static const char zeros[2 * TAR_BLOCK];

/* Octal, or base 256 with a set top bit when it does not fit */
static void set_number(char *field, size_t n, uint64_t v)
{
	if (v >> (3 * (n - 1)) == 0) {
		(void) snprintf(field, n, "%0*llo", (int) n - 1, (unsigned long long) v); /* fits */
		return;
	}
	for (size_t i = n; i-- > 0; v >>= 8)
		field[i] = (char) v;
	field[0] = (char) (field[0] | 0x80);
}

static void set_sum(struct tar_header *h)
{
	const unsigned char *p = (const unsigned char *) h;
	unsigned sum = 0;

	memset(h->sum, ' ', sizeof(h->sum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += p[i];
	(void) snprintf(h->sum, sizeof(h->sum), "%06o", sum); /* six digits, a zero, and the space */
}

static char type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case 0:
		return '1';
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return '0';
	}
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts its own digits */
static void add_record(struct str *s, const char *prefix, const char *key, const void *value,
		       size_t n)
{
	size_t rest = strlen(prefix) + strlen(key) + n + 3, len = rest, digits;

	do {
		digits = (size_t) snprintf(NULL, 0, "%zu", len);
		len = rest + digits;
	} while ((size_t) snprintf(NULL, 0, "%zu", len) != digits);
	str_printf(s, "%zu %s%s=", len, prefix, key);
	str_add(s, value, n);
	str_puts(s, "\n");
}

static void begin(struct tar_header *h, mode_t mode, char type, uint64_t size, int64_t mtime)
{
	*h = (struct tar_header) { .type = type };
	memcpy(h->magic, "ustar\0" "00", 8);
	set_number(h->mode, sizeof(h->mode), mode & 07777);
	set_number(h->size, sizeof(h->size), size);
	set_number(h->mtime, sizeof(h->mtime), mtime > 0 ? (uint64_t) mtime : 0);
}

static int put_records(struct img_sink *s, const struct str *records, struct err *err)
{
	struct tar_header h;
	int r;

	begin(&h, 0644, 'x', records->len, 0);
	set_number(h.uid, sizeof(h.uid), 0);
	set_number(h.gid, sizeof(h.gid), 0);
	memcpy(h.name, "PaxHeaders/x", 12);
	set_sum(&h);
	r = img_sink_write(s, &h, sizeof(h), err);
	if (r == 0)
		r = img_sink_write(s, records->p, records->len, err);
	return r < 0 ? r : img_tar_pad(s, records->len, err);
}

/* @n: of the field, which need not be terminated */
static void set_text(char *field, size_t n, const char *key, const char *text, struct str *records)
{
	size_t len = strlen(text);

	if (len > n)
		add_record(records, "", key, text, len);
	memcpy(field, text, len < n ? len : n);
}

int img_tar_put(struct img_sink *s, const struct img_tar_entry *e, struct err *err)
{
	_cleanup_(str_fini) struct str records = { 0 };
	struct tar_header h;
	int r = 0;

	begin(&h, e->mode, type_of(e->mode), e->size, e->mtime);
	set_number(h.uid, sizeof(h.uid), e->uid);
	set_number(h.gid, sizeof(h.gid), e->gid);
	set_text(h.name, sizeof(h.name), "path", e->path, &records);
	set_text(h.link, sizeof(h.link), "linkpath", e->link, &records);
	if (S_ISCHR(e->mode) || S_ISBLK(e->mode)) {
		set_number(h.major, sizeof(h.major), e->dev_major);
		set_number(h.minor, sizeof(h.minor), e->dev_minor);
	}
	for (size_t i = 0; i < e->nr_xattrs; i++)
		add_record(&records, "SCHILY.xattr.", e->xattrs[i].name, e->xattrs[i].value,
			   e->xattrs[i].len);
	if (e->mtime < 0) {
		char text[32];
		int n = snprintf(text, sizeof(text), "%lld", (long long) e->mtime);

		add_record(&records, "", "mtime", text, (size_t) n);
	}
	if (records.failed)
		return err_set(err, -ENOMEM, "write the archive");
	if (records.len > 0)
		r = put_records(s, &records, err);
	set_sum(&h);
	return r < 0 ? r : img_sink_write(s, &h, sizeof(h), err);
}

int img_tar_put_data(struct img_sink *s, const char *path, const void *data, size_t n,
		     struct err *err)
{
	const struct img_tar_entry e = { .path = path, .link = "", .mode = S_IFREG | 0644,
					 .size = n };
	int r = img_tar_put(s, &e, err);

	if (r == 0)
		r = img_sink_write(s, data, n, err);
	return r < 0 ? r : img_tar_pad(s, n, err);
}

int img_tar_pad(struct img_sink *s, uint64_t size, struct err *err)
{
	return img_sink_write(s, zeros, (size_t) (-size % TAR_BLOCK), err);
}

int img_tar_end(struct img_sink *s, struct err *err)
{
	return img_sink_write(s, zeros, sizeof(zeros), err);
}

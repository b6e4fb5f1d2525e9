/* SPDX-License-Identifier: MIT */
/**
 * DOC: archive output
 *
 * The counterpart of stream.c: bytes are collected, hashed, compressed, hashed again and written.  When
 * nothing of that is wanted, whole files go from one descriptor to the other inside the kernel.
 */
#include "image/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/sha256.h"
#include "image/meter.h"
#include "image/stream.h"

#define BUF_SIZE ((size_t) 1 << 18) /* bytes */
#define COPY_MAX ((size_t) 1 << 25) /* bytes of one call */
#define LEVEL 1 /* of zstd: as fast as a disk */

struct img_sink {
	int fd;
	bool digests;
	ZSTD_CCtx *zstd;
	struct sha256 diff, blob;
	struct img_meter *meter;
	uint64_t taken, given;
	size_t len; /* of buf */
	unsigned char buf[BUF_SIZE], out[BUF_SIZE];
};

int img_sink_open(int fd, bool zstd, bool digests, struct img_sink **ret, struct err *err)
{
	_cleanup_(img_sink_freep) struct img_sink *s = calloc(1, sizeof(*s));

	if (s != NULL && zstd)
		s->zstd = ZSTD_createCCtx();
	if (s == NULL || (zstd && s->zstd == NULL))
		return err_set(err, -ENOMEM, "write the archive");
	if (zstd) /* a known parameter and value */
		(void) ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_compressionLevel, LEVEL);
	s->fd = fd;
	s->digests = digests;
	sha256_init(&s->diff);
	sha256_init(&s->blob);
	*ret = take_ptr(s);
	return 0;
}

void img_sink_meter(struct img_sink *s, struct img_meter *meter)
{
	s->meter = meter;
}

static int put(struct img_sink *s, const void *data, size_t n, struct err *err)
{
	int r;

	if (s->digests && s->zstd != NULL)
		sha256_update(&s->blob, data, n);
	s->given += n;
	r = fd_write_full(s->fd, data, n);
	return r < 0 ? err_set(err, r, "write the archive") : 0;
}

static int flush(struct img_sink *s, bool last, struct err *err)
{
	ZSTD_inBuffer in = { s->buf, s->len, 0 };
	size_t left = 1;
	int r = 0;

	if (s->digests)
		sha256_update(&s->diff, s->buf, s->len);
	s->taken += s->len;
	img_meter_add(s->meter, s->len);
	s->len = 0;
	if (s->zstd == NULL)
		return in.size > 0 ? put(s, s->buf, in.size, err) : 0;
	while (r == 0 && (last ? left != 0 : in.pos < in.size)) {
		ZSTD_outBuffer out = { s->out, sizeof(s->out), 0 };

		left = ZSTD_compressStream2(s->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return err_msg(err, -ENOMEM, "compress the archive: %s",
				       ZSTD_getErrorName(left));
		r = put(s, s->out, out.pos, err);
	}
	return r;
}

int img_sink_write(struct img_sink *s, const void *data, size_t n, struct err *err)
{
	const unsigned char *p = data;

	while (n > 0) {
		size_t room = sizeof(s->buf) - s->len, step = n < room ? n : room;

		memcpy(s->buf + s->len, p, step);
		s->len += step;
		p += step;
		n -= step;
		if (s->len == sizeof(s->buf)) {
			int r = flush(s, false, err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Inside the kernel.  Return: bytes; 0 this kind of file cannot; -errno. */
static ssize_t copy_some(struct img_sink *s, int fd, uint64_t at, uint64_t size)
{
	size_t n = size < COPY_MAX ? (size_t) size : COPY_MAX;
	off_t from = (off_t) at;
	ssize_t r = copy_file_range(fd, &from, s->fd, NULL, n, 0);

	if (r <= 0 && (r == 0 || errno == EXDEV || errno == EINVAL || errno == EBADF ||
		       errno == EOPNOTSUPP)) {
		from = (off_t) at;
		r = sendfile(s->fd, fd, &from, n);
	}
	if (r < 0 && (errno == EINVAL || errno == EINTR))
		return 0;
	return r < 0 ? -errno : r;
}

int img_sink_copy(struct img_sink *s, int fd, uint64_t at, uint64_t size, struct err *err)
{
	bool direct = s->zstd == NULL && !s->digests && size > BUF_SIZE;
	int r = direct ? flush(s, false, err) : 0;

	while (r == 0 && size > 0) {
		ssize_t n = direct ? copy_some(s, fd, at, size) : 0;

		if (n > 0) {
			s->given += (uint64_t) n;
			img_meter_add(s->meter, (uint64_t) n);
		} else if (n == 0) {
			size_t room = sizeof(s->buf) - s->len;

			direct = false;
			n = pread(fd, s->buf + s->len, size < room ? (size_t) size : room,
				  (off_t) at);
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				return err_set(err, n < 0 ? -errno : -EIO, "read a file");
			s->len += (size_t) n;
			if (s->len == sizeof(s->buf))
				r = flush(s, false, err);
		} else {
			return err_set(err, (int) n, "write the archive");
		}
		at += (uint64_t) n;
		size -= (uint64_t) n;
	}
	return r;
}

int img_sink_finish(struct img_sink *s, struct img_stream_sum *ret, struct err *err)
{
	int r = flush(s, true, err);

	if (r < 0 || ret == NULL)
		return r;
	memcpy(ret->diff_id, "sha256:", 7);
	memcpy(ret->blob, "sha256:", 7);
	sha256_final_hex(&s->diff, ret->diff_id + 7);
	if (s->zstd != NULL)
		sha256_final_hex(&s->blob, ret->blob + 7);
	else
		memcpy(ret->blob, ret->diff_id, sizeof(ret->blob));
	ret->blob_size = s->given;
	ret->unpacked_size = s->taken;
	ret->media_type = s->zstd != NULL ? "application/vnd.oci.image.layer.v1.tar+zstd"
					  : "application/vnd.oci.image.layer.v1.tar";
	return 0;
}

void img_sink_free(struct img_sink *s)
{
	if (s == NULL)
		return;
	(void) ZSTD_freeCCtx(s->zstd); /* never fails */
	free(s);
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: archive input
 *
 * One pass over the input: bytes are hashed and copied as they come, decompressed, and hashed again.
 * An image holds concatenated gzip members and zstd frames; both are read to the end of the file.
 */
#include "image/stream.h"

#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/sha256.h"
#include "image/meter.h"

#define IN_SIZE ((size_t) 1 << 17) /* bytes */
#define XZ_MEMORY_MAX (1ull << 30) /* bytes xz may ask for */
#define ZSTD_WINDOW_MAX 27 /* log2 of bytes, the default of the zstd program */

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD, PACKING_XZ };

struct img_stream {
	int fd, tee_fd;
	enum packing packing;
	bool input_ended, ended;
	bool in_frame; /* a member or frame has begun and not ended */
	bool digests;
	bool ranged; /* reads up to @left bytes at @at */
	uint64_t at, left;
	const struct img_flow *flow; /* or NULL */
	unsigned char in[IN_SIZE];
	size_t pos, len; /* unread part of in */
	uint64_t taken, given; /* bytes in and out */
	struct sha256 blob, diff;
	struct img_meter *meter;
	uint64_t blob_size;
	z_stream gz;
	ZSTD_DStream *zstd;
	lzma_stream xz;
};

static int tee(struct img_stream *s, const void *data, size_t n, struct err *err)
{
	int r = 0;

	if (s->digests && s->packing != PACKING_NONE && s->packing != PACKING_XZ)
		sha256_update(&s->blob, data, n); /* else the same bytes as the uncompressed ones */
	s->blob_size += n;
	if (s->tee_fd >= 0)
		r = fd_write_full(s->tee_fd, data, n);
	return r < 0 ? err_set(err, r, "write a blob") : 0;
}

static ssize_t read_input(struct img_stream *s, struct err *err)
{
	size_t want = s->left < sizeof(s->in) ? (size_t) s->left : sizeof(s->in), done = 0;
	ssize_t n;

	if (!s->ranged) {
		n = fd_read_full(s->fd, s->in, sizeof(s->in));
		return n < 0 ? err_set(err, (int) n, "read the archive") : n;
	}
	while (done < want) {
		int r = s->flow != NULL ? s->flow->wait(s->flow->data, s->at, err) : 0;

		if (r < 0)
			return r;
		n = pread(s->fd, s->in + done, want - done, (off_t) s->at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, -errno, "read the archive");
		if (n == 0)
			break;
		done += (size_t) n;
		s->at += (size_t) n;
		s->left -= (size_t) n;
	}
	return (ssize_t) done;
}

/* Read more input behind what is left.  The first call may come short only at the end of the file. */
static int fill(struct img_stream *s, struct err *err)
{
	ssize_t n;

	if (s->pos < s->len || s->input_ended)
		return 0;
	n = read_input(s, err);
	if (n < 0)
		return (int) n;
	s->input_ended = (size_t) n < sizeof(s->in);
	s->pos = 0;
	s->len = (size_t) n;
	s->taken += (size_t) n;
	img_meter_add(s->meter, (uint64_t) n);
	return s->packing == PACKING_XZ ? 0 : tee(s, s->in, s->len, err);
}

static enum packing sniff(const unsigned char *p, size_t n)
{
	if (n >= 3 && memcmp(p, "\x1f\x8b\x08", 3) == 0)
		return PACKING_GZIP;
	if (n >= 4 && memcmp(p, "\x28\xb5\x2f\xfd", 4) == 0)
		return PACKING_ZSTD;
	if (n >= 6 && memcmp(p,
			     "\xfd"
			     "7zXZ\0",
			     6) == 0)
		return PACKING_XZ;
	return PACKING_NONE;
}

static int start_packing(struct img_stream *s, struct err *err)
{
	bool ok = true;

	s->packing = sniff(s->in, s->len);
	switch (s->packing) {
	case PACKING_GZIP:
		ok = inflateInit2(&s->gz, 15 + 16) == Z_OK;
		break;
	case PACKING_ZSTD:
		s->zstd = ZSTD_createDStream();
		ok = s->zstd != NULL &&
		     !ZSTD_isError(
			     ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_MAX));
		break;
	case PACKING_XZ:
		ok = lzma_stream_decoder(&s->xz, XZ_MEMORY_MAX, LZMA_CONCATENATED) == LZMA_OK;
		break;
	case PACKING_NONE:
		break;
	}
	return ok ? 0 : err_set(err, -ENOMEM, "start to decompress");
}

static int open_any(int fd, bool ranged, uint64_t at, uint64_t size, const struct img_flow *flow,
		    int tee_fd, struct img_stream **ret, struct err *err)
{
	_cleanup_(img_stream_freep) struct img_stream *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return err_set(err, -ENOMEM, "open the archive");
	s->ranged = ranged;
	s->at = at;
	s->left = size;
	s->flow = flow;
	s->digests = true;
	s->fd = fd;
	s->tee_fd = tee_fd;
	sha256_init(&s->blob);
	sha256_init(&s->diff);
	s->packing = PACKING_XZ; /* nothing is copied before the packing is known */
	r = fill(s, err);
	if (r == 0)
		r = start_packing(s, err);
	if (r == 0 && s->packing != PACKING_XZ)
		r = tee(s, s->in, s->len, err);
	if (r < 0)
		return r;
	*ret = take_ptr(s);
	return 0;
}

int img_stream_open(int fd, int tee_fd, struct img_stream **ret, struct err *err)
{
	return open_any(fd, false, 0, 0, NULL, tee_fd, ret, err);
}

int img_stream_open_range(int fd, uint64_t at, uint64_t size, int tee_fd, struct img_stream **ret,
			  struct err *err)
{
	return open_any(fd, true, at, size, NULL, tee_fd, ret, err);
}

int img_stream_open_flow(int fd, const struct img_flow *flow, struct img_stream **ret,
			 struct err *err)
{
	return open_any(fd, true, 0, UINT64_MAX, flow, -EBADF, ret, err);
}

void img_stream_no_digests(struct img_stream *s)
{
	s->digests = false;
}

void img_stream_meter(struct img_stream *s, struct img_meter *meter)
{
	s->meter = meter;
	img_meter_add(meter, s->taken);
}

bool img_stream_seeks(const struct img_stream *s)
{
	return s->packing == PACKING_NONE && s->ranged;
}

uint64_t img_stream_tell(const struct img_stream *s)
{
	return s->given;
}

static int damaged(const char *what, const char *why, struct err *err)
{
	return err_msg(err, -EBADMSG, "the archive's %s data is damaged: %s", what,
		       why != NULL ? why : "unknown error");
}

static ssize_t read_none(struct img_stream *s, void *buf, size_t n)
{
	size_t have = s->len - s->pos, take = n < have ? n : have;

	memcpy(buf, s->in + s->pos, take);
	s->pos += take;
	s->ended = take == 0 && s->input_ended;
	return (ssize_t) take;
}

static ssize_t read_gzip(struct img_stream *s, void *buf, size_t n, struct err *err)
{
	int code;

	if (s->pos == s->len && s->input_ended) {
		s->ended = true;
		return s->in_frame ? damaged("gzip", "it ends early", err) : 0;
	}
	if (!s->in_frame) { /* zero bytes after the last member are padding */
		if (s->given != 0 && s->in[s->pos] == 0) {
			s->pos++;
			return 0;
		}
		(void) inflateReset(&s->gz); /* fails for a NULL state only */
		s->in_frame = true;
	}
	s->gz.next_in = s->in + s->pos;
	s->gz.avail_in = (unsigned) (s->len - s->pos);
	s->gz.next_out = buf;
	s->gz.avail_out = (unsigned) n;
	code = inflate(&s->gz, Z_NO_FLUSH);
	s->pos = s->len - s->gz.avail_in;
	if (code == Z_STREAM_END)
		s->in_frame = false;
	else if (code != Z_OK && code != Z_BUF_ERROR)
		return damaged("gzip", s->gz.msg, err);
	return (ssize_t) (n - s->gz.avail_out);
}

static ssize_t read_zstd(struct img_stream *s, void *buf, size_t n, struct err *err)
{
	ZSTD_inBuffer in = { s->in, s->len, s->pos };
	ZSTD_outBuffer out = { buf, n, 0 };
	size_t code;

	if (!s->in_frame && s->pos == s->len && s->input_ended) {
		s->ended = true; /* asked once more, the library would expect another frame */
		return 0;
	}
	code = ZSTD_decompressStream(s->zstd, &out, &in);
	if (ZSTD_isError(code))
		return damaged("zstd", ZSTD_getErrorName(code), err);
	if (s->in_frame || in.pos != s->pos) /* between frames it asks for another one */
		s->in_frame = code != 0;
	s->pos = in.pos;
	if (out.pos == 0 && s->pos == s->len && s->input_ended) {
		s->ended = true;
		return s->in_frame ? damaged("zstd", "it ends early", err) : 0;
	}
	return (ssize_t) out.pos;
}

static ssize_t read_xz(struct img_stream *s, void *buf, size_t n, struct err *err)
{
	lzma_ret code;

	s->xz.next_in = s->in + s->pos;
	s->xz.avail_in = s->len - s->pos;
	s->xz.next_out = buf;
	s->xz.avail_out = n;
	code = lzma_code(&s->xz, s->input_ended ? LZMA_FINISH : LZMA_RUN);
	s->pos = s->len - s->xz.avail_in;
	if (code == LZMA_STREAM_END)
		s->ended = true;
	else if (code == LZMA_MEMLIMIT_ERROR)
		return damaged("xz", "it needs more than 1 GiB of memory", err);
	else if (code == LZMA_BUF_ERROR && s->input_ended)
		return damaged("xz", "it ends early", err);
	else if (code != LZMA_OK && code != LZMA_BUF_ERROR)
		return damaged("xz", "not valid xz", err);
	return (ssize_t) (n - s->xz.avail_out);
}

static int account(struct img_stream *s, const void *buf, size_t n, struct err *err)
{
	s->given += n;
	if (s->given > IMG_UNPACKED_MAX)
		return err_msg(err, -EFBIG, "the archive grows over the limit of %llu GiB",
			       IMG_UNPACKED_MAX >> 30);
	if (s->given > IMG_RATIO_FREE && s->given / IMG_RATIO_MAX > s->taken)
		return err_msg(err, -EFBIG, "the archive grows over the limit of %d times its size",
			       IMG_RATIO_MAX);
	if (s->digests)
		sha256_update(&s->diff, buf, n);
	return s->packing == PACKING_XZ ? tee(s, buf, n, err) : 0;
}

ssize_t img_stream_read(struct img_stream *s, void *buf, size_t n, struct err *err)
{
	ssize_t got = 0;

	while (got == 0 && !s->ended && n > 0) {
		int r = fill(s, err);

		if (r < 0)
			return r;
		switch (s->packing) {
		case PACKING_NONE:
			got = read_none(s, buf, n);
			break;
		case PACKING_GZIP:
			got = read_gzip(s, buf, n, err);
			break;
		case PACKING_ZSTD:
			got = read_zstd(s, buf, n, err);
			break;
		case PACKING_XZ:
			got = read_xz(s, buf, n, err);
			break;
		}
	}
	if (got > 0) {
		int r = account(s, buf, (size_t) got, err);

		if (r < 0)
			return r;
	}
	return got;
}

int img_stream_skip(struct img_stream *s, uint64_t n, struct err *err)
{
	uint64_t have = s->len - s->pos;
	char buf[16384];

	if (img_stream_seeks(s) && !s->digests && s->tee_fd < 0 && n > have && n - have <= s->left) {
		s->pos = s->len;
		s->at += n - have;
		s->left -= n - have;
		s->taken += n - have;
		s->given += n;
		return 0;
	}
	while (n > 0) {
		ssize_t r = img_stream_read(s, buf, n < sizeof(buf) ? (size_t) n : sizeof(buf), err);

		if (r <= 0)
			return r < 0 ? (int) r
				     : err_msg(err, -EBADMSG, "the archive ends early");
		n -= (uint64_t) r;
	}
	return 0;
}

int img_stream_finish(struct img_stream *s, struct img_stream_sum *ret, struct err *err)
{
	static const char *const types[] = {
		[PACKING_NONE] = "application/vnd.oci.image.layer.v1.tar",
		[PACKING_GZIP] = "application/vnd.oci.image.layer.v1.tar+gzip",
		[PACKING_ZSTD] = "application/vnd.oci.image.layer.v1.tar+zstd",
		[PACKING_XZ] = "application/vnd.oci.image.layer.v1.tar",
	};
	char rest[16384];
	ssize_t n;

	do
		n = img_stream_read(s, rest, sizeof(rest), err);
	while (n > 0);
	if (n < 0)
		return (int) n;
	memcpy(ret->diff_id, "sha256:", 7);
	memcpy(ret->blob, "sha256:", 7);
	sha256_final_hex(&s->diff, ret->diff_id + 7);
	if (s->packing == PACKING_NONE || s->packing == PACKING_XZ)
		memcpy(ret->blob, ret->diff_id, sizeof(ret->blob));
	else
		sha256_final_hex(&s->blob, ret->blob + 7);
	ret->blob_size = s->blob_size;
	ret->unpacked_size = s->given;
	ret->media_type = types[s->packing];
	return 0;
}

void img_stream_free(struct img_stream *s)
{
	if (s == NULL)
		return;
	if (s->packing == PACKING_GZIP)
		(void) inflateEnd(&s->gz); /* complains about unread data */
	(void) ZSTD_freeDStream(s->zstd); /* never fails */
	lzma_end(&s->xz);
	free(s);
}

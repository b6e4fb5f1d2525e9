/* SPDX-License-Identifier: MIT */
/**
 * DOC: what kernels are compressed with
 *
 * All in memory at one end and a file at the other, in pieces of a window.  A kind is a row of the
 * table below; a module can be compressed with the same ones.
 */
#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "engine/kernel/payload.h"

#define PIECE (1u << 20) /* bytes written at a time */
#define LZ4_BLOCK (8u << 20) /* bytes of a block of LZ4's legacy format, unpacked */
#define LZMA_MEMORY_MAX (256ull << 20) /* bytes a decoder may ask for */
#define ZSTD_WINDOW_LOG_MAX 27

/* Where output goes: counts it and keeps the limit. */
struct sink {
	const char *what;
	int fd;
	uint64_t size, max;
	unsigned char *piece; /* PIECE or LZ4_BLOCK bytes */
	struct err *err;
};

static int damaged(const struct sink *s, const char *kind)
{
	return err_msg(s->err, -EBADMSG, "%s: its %s data is damaged", s->what, kind);
}

static int put(struct sink *s, size_t n)
{
	int r;

	if (n > s->max - s->size)
		return err_msg(s->err, -EFBIG, "%s: unpacked, it is larger than %llu bytes", s->what,
			       (unsigned long long) s->max);
	r = fd_write_full(s->fd, s->piece, n);
	s->size += n;
	return r < 0 ? err_set(s->err, r, "%s: write what is unpacked", s->what) : 0;
}

static int unpack_gzip(struct sink *s, const unsigned char *data, size_t n)
{
	z_stream z = { .next_in = (unsigned char *) (uintptr_t) data, .avail_in = (unsigned) n };
	int r = 0, zr = inflateInit2(&z, 16 + MAX_WBITS);

	if (zr != Z_OK)
		return err_set(s->err, -ENOMEM, "%s: unpack", s->what);
	while (r == 0 && zr == Z_OK) {
		z.next_out = s->piece;
		z.avail_out = PIECE;
		zr = inflate(&z, Z_NO_FLUSH);
		if (zr != Z_OK && zr != Z_STREAM_END)
			r = damaged(s, "gzip");
		else
			r = put(s, PIECE - z.avail_out);
	}
	(void) inflateEnd(&z); /* memory only */
	return r;
}

static int run_lzma(struct sink *s, lzma_stream *x, const unsigned char *data, size_t n, const char *kind)
{
	lzma_ret xr = LZMA_OK;
	int r = 0;

	x->next_in = data;
	x->avail_in = n;
	while (r == 0 && xr == LZMA_OK) {
		x->next_out = s->piece;
		x->avail_out = PIECE;
		xr = lzma_code(x, LZMA_RUN);
		if (xr == LZMA_MEMLIMIT_ERROR)
			r = err_msg(s->err, -EFBIG, "%s: needs more than %llu bytes of memory to unpack",
				    s->what, LZMA_MEMORY_MAX);
		else if (xr != LZMA_OK && xr != LZMA_STREAM_END)
			r = damaged(s, kind);
		else
			r = put(s, PIECE - x->avail_out);
	}
	lzma_end(x);
	return r;
}

static int unpack_xz(struct sink *s, const unsigned char *data, size_t n)
{
	lzma_stream x = LZMA_STREAM_INIT;

	if (lzma_stream_decoder(&x, LZMA_MEMORY_MAX, 0) != LZMA_OK)
		return err_set(s->err, -ENOMEM, "%s: unpack", s->what);
	return run_lzma(s, &x, data, n, "xz");
}

static int unpack_lzma(struct sink *s, const unsigned char *data, size_t n)
{
	lzma_stream x = LZMA_STREAM_INIT;

	if (lzma_alone_decoder(&x, LZMA_MEMORY_MAX) != LZMA_OK)
		return err_set(s->err, -ENOMEM, "%s: unpack", s->what);
	return run_lzma(s, &x, data, n, "lzma");
}

static int unpack_zstd(struct sink *s, const unsigned char *data, size_t n)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer in = { data, n, 0 };
	size_t left = 1;
	int r = 0;

	if (z == NULL || ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX)))
		r = err_set(s->err, -ENOMEM, "%s: unpack", s->what);
	while (r == 0 && left != 0) {
		ZSTD_outBuffer out = { s->piece, PIECE, 0 };
		size_t before = in.pos;

		left = ZSTD_decompressStream(z, &out, &in);
		if (ZSTD_isError(left) || (left != 0 && out.pos == 0 && in.pos == before))
			r = damaged(s, "zstd");
		else
			r = put(s, out.pos);
	}
	(void) ZSTD_freeDStream(z); /* memory only; NULL is fine */
	return r;
}

/* The legacy format of the program lz4: blocks, each behind its length, up to the end. */
static int unpack_lz4(struct sink *s, const unsigned char *data, size_t n)
{
	for (size_t at = 4; at < n;) {
		uint32_t len;
		int got, r;

		if (n - at < 4)
			return damaged(s, "lz4");
		memcpy(&len, data + at, 4);
		at += 4;
		if (len == 0 || len > n - at || len > (uint32_t) LZ4_compressBound(LZ4_BLOCK))
			return damaged(s, "lz4");
		got = LZ4_decompress_safe((const char *) data + at, (char *) s->piece, (int) len, LZ4_BLOCK);
		if (got <= 0)
			return damaged(s, "lz4");
		r = put(s, (size_t) got);
		if (r < 0)
			return r;
		at += len;
	}
	return s->size > 0 ? 0 : damaged(s, "lz4");
}

static const struct {
	const char *name;
	size_t len;
	unsigned char magic[6];
	int (*unpack)(struct sink *s, const unsigned char *data, size_t n); /* NULL: known, but not here */
} kinds[] = {
	{ "gzip", 2, { 0x1F, 0x8B }, unpack_gzip },
	{ "xz", 6, { 0xFD, '7', 'z', 'X', 'Z', 0 }, unpack_xz },
	{ "lzma", 3, { 0x5D, 0, 0 }, unpack_lzma },
	{ "zstd", 4, { 0x28, 0xB5, 0x2F, 0xFD }, unpack_zstd },
	{ "lz4", 4, { 0x02, 0x21, 0x4C, 0x18 }, unpack_lz4 },
	{ "bzip2", 3, { 'B', 'Z', 'h' }, NULL },
	{ "lzo", 4, { 0x89, 'L', 'Z', 'O' }, NULL },
};

int kernel_decompress(const void *data, size_t n, const char *what, int out, uint64_t max,
		      uint64_t *ret_size, struct err *err)
{
	_cleanup_free_ unsigned char *piece = malloc(LZ4_BLOCK);
	struct sink s = { .what = what, .fd = out, .max = max, .piece = piece, .err = err };
	int r;

	if (piece == NULL)
		return err_set(err, -ENOMEM, "%s: unpack", what);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (n < kinds[i].len || memcmp(data, kinds[i].magic, kinds[i].len) != 0)
			continue;
		if (kinds[i].unpack == NULL)
			return err_msg(err, -ENOTSUP,
				       "%s is compressed with %s; gzip, xz, lzma, zstd and lz4 can be unpacked",
				       what, kinds[i].name);
		r = kinds[i].unpack(&s, data, n);
		*ret_size = s.size;
		return r;
	}
	return err_msg(err, -ENOTSUP, "%s is compressed with nothing that is known", what);
}

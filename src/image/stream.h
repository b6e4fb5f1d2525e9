/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct img_meter;
struct img_stream;

#define IMG_UNPACKED_MAX (64ull << 30) /* bytes an archive may grow to */
#define IMG_RATIO_MAX 2000 /* times its compressed size, beyond IMG_RATIO_FREE */
#define IMG_RATIO_FREE (256ull << 20) /* bytes */

/**
 * img_stream_open() - read an archive that may be compressed
 * @fd: borrows; at the start of the archive; need not be seekable
 * @tee_fd: borrows; gets a copy in a form that OCI allows (xz is stored uncompressed), -EBADF for none
 * @ret: returns; free with img_stream_free()
 *
 * gzip, zstd and xz are known by their first bytes; anything else is passed through.
 * Return: 0; -errno with a message.
 */
int img_stream_open(int fd, int tee_fd, struct img_stream **ret, struct err *err);

/**
 * img_stream_open_range() - the same, for a part of a file
 * @at, @size: where it begins, and its bytes; the position of @fd is left alone
 * Return: as of img_stream_open().
 */
int img_stream_open_range(int fd, uint64_t at, uint64_t size, int tee_fd, struct img_stream **ret,
			  struct err *err);

/**
 * struct img_flow - a file that still grows
 * @wait: returns 0 when the byte at @at is there, or there will be no more; -errno with a message
 */
struct img_flow {
	int (*wait)(void *data, uint64_t at, struct err *err);
	void *data;
};

/**
 * img_stream_open_flow() - the same, for a file that grows while it is read
 * @flow: borrows
 * Return: as of img_stream_open(); that of @flow.
 */
int img_stream_open_flow(int fd, const struct img_flow *flow, struct img_stream **ret,
			 struct err *err);

/** img_stream_no_digests() - hash nothing from here on; img_stream_finish() is not called then */
void img_stream_no_digests(struct img_stream *s);

/** img_stream_meter() - count the bytes that are read; NULL is fine */
void img_stream_meter(struct img_stream *s, struct img_meter *meter);

/** img_stream_seeks() - true when it is neither compressed nor a pipe: img_stream_tell() is a position in it */
bool img_stream_seeks(const struct img_stream *s);

/** img_stream_tell() - uncompressed bytes read so far */
uint64_t img_stream_tell(const struct img_stream *s);

/**
 * img_stream_skip() - leave out bytes
 * Does not notice an early end when img_stream_seeks() and no digests are wanted.
 * Return: 0; -EBADMSG it ends before; codes of img_stream_read().
 */
int img_stream_skip(struct img_stream *s, uint64_t n, struct err *err);

/**
 * img_stream_read() - next uncompressed bytes
 * Return: bytes; 0 at the end; -EBADMSG damaged; -EFBIG over a limit; -errno with a message.
 */
ssize_t img_stream_read(struct img_stream *s, void *buf, size_t n, struct err *err);

/**
 * struct img_stream_sum - what went through
 * @diff_id, @blob: "sha256:<hex>" of the uncompressed bytes and of the copy
 * @blob_size, @unpacked_size: bytes
 * @media_type: of the copy
 */
struct img_stream_sum {
	char diff_id[72], blob[72];
	uint64_t blob_size, unpacked_size;
	const char *media_type;
};

/**
 * img_stream_finish() - read to the end and give the digests
 * Return: 0; codes of img_stream_read().
 */
int img_stream_finish(struct img_stream *s, struct img_stream_sum *ret, struct err *err);

/** img_stream_free() - release; NULL is fine */
void img_stream_free(struct img_stream *s);

static inline void img_stream_freep(struct img_stream **s)
{
	img_stream_free(*s);
}

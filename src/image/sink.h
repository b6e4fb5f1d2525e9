/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct img_meter;
struct img_sink;
struct img_stream_sum;

/**
 * img_sink_open() - write an archive
 * @fd: borrows; a file or pipe
 * @zstd: compress
 * @digests: img_sink_finish() shall give them
 * @ret: returns; free with img_sink_free()
 * Return: 0; -ENOMEM with a message.
 */
int img_sink_open(int fd, bool zstd, bool digests, struct img_sink **ret, struct err *err);

/** img_sink_meter() - count the bytes that are put in; NULL is fine */
void img_sink_meter(struct img_sink *s, struct img_meter *meter);

/** img_sink_write() - append; 0 or -errno with a message */
int img_sink_write(struct img_sink *s, const void *data, size_t n, struct err *err);

/**
 * img_sink_copy() - append a part of a file
 * Return: 0; -EIO the file has become shorter; -errno with a message.
 */
int img_sink_copy(struct img_sink *s, int fd, uint64_t at, uint64_t size, struct err *err);

/** img_sink_finish() - write out what is left; @ret may be NULL; 0 or -errno with a message */
int img_sink_finish(struct img_sink *s, struct img_stream_sum *ret, struct err *err);

/** img_sink_free() - release; NULL is fine */
void img_sink_free(struct img_sink *s);

static inline void img_sink_freep(struct img_sink **s)
{
	img_sink_free(*s);
}

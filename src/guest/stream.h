/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/proto/proto.h"

#define STREAM_SIZE GUEST_BLOCK_MAX /* bytes under way */

/**
 * struct stream - bytes from one descriptor to another
 * @from, @to: -1: not there yet, or not any more; both non-blocking
 * @ended: nothing more comes; @closed: and all was passed on
 * @lost: nobody wants it: it is read and thrown away
 * @blocks: what comes are blocks with headers; of the one under way there are @got bytes, with those of its @head,
 *          and it has @block
 * @moved: bytes that came since stream_run() told
 */
struct stream {
	int from, to;
	char *buf;
	size_t pos, len;
	bool ended, closed, lost, blocks;
	uint8_t head[GUEST_BLOCK_HEADER];
	size_t got, block, moved;
};

/** stream_reads(), stream_writes() - which of its descriptors it waits for */
static inline bool stream_reads(const struct stream *s)
{
	return s->from >= 0 && !s->ended && s->len == 0 && (s->to >= 0 || s->lost);
}

static inline bool stream_writes(const struct stream *s)
{
	return s->to >= 0 && s->len > 0;
}

/**
 * stream_run() - pass on what can be passed on now
 * @last: whoever writes has ended, so what is not there now does not come
 * Return: how many bytes came.
 */
size_t stream_run(struct stream *s, bool last);

/** stream_fini() - release the buffer */
void stream_fini(struct stream *s);

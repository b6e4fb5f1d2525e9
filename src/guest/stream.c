/* SPDX-License-Identifier: MIT */
#include "guest/stream.h"

#include <errno.h>

#include "guest/os.h"

#define ROUNDS 16 /* buffers at once, then others have their turn */

static void write_out(struct stream *s)
{
	while (s->len > 0) {
		long n = s->lost ? (long) s->len : sys_write(s->to, s->buf + s->pos, s->len);

		if (n == -EINTR)
			continue;
		if (n == -EAGAIN)
			return;
		if (n < 0) { /* nobody reads it any more */
			s->lost = true;
			continue;
		}
		s->pos += (size_t) n;
		s->len -= (size_t) n;
	}
}

/*
 * Read what belongs to the block under way.  It is passed on when all of it is there, so that the program finds it in
 * one piece, as who wrote it would expect of a pipe.
 */
static long read_block(struct stream *s)
{
	size_t header = GUEST_BLOCK_HEADER;
	long n = s->got < header ? sys_read(s->from, s->head + s->got, header - s->got)
				 : sys_read(s->from, s->buf + s->got - header, header + s->block - s->got);

	if (n <= 0)
		return n;
	s->got += (size_t) n;
	if (s->got == header)
		s->block = guest_get32(s->head);
	if (s->got >= header && (s->block == 0 || s->block > STREAM_SIZE))
		return -EPROTO;
	if (s->got == header + s->block) {
		s->len = s->block;
		s->got = 0;
	}
	return n;
}

static long read_bytes(struct stream *s)
{
	long n = sys_read(s->from, s->buf, STREAM_SIZE);

	s->len = n > 0 ? (size_t) n : 0;
	return n;
}

/* Return: false when nothing can be read now. */
static bool read_in(struct stream *s, bool last)
{
	long n;

	if (s->buf == NULL)
		s->buf = os_alloc(STREAM_SIZE);
	if (s->buf == NULL)
		return false; /* later */
	s->pos = 0;
	n = s->blocks ? read_block(s) : read_bytes(s);
	if (n == -EINTR)
		return true;
	if (n > 0) {
		s->moved += (size_t) n;
		return true;
	}
	s->ended = n != -EAGAIN || last;
	return false;
}

size_t stream_run(struct stream *s, bool last)
{
	bool more = true;
	size_t moved;

	for (int i = 0; more && i < ROUNDS; i++) {
		write_out(s);
		more = s->len == 0 && s->from >= 0 && !s->ended && (s->to >= 0 || s->lost) && read_in(s, last);
	}
	if (s->ended && s->len == 0)
		s->closed = true;
	moved = s->moved;
	s->moved = 0;
	return moved;
}

void stream_fini(struct stream *s)
{
	os_free(s->buf, STREAM_SIZE);
	s->buf = NULL;
}

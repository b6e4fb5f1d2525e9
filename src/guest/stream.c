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

/* Return: false when nothing can be read now. */
static bool read_in(struct stream *s, bool last)
{
	long n;

	if (s->buf == NULL)
		s->buf = os_alloc(STREAM_SIZE);
	if (s->buf == NULL)
		return false; /* later */
	n = sys_read(s->from, s->buf, STREAM_SIZE);
	if (n == -EINTR)
		return true;
	if (n > 0) {
		s->pos = 0;
		s->len = (size_t) n;
		return true;
	}
	s->ended = n != -EAGAIN || last;
	return false;
}

void stream_run(struct stream *s, bool last)
{
	bool more = true;

	for (int i = 0; more && i < ROUNDS; i++) {
		write_out(s);
		more = s->len == 0 && s->from >= 0 && !s->ended && (s->to >= 0 || s->lost) && read_in(s, last);
	}
	if (s->ended && s->len == 0)
		s->closed = true;
}

void stream_fini(struct stream *s)
{
	os_free(s->buf, STREAM_SIZE);
	s->buf = NULL;
}

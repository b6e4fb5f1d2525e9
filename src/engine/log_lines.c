/* SPDX-License-Identifier: MIT */
#include "engine/log_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define BUF_SIZE (ENG_LOG_LINE_MAX + 256 * 1024) /* bytes */
#define TAIL_BLOCK 65536 /* bytes */

int eng_log_lines_init(struct eng_log_lines *l, int fd)
{
	*l = (struct eng_log_lines) { .fd = fd, .buf = malloc(BUF_SIZE) };
	if (l->buf != NULL)
		return 0;
	eng_log_lines_fini(l);
	return -ENOMEM;
}

/* Make room behind what is there.  A line that is too long is thrown away as it comes. */
static void make_room(struct eng_log_lines *l)
{
	if (l->end - l->start > ENG_LOG_LINE_MAX) {
		l->start = l->end;
		l->searched = 0;
		l->skipping = 1;
	}
	if (l->start == l->end)
		l->start = l->end = 0;
	else if (BUF_SIZE - l->end < TAIL_BLOCK) {
		memmove(l->buf, l->buf + l->start, l->end - l->start);
		l->end -= l->start;
		l->start = 0;
	}
}

int eng_log_lines_next(struct eng_log_lines *l, const char **ret, size_t *ret_n)
{
	for (;;) {
		char *from = l->buf + l->start + l->searched;
		char *newline = memchr(from, '\n', l->end - l->start - l->searched);
		ssize_t n;

		if (newline != NULL) {
			*ret = l->buf + l->start;
			*ret_n = (size_t) (newline - *ret);
			l->start += *ret_n + 1;
			l->searched = 0;
			if (!l->skipping && *ret_n <= ENG_LOG_LINE_MAX)
				return 1;
			l->skipping = 0;
			continue;
		}
		l->searched = l->end - l->start;
		make_room(l);
		n = read(l->fd, l->buf + l->end, BUF_SIZE - l->end);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			l->end += (size_t) n;
	}
}

void eng_log_lines_fini(struct eng_log_lines *l)
{
	cleanup_closep(&l->fd);
	free(l->buf);
	*l = (struct eng_log_lines) { .fd = -EBADF };
}

off_t eng_log_lines_tail(int fd, uint64_t *n)
{
	char buf[TAIL_BLOCK];
	struct stat st;
	off_t end;
	uint64_t left = *n + 1; /* newlines: the one before the first line, too */

	if (fstat(fd, &st) < 0)
		return -errno;
	for (end = st.st_size; end > 0;) {
		size_t want = end < TAIL_BLOCK ? (size_t) end : TAIL_BLOCK;
		ssize_t got = pread(fd, buf, want, end - (off_t) want);
		const char *at = buf + want;

		if (got != (ssize_t) want)
			return got < 0 ? -errno : -EIO;
		while ((at = memrchr(buf, '\n', (size_t) (at - buf))) != NULL)
			if (--left == 0) {
				*n = 0;
				return end - (off_t) want + (at - buf) + 1;
			}
		end -= (off_t) want;
	}
	*n = left - 1;
	return 0;
}

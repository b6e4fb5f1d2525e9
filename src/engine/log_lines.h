/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ENG_LOG_LINE_MAX (1u << 20) /* bytes; longer lines are passed over */

/**
 * struct eng_log_lines - whole lines of a file or pipe
 * @fd: owned
 * Release with eng_log_lines_fini().
 */
struct eng_log_lines {
	int fd;
	char *buf;
	size_t start, end; /* of @buf: read and not taken yet */
	size_t searched; /* bytes from @start on without a newline */
	int skipping; /* inside a line that is too long */
};

/**
 * eng_log_lines_init() - read from @fd on, where it is
 * @fd: takes, also on failure
 * Return: 0; -ENOMEM.
 */
int eng_log_lines_init(struct eng_log_lines *l, int fd);

/**
 * eng_log_lines_next() - the next line
 * @ret: without the newline, valid until the next call
 * Return: 1; 0 at the end of the file, which may grow: call again then; -errno of read(2), -EAGAIN when a
 *         pipe that does not block has nothing now.
 */
int eng_log_lines_next(struct eng_log_lines *l, const char **ret, size_t *ret_n);

/** eng_log_lines_fini() - release, close */
void eng_log_lines_fini(struct eng_log_lines *l);

/**
 * eng_log_lines_tail() - where the last lines of a file begin
 * @n: in: how many; out: how many are missing because the file has fewer
 * What follows the last newline is no line.
 * Return: offset; -errno of read(2).
 */
off_t eng_log_lines_tail(int fd, uint64_t *n);

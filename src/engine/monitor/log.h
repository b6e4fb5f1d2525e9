/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define LOG_LINE_MAX 16384 /* bytes of one entry, as Docker's; longer lines become several */

/**
 * struct log_stream - a stream of the instance on its way to the log
 * @name: "stdout" or "stderr"
 * @line: the line that has not ended yet
 */
struct log_stream {
	const char *name;
	size_t len;
	char line[LOG_LINE_MAX];
};

/**
 * log_open() - how to log, said once
 * @how: "none"; "json MAX_SIZE MAX_FILES": to the file MON_FD_LOG, named "log" in the directory
 *       MON_FD_LOG_DIR, which is renamed to "log.1" when it has MAX_SIZE bytes (0: never), and so on up to
 *       MAX_FILES files; "journal FIELDS": to the journal by the socket MON_FD_LOG, with these lines of
 *       NAME=value in every entry.  Kept.
 */
void log_open(const char *how);

/**
 * log_add() - log bytes of a stream
 * Whole lines are written by log_flush(), or when there are many.  A full disk loses entries, the instance
 * goes on, and the first entry that is written again tells how many are missing.
 */
void log_add(struct log_stream *s, const char *data, size_t n);

/** log_flush() - write what was logged */
void log_flush(void);

/** log_end() - log what is left of a line that never ended, and write everything */
void log_end(struct log_stream *s);

/** log_release() - give back memory that only a lot of output needs */
void log_release(void);

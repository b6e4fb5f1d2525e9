/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/monitor/encode.h"

/** log_file_open() - MON_FD_LOG is the file; it is rotated at @max_size bytes unless that is 0 */
void log_file_open(uint64_t max_size, unsigned max_files);

/** log_file_add() - an entry, at most LOG_LINE_MAX bytes of text; it is written by log_file_flush() */
void log_file_add(const char *text, size_t n, const struct encode_stamp *stamp);

/** log_file_flush() - write the entries that were added */
void log_file_flush(void);

/** log_file_release() - give back the memory of the buffer */
void log_file_release(void);

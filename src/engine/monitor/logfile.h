/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/monitor/encode.h"

/** logfile_open() - MON_FD_LOG is the file; it is rotated at @max_size bytes unless that is 0 */
void logfile_open(uint64_t max_size, unsigned max_files);

/** logfile_add() - an entry, at most LOG_LINE_MAX bytes of text; it is written by logfile_flush() */
void logfile_add(const char *text, size_t n, const struct encode_stamp *stamp);

/** logfile_flush() - write the entries that were added */
void logfile_flush(void);

/** logfile_release() - give back the memory of the buffer */
void logfile_release(void);

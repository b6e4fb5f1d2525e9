/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "engine/monitor/protocol.h"

/**
 * struct log_stream - a stream of the instance on its way to the log
 * @name: "stdout" or "stderr"
 * @line: the line that has not ended yet
 */
struct log_stream {
	const char *name;
	size_t len;
	char line[MON_DATA_MAX];
};

/**
 * log_add() - log bytes of a stream
 * Whole lines are written to MON_FD_LOG, one JSON object each as Docker's json-file driver does; a
 * line over MON_DATA_MAX is split.  A full disk loses lines, the instance goes on.
 */
void log_add(struct log_stream *s, const char *data, size_t n);

/** log_end() - log what is left of a line that never ended */
void log_end(struct log_stream *s);

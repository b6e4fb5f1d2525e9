/* SPDX-License-Identifier: MIT */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "image/meter.h"

/** struct cli_progress - a line on a terminal that says how far something is */
struct cli_progress {
	struct img_meter meter;
	const char *what;
	bool shown, stop, color;
	int64_t begun;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
};

/**
 * cli_progress_start() - show a bar until cli_progress_stop()
 * @what: borrows; "Loading"
 * @quiet: show nothing
 * Nothing is shown either unless standard error is a terminal; colours only without $NO_COLOR.
 */
void cli_progress_start(struct cli_progress *p, const char *what, bool quiet);

/** cli_progress_stop() - remove the line */
void cli_progress_stop(struct cli_progress *p);

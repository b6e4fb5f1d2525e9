/* SPDX-License-Identifier: MIT */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "registry/watch.h"

/**
 * struct show - a pull or a push as Docker shows it: bars on a terminal, lines elsewhere
 * @watch: to give to reg_pull() and the like
 */
struct show {
	struct reg_watch watch;
	bool push, quiet, bars, color, stop;
	const struct reg_part *parts;
	size_t n, settled, drawn; /* @settled: parts that are not drawn again; @drawn: lines below them */
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
};

/** show_begin() - prepare; @quiet: print nothing */
void show_begin(struct show *s, bool push, bool quiet);

/** show_end() - release */
void show_end(struct show *s);

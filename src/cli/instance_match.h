/* SPDX-License-Identifier: MIT */
/*
 * --filter of the verbs that choose among instances.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/config.h"

struct arena;
struct eng_instance;
struct engine;
struct err;
struct opt_strings;

/* Names of the filters, for filter_check() and helps */
#define INSTANCE_FILTERS                                                              \
	"ancestor, before, exited, expose, health, id, is-task, isolation, label, name, network, " \
	"publish, restart-policy, should-start-on-boot, since, status, volume"

/**
 * struct instance_match - what an instance is compared with
 * Zero-initialise and set @e; the rest is private.  Release with instance_match_fini().
 * @i: the one that is looked at
 * @before, @since: when the instances of those filters were made
 * @config: of @i, read when something asks for it
 */
struct instance_match {
	struct engine *e;
	const struct eng_instance *i;
	bool has_before, has_since, has_config;
	int64_t before, since;
	struct eng_config config;
};

/** instance_match_limits() - check all names and read what "before" and "since" name; once; 0 or -errno with a message */
int instance_match_limits(struct instance_match *m, const struct opt_strings *filters,
			  struct arena *arena, struct err *err);

/** instance_match() - 1 it passes all filters; 0; -EINVAL with a message */
int instance_match(struct instance_match *m, const struct eng_instance *i,
		   const struct opt_strings *filters, struct err *err);

/** instance_match_config() - of the last one; empty for an instance that is being removed */
const struct eng_config *instance_match_config(struct instance_match *m);

/** instance_state() - "paused", or the word of its state */
const char *instance_state(const struct eng_instance *i);

/** instance_match_fini() - release */
void instance_match_fini(struct instance_match *m);

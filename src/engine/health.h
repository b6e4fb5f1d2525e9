/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct eng_config;
struct eng_instance;
struct engine;
struct err;

#define ENG_HEALTH_FILE "health.json" /* of the instance: Docker's State.Health, the last results */
#define ENG_HEALTH_NEVER ((uint64_t) INT64_MAX) /* interval: only by hand */

/** eng_health_wanted() - the configuration asks for health checks */
bool eng_health_wanted(const struct eng_config *config);

/**
 * eng_health_begin() - leave a process behind that checks the instance as long as it runs
 * @config: of the instance; with ENG_HEALTH_NEVER there is no such process
 * Context: single-threaded; forks.
 * Return: 0; -errno with a message.
 */
int eng_health_begin(struct engine *e, const struct eng_instance *i, const struct eng_config *config,
		     struct err *err);

/**
 * eng_health_run() - be that process
 * Context: a process that is a sealed copy (exe_seal()); returns when the instance has ended.
 * Return: 0; -errno with a message.
 */
int eng_health_run(struct engine *e, const struct eng_instance *i, struct err *err);

/**
 * eng_health_check() - run the check of an instance once, now
 * It counts as a regular one: when it returns, what --health-on-failure wants is done.
 * Context: a process that is a sealed copy (exe_seal()); forks; blocks.
 * Return: 0 it is well; 1 it is not; -ENOENT it has no check; -ESRCH it does not run; -errno with a message.
 */
int eng_health_check(struct engine *e, const struct eng_instance *i, struct err *err);

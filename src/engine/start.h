/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct eng_config;
struct eng_instance;
struct engine;
struct err;

/**
 * eng_begin() - take an instance that does not run, to start it
 * Waits while somebody cleans up after its last run.
 * @ret_lock: for eng_start()
 * Return: 0; -EALREADY it runs; -errno with a message.
 */
int eng_begin(struct engine *e, const struct eng_instance *i, int *ret_lock, struct err *err);

/**
 * eng_start() - run it under a monitor
 * @lock: takes; of eng_begin() or eng_instance_new()
 * @attach: the caller wants to be its first client
 * @ret_client: socket to the monitor with @attach, else -EBADF; the caller closes it
 *
 * Returns when the program runs.  A failure is noted in its row.
 * Context: single-threaded process that is a sealed copy (exe_seal()); forks; blocks.
 * Return: 0; -errno with a message, nothing runs then and the lock is free.
 */
int eng_start(struct engine *e, const struct eng_instance *i, const struct eng_config *config,
	      int lock, bool attach, int *ret_client, struct err *err);

/** eng_start_exit_code() - exit status for a failure to start or exec a program: 125, 126, 127 */
int eng_start_exit_code(const struct err *err);

/**
 * eng_restart() - start again an instance that eng_instance_ended() said so of, in a while
 * @lock: takes; of the instance
 * Context: as eng_start(); sleeps; nobody waits for it.
 * Return: 0 also when it was stopped meanwhile; -errno with a message, noted in its row.
 */
int eng_restart(struct engine *e, const struct eng_instance *i, int lock, struct err *err);

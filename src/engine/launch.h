/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct eng_config;
struct eng_exec;
struct eng_instance;
struct engine;
struct err;

/**
 * eng_launch() - start an instance under a monitor
 * @lock: takes; of the instance, goes over to the monitor
 * @attach: the caller wants to be its first client
 * @ret_client: socket to the monitor with @attach, else -EBADF; the caller closes it
 *
 * Returns when the program runs.
 * Context: single-threaded process that is a sealed copy (exe_seal()); forks; blocks.
 * Return: 0; -errno with a message, nothing runs then and the lock is free.
 */
int eng_launch(struct engine *e, const struct eng_instance *i, const struct eng_config *config,
	       int lock, bool attach, int *ret_client, struct err *err);

/**
 * eng_launch_exec() - run another program in a running instance under a monitor of its own
 * Parameters and context as of eng_exec(), which looks at the state of the instance first.
 * Return: as eng_exec().
 */
int eng_launch_exec(struct engine *e, const struct eng_instance *i, const struct eng_exec *exec,
		    bool attach, int *ret_client, struct err *err);

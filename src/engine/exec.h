/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "image/config.h"

struct arena;
struct eng_instance;
struct engine;
struct err;
struct oci_strv;

/**
 * struct eng_exec - another program in an instance
 * @args: the program and its arguments
 * @env: NAME=VALUE, besides those of the instance
 * @user: USER[:GROUP]; NULL: as the instance's first process
 * @workdir: absolute path; NULL: the instance's
 * @tty: give it a terminal
 * @open_stdin: it gets the client's input; else it reads nothing
 * @privileged: with all capabilities
 */
struct eng_exec {
	struct img_words args, env;
	const char *user, *workdir;
	bool tty, open_stdin, privileged;
};

/**
 * eng_exec() - run another program in an instance, under a monitor of its own
 * @attach: the caller wants to be its client
 * @ret_client: socket to the monitor with @attach, else -EBADF; the caller closes it
 *
 * Returns when the program runs.
 * Context: single-threaded process that is a sealed copy (exe_seal()); forks; blocks.
 * Return: 0; -ESRCH the instance does not run; -EBUSY it is paused; -errno with a message.
 */
int eng_exec(struct engine *e, const struct eng_instance *i, const struct eng_exec *exec,
	     bool attach, int *ret_client, struct err *err);

/** eng_exec_env() - make @env a copy in @a of itself with what @more sets, later ones last; 0 or -ENOMEM */
int eng_exec_env(struct arena *a, const struct img_words *more, struct oci_strv *env);

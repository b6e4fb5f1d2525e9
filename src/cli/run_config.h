/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/opt.h"

struct eng_config;
struct engine;
struct err;

/** struct run_opts - options of the verbs that make an instance */
struct run_opts {
	bool no_sig_proxy, auto_remove, interactive, tty, read_only, detach;
	const char *name, *hostname, *workdir, *user, *entrypoint, *memory, *cpus;
	struct opt_strings env, env_file, volume, attach, log_opts;
	int64_t pids_limit;
	const char *log_driver, *detach_keys;
};

extern const struct opt run_table[];

/**
 * run_config() - what the options and the image say together
 * @argv: IMAGE and the command
 * @ret: filled; release with eng_config_fini()
 *
 * The embedded image is put into the store when it is asked for and not there.
 * Return: 0; -ENOENT no such image; -EINVAL with a message naming the option.
 */
int run_config(struct engine *e, const struct run_opts *o, int argc, char **argv,
	       struct eng_config *ret, struct err *err);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/opt.h"

struct arena;
struct eng_config;
struct engine;
struct err;
struct img_words;

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

/**
 * run_env() - variables of --env-file and --env
 * @env: added to; strings live in @a
 * Return: 0; -EINVAL with a message; -errno.
 */
int run_env(struct arena *a, struct img_words *env, const struct opt_strings *files,
	    const struct opt_strings *entries, struct err *err);

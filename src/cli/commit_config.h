/* SPDX-License-Identifier: MIT */
#pragma once

struct arena;
struct eng_config;
struct err;
struct img_words;
struct opt_strings;

/**
 * commit_config() - what an instance was made with, as instructions for its image
 * @changes: of --change; they come last, and ENTRYPOINT among them takes no command of the instance
 * @ret: strings live in @a
 *
 * As Docker: variables, command, entry point, user, working directory, labels, ports, anonymous volumes,
 * health check and stop signal; not what the engine itself put into the environment.
 * Return: 0; -ENOMEM with a message.
 */
int commit_config(const struct eng_config *c, const struct opt_strings *changes, struct arena *a,
		  struct img_words *ret, struct err *err);

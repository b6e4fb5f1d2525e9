/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct cli;
struct eng_instance;
struct engine;
struct err;
struct opt_strings;

/**
 * cli_each() - do something to every instance that is named
 * @names: names and ids as typed
 * @act: Return: 0, then the name is printed; 1, then it is not; -errno with a message
 * @missing_ok: one that does not exist is no failure
 *
 * Goes on after a failure; the last one is left for main() to print.
 * Return: 0; -errno with a message.
 */
int cli_each(struct cli *cli, int argc, char **names,
	     int (*act)(struct engine *e, const struct eng_instance *i, void *data, struct err *err),
	     void *data, bool missing_ok, struct err *err);

/**
 * cli_each_match() - do something to every instance that passes the filters, oldest first
 * @filters: as of --filter, none for all instances
 * The rest is as of cli_each().
 * Return: as of cli_each().
 */
int cli_each_match(struct cli *cli, const struct opt_strings *filters,
		   int (*act)(struct engine *e, const struct eng_instance *i, void *data,
			      struct err *err),
		   void *data, struct err *err);

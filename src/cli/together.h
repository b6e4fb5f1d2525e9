/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cli;
struct cli_select;
struct eng_instance;
struct engine;
struct err;

/**
 * struct cli_together - three steps; each is done for all instances before the next one
 * @begin: Return: 0, then the others follow; 1 this one is left alone, its name not printed; -errno with a
 *         message
 * @wait: gets the @note that @begin left
 * @missing_ok: one that is named and does not exist is no failure
 * @end: likewise; 0, then the name is printed; -errno with a message
 */
struct cli_together {
	int (*begin)(struct engine *e, const struct eng_instance *i, void *data, int64_t *note,
		     struct err *err);
	void (*wait)(struct engine *e, const struct eng_instance *i, void *data, int64_t note);
	int (*end)(struct engine *e, const struct eng_instance *i, void *data, int64_t note,
		   struct err *err);
	void *data;
	bool missing_ok;
};

/**
 * cli_together() - do something that takes its time to instances, so that their times pass together
 * @select: as of cli_each()
 * @names: names and ids as typed
 *
 * Goes on after a failure; the last one is left for main() to print.
 * Return: 0; -errno with a message.
 */
int cli_together(struct cli *cli, const struct cli_select *select, int argc, char **names,
		 const struct cli_together *what, struct err *err);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/opt.h"

struct cli;
struct eng_instance;
struct engine;
struct err;

/**
 * struct cli_select - which instances, beside names
 * @all: --all
 * @ignore: --ignore, a name of none is no failure
 * @filter: --filter, as of ps
 */
struct cli_select {
	bool all, ignore;
	struct opt_strings filter;
};

/* Rows of an option table; @field is the struct cli_select in @type. */
#define CLI_SELECT_ALL(type, field, letter, help) \
	{ "all", letter, OPT_BOOL, offsetof(type, field.all), NULL, help }
#define CLI_SELECT_FILTER(type, field, letter) \
	{ "filter", letter, OPT_STRINGS, offsetof(type, field.filter), "NAME=VALUE", \
	  "those that match, as of ps; e.g. label=web" }
#define CLI_SELECT_IGNORE(type, field) \
	{ "ignore", 'i', OPT_BOOL, offsetof(type, field.ignore), NULL, "one that does not exist is no failure" }

/** cli_select_check() - names, or --all and --filter, but not both: 0 or -EINVAL with a message */
int cli_select_check(const struct cli_select *select, int argc, struct err *err);

/**
 * cli_each() - do something to every instance that is named, or else that passes the filters, oldest first
 * @select: NULL for one without such options
 * @names: names and ids as typed
 * @act: Return: 0, then the name is printed; 1, then it is not; -errno with a message
 *
 * Goes on after a failure; the last one is left for main() to print.
 * Return: 0; -errno with a message.
 */
int cli_each(struct cli *cli, const struct cli_select *select, int argc, char **names,
	     int (*act)(struct engine *e, const struct eng_instance *i, void *data, struct err *err),
	     void *data, struct err *err);

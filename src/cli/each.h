/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/opt.h"

struct arena;
struct cli;
struct eng_instance;
struct engine;
struct err;

/**
 * struct cli_select - which instances, beside names
 * @all: --all
 * @ignore: --ignore, a name of none is no failure
 * @latest: --latest
 * @filter: --filter, as of ps
 * @cidfile: --cidfile; with @ignore a file that does not exist is no failure
 */
struct cli_select {
	bool all, ignore, latest;
	struct opt_strings filter, cidfile;
};

/* Rows of an option table; @field is the struct cli_select in @type. */
#define CLI_SELECT_ALL(type, field, letter, help) \
	{ "all", letter, OPT_BOOL, offsetof(type, field.all), NULL, help }
#define CLI_SELECT_FILTER(type, field, letter) \
	{ "filter", letter, OPT_STRINGS, offsetof(type, field.filter), "NAME=VALUE", \
	  "those that match, as of ps; e.g. label=web" }
#define CLI_SELECT_IGNORE(type, field) \
	{ "ignore", 'i', OPT_BOOL, offsetof(type, field.ignore), NULL, "one that does not exist is no failure" }

#define CLI_SELECT_LATEST(type, field) \
	{ "latest", 'l', OPT_BOOL, offsetof(type, field.latest), NULL, "the newest one" }
#define CLI_SELECT_CIDFILE(type, field) \
	{ "cidfile", 0, OPT_STRINGS, offsetof(type, field.cidfile), "FILE", \
	  "the instance whose id is in a file" }

/** cli_select_check() - names, or --all and --filter, or --latest: 0 or -EINVAL with a message */
int cli_select_check(const struct cli_select *select, int argc, struct err *err);

/**
 * cli_select_names() - add what --cidfile and --latest choose to the names
 * @argc, @names: operands; changed; strings live in @arena
 * Return: 0; 1 there is nothing left to do; -errno with a message.
 */
int cli_select_names(struct engine *e, const struct cli_select *select, struct arena *arena, int *argc,
		     char ***names, struct err *err);

/**
 * cli_each() - do something to every instance that is named, or else that passes the filters, oldest first
 * @select: NULL for one without such options
 * @names: names and ids as typed
 * @act: Return: 0, then the name as typed, or else the id, is printed; 1, then it is not; -errno with a message
 *
 * Goes on after a failure; the last one is left for main() to print.
 * Return: 0; -errno with a message.
 */
int cli_each(struct cli *cli, const struct cli_select *select, int argc, char **names,
	     int (*act)(struct engine *e, const struct eng_instance *i, void *data, struct err *err),
	     void *data, struct err *err);

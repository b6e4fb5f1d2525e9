/* SPDX-License-Identifier: MIT */
/*
 * Which instances a verb is for, when not all of them are named.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/opt.h"

struct arena;
struct cli;
struct err;

/**
 * struct cli_choice - options that choose instances; the first member, "choice", of a verb's options
 * @ignore: one that does not exist, or a file that does not, is no failure
 */
struct cli_choice {
	bool all, latest, ignore;
	struct opt_strings filter, cidfile;
};

/* Rows of a table of options */
#define CLI_CHOICE_ALL(help) \
	{ "all", 'a', OPT_BOOL, offsetof(struct cli_choice, all), NULL, help }
#define CLI_CHOICE_CIDFILE                                                          \
	{ "cidfile", 0, OPT_STRINGS, offsetof(struct cli_choice, cidfile), "FILE", \
	  "the instance whose id is in a file" }
#define CLI_CHOICE_FILTER                                                                   \
	{ "filter", 'f', OPT_STRINGS, offsetof(struct cli_choice, filter), "NAME=VALUE",    \
	  "those that match, as of ps; e.g. restart-policy=always" }
#define CLI_CHOICE_FILTER_LONG                                                              \
	{ "filter", 0, OPT_STRINGS, offsetof(struct cli_choice, filter), "NAME=VALUE",      \
	  "those that match, as of ps; e.g. restart-policy=always" }
#define CLI_CHOICE_IGNORE                                                      \
	{ "ignore", 'i', OPT_BOOL, offsetof(struct cli_choice, ignore), NULL, \
	  "one that does not exist is no failure" }
#define CLI_CHOICE_LATEST \
	{ "latest", 'l', OPT_BOOL, offsetof(struct cli_choice, latest), NULL, "the newest one" }

/**
 * cli_choose() - turn the choice into names
 * @names, @n: in: operands; out: with those of --cidfile and --latest; none: all that match the filters
 * @arena: owns what is new
 * Return: 0; 1 nothing is left to do; -EINVAL no choice, or two; -errno with a message.
 */
int cli_choose(struct cli *cli, const struct cli_choice *c, struct arena *arena, int *n,
	       char ***names, struct err *err);

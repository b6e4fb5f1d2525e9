/* SPDX-License-Identifier: MIT */
/*
 * The verbs as a whole: looking one up, listing them, help.
 *
 * "container" and "system" have aliases: the same verb under the name of Docker's group.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"

struct str;

/** struct cli_alias - @name, as typed, is the verb @verb */
struct cli_alias {
	const char *name, *verb;
};

/** struct cli_names - verbs (an alias has its own name and the verb's text), sorted by name */
struct cli_names {
	struct cli_name {
		const char *name;
		const struct cli_verb *verb;
		bool alias;
	} *v;
	size_t n;
};

/** cli_names() - all that are not hidden; 0 or -ENOMEM; release with cli_names_fini() */
int cli_names(struct cli_names *ret);

/** cli_names_fini() - release */
void cli_names_fini(struct cli_names *names);

/**
 * cli_verb_find() - the verb that words name
 * @words: number of words of its name
 * Return: NULL when there is none.
 */
const struct cli_verb *cli_verb_find(int argc, char **argv, int *words);

/** cli_group_summary() - of "image" and the like; NULL when it is no group */
const char *cli_group_summary(const char *word);

/** cli_global_options() - the options that come before the verb */
const struct opt *cli_global_options(void);

/** cli_help() - help of everything, or of one group */
void cli_help(const char *group, struct str *ret);

/** cli_verb_help() - help of one verb */
void cli_verb_help(const struct cli_verb *v, struct str *ret);

/** cli_unknown() - -EINVAL with a message for words that are no verb, which suggests one that is like it */
int cli_unknown(int argc, char **argv, struct err *err);

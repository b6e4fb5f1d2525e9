/* SPDX-License-Identifier: MIT */
/*
 * Manual pages and completions, made of the tables of all verbs when the program is built.
 */
#pragma once

#include <stdbool.h>

struct cli_names;
struct cli_verb;
struct opt;
struct str;

/** enum docs_kind - what a word on the command line names */
enum docs_kind {
	DOCS_NOTHING,
	DOCS_FILE,
	DOCS_INSTANCE,
	DOCS_IMAGE,
	DOCS_VOLUME,
	DOCS_OBJECT, /* an instance, an image or a volume */
};

/**
 * docs_operand() - what the first operand of a verb names
 * @many: returns whether more of them may follow
 * Return: what it names; DOCS_NOTHING when none is expected.
 */
enum docs_kind docs_operand(const struct cli_verb *v, bool *many);

/** docs_value() - what the value of an option names */
enum docs_kind docs_value(const struct opt *o);

/** docs_has_value() - false for a flag */
bool docs_has_value(const struct opt *o);

/** docs_man() - the page of one verb; @v NULL: of the program */
void docs_man(const struct cli_names *names, const struct cli_verb *v, struct str *ret);

/** docs_bash() - completions */
void docs_bash(const struct cli_names *names, struct str *ret);
/** docs_zsh() - completions */
void docs_zsh(const struct cli_names *names, struct str *ret);
/** docs_fish() - completions */
void docs_fish(const struct cli_names *names, struct str *ret);

/** docs_groups() - call @each for every word that is the first of several names, once */
void docs_groups(const struct cli_names *names, struct str *ret,
		 void (*each)(const struct cli_names *names, const char *group, struct str *ret));

/** docs_quoted() - @text within single quotes of a shell; @escape: characters that get a backslash */
void docs_quoted(struct str *ret, const char *text, const char *escape);

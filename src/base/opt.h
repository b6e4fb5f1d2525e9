/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct str;

enum opt_kind {
	OPT_END = 0,
	OPT_BOOL,   /* bool: --x, --x=true, --x=false */
	OPT_OFF,    /* bool, true after --x=false */
	OPT_STRING, /* const char *, points into argv */
	OPT_STRINGS, /* struct opt_strings, may be repeated */
	OPT_U64,    /* uint64_t, decimal */
	OPT_I64,    /* int64_t, decimal */
};

/** struct opt_strings - values of a repeated option, in order; point into argv */
struct opt_strings {
	const char **v;
	size_t n;
};

/**
 * struct opt - one row of a verb's option table
 * @name: long name without dashes
 * @letter: short name or 0
 * @kind: how the value is read
 * @offset: of the field in the verb's options struct
 * @arg: name of the value in help, NULL for OPT_BOOL
 * @help: one line; NULL: another spelling, which help does not show
 */
struct opt {
	const char *name;
	char letter;
	enum opt_kind kind;
	size_t offset;
	const char *arg;
	const char *help;
};

/**
 * opt_parse() - read options into a verb's struct
 * @table: ends with OPT_END
 * @base: the struct that offsets refer to
 * @argc: in: number of @argv; out: number of operands
 * @argv: in: words after the verb; out: reordered, operands first
 * @interspersed: options may follow operands; else the first operand ends them
 *
 * "--" ends options.  Letters may be combined (-it) and take their value attached or next.
 * Release with opt_fini(), where there are OPT_STRINGS.
 * Return: 0; 1 --help was given (nothing else is valid then); -EINVAL with a message; -ENOMEM.
 */
int opt_parse(const struct opt *table, void *base, int *argc, char **argv, bool interspersed,
	      struct err *err);

/** opt_fini() - release what opt_parse() put into @base, also after it has failed */
void opt_fini(const struct opt *table, void *base);

/** opt_help() - append the option list of @table, one line each */
void opt_help(const struct opt *table, struct str *ret);

/** opt_distance() - how many letters must be put in, left out, changed or swapped to make @b of @a */
size_t opt_distance(const char *a, const char *b);

/** opt_distance_max() - up to this distance two words of @n letters are likely to be meant the same */
size_t opt_distance_max(size_t n);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/opt.h"
#include "base/registry.h"

struct engine;
struct err;
struct str;

#define CLI_EXIT_FAILURE 125 /* of the verbs that run something: the failure is ours */

/**
 * struct cli - what every verb gets
 * @argv: of main(), for exe_seal()
 * @root, @runroot: as given, NULL without
 * @monitor: path of cleave-monitor
 */
struct cli {
	char **argv;
	const char *root, *runroot, *monitor;
};

/**
 * struct cli_verb - one command
 * @name: as typed; "image ls" for a verb of a group; a leading "_" hides it
 * @args: operands for help
 * @summary: one line for help
 * @min_args, @max_args: number of operands; @max_args < 0 for any number
 * @opts: option table, NULL for none
 * @opts_size: size of the options struct, zeroed before parsing
 * @interspersed: options may follow operands
 * @seal: the verb makes container processes, so it runs from a protected copy
 * @as_program: its exit status may be that of a program that it has run
 * @fail_status: exit status when run() fails, 0 means 1
 * @run: returns the exit status, or -errno with a message; @opts borrows
 */
struct cli_verb {
	const char *name, *args, *summary;
	int min_args, max_args;
	const struct opt *opts;
	size_t opts_size;
	bool interspersed, seal, as_program;
	int fail_status;
	int (*run)(struct cli *cli, void *opts, int argc, char **argv, struct err *err);
};

REGISTRY_DECLARE(cli_verbs, struct cli_verb);
#define CLI_VERB(verb)                     \
	static const struct cli_verb verb; \
	REGISTRY_ADD(cli_verbs, verb);     \
	static const struct cli_verb verb

/* One that Docker has by two names, in a group and without it */
#define CLI_VERB_TWICE(verb, name1, name2, ...)              \
	CLI_VERB(verb) = { .name = name1, __VA_ARGS__ }; \
	CLI_VERB(verb##_again) = { .name = name2, __VA_ARGS__ }

/** cli_engine() - open the store that was asked for; free with eng_close() */
int cli_engine(struct cli *cli, struct engine **ret, struct err *err);

/** cli_preserve_fds() - note --preserve-fds @n for what @e starts: 0; -EINVAL over the limit, with a message */
int cli_preserve_fds(struct engine *e, uint64_t n, struct err *err);

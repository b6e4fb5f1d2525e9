/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/each.h"
#include "engine/instance.h"

struct rm_opts {
	bool force, volumes;
};

static const struct opt rm_table[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct rm_opts, force), NULL,
	  "kill an instance that runs; one that does not exist is no failure" },
	{ "volumes", 'v', OPT_BOOL, offsetof(struct rm_opts, volumes), NULL,
	  "also remove its volumes that nobody named" },
	{ 0 },
};

static int remove_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	const struct rm_opts *o = data;

	return eng_instance_remove(e, i, o->force, o->volumes, err);
}

static int rm_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	const struct rm_opts *o = opts;

	return cli_each(cli, argc, argv, remove_one, opts, o->force, err);
}

CLI_VERB(rm_verb) = {
	.name = "rm",
	.args = "INSTANCE...",
	.summary = "Remove instances",
	.min_args = 1,
	.max_args = -1,
	.opts = rm_table,
	.opts_size = sizeof(struct rm_opts),
	.interspersed = true,
	.run = rm_run,
};

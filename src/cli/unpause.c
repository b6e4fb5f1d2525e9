/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/each.h"
#include "engine/instance.h"
#include "engine/stop.h"

static int unpause_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	(void) data;
	return eng_pause(e, i, false, err);
}

static int unpause_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	(void) opts;
	return cli_each(cli, argc, argv, unpause_one, NULL, false, err);
}

CLI_VERB(unpause_verb) = {
	.name = "unpause",
	.args = "INSTANCE...",
	.summary = "Let paused instances go on",
	.min_args = 1,
	.max_args = -1,
	.run = unpause_run,
};

/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/each.h"
#include "engine/instance.h"
#include "engine/stop.h"

static int pause_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	(void) data;
	return eng_pause(e, i, true, err);
}

static int pause_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	(void) opts;
	return cli_each(cli, argc, argv, pause_one, NULL, false, err);
}

CLI_VERB(pause_verb) = {
	.name = "pause",
	.args = "INSTANCE...",
	.summary = "Freeze the processes of instances",
	.min_args = 1,
	.max_args = -1,
	.run = pause_run,
};

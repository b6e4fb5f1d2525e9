/* SPDX-License-Identifier: MIT */
/**
 * DOC: `pause` and `unpause`
 */
#include "cli/cli.h"
#include "cli/each.h"
#include "engine/instance.h"
#include "engine/stop.h"

struct pause_opts {
	struct cli_select select;
};

static const struct opt pause_table[] = {
	CLI_SELECT_ALL(struct pause_opts, select, 'a', "all instances that can be"),
	CLI_SELECT_CIDFILE(struct pause_opts, select),
	CLI_SELECT_FILTER(struct pause_opts, select, 'f'),
	CLI_SELECT_LATEST(struct pause_opts, select),
	{ 0 },
};

static int pause_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	const bool *pause = data;

	return eng_pause(e, i, *pause, err);
}

static int pause_fitting(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	const bool *pause = data;

	return i->state != ENG_STATE_RUNNING || i->paused == *pause ? 1 : eng_pause(e, i, *pause, err);
}

static int set_paused(struct cli *cli, bool pause, void *opts, int argc, char **argv, struct err *err)
{
	const struct pause_opts *o = opts;

	return cli_each(cli, &o->select, argc, argv, argc > 0 ? pause_one : pause_fitting, &pause, err);
}

static int pause_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	return set_paused(cli, true, opts, argc, argv, err);
}

static int unpause_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	return set_paused(cli, false, opts, argc, argv, err);
}

CLI_VERB(pause_verb) = {
	.name = "pause",
	.args = "[INSTANCE...]",
	.summary = "Freeze the processes of instances",
	.max_args = -1,
	.opts = pause_table,
	.opts_size = sizeof(struct pause_opts),
	.interspersed = true,
	.run = pause_run,
};

CLI_VERB(unpause_verb) = {
	.name = "unpause",
	.args = "[INSTANCE...]",
	.summary = "Let paused instances go on",
	.max_args = -1,
	.opts = pause_table,
	.opts_size = sizeof(struct pause_opts),
	.interspersed = true,
	.run = unpause_run,
};

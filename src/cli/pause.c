/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "base/cleanup.h"
#include "cli/choice.h"
#include "cli/cli.h"
#include "cli/each.h"
#include "engine/instance.h"
#include "engine/stop.h"

static const struct opt pause_table[] = {
	CLI_CHOICE_ALL("all instances that run"),
	CLI_CHOICE_CIDFILE,
	CLI_CHOICE_FILTER,
	CLI_CHOICE_LATEST,
	{ 0 },
};

static int pause_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	(void) data;
	return eng_pause(e, i, true, err);
}

static int pause_matching(struct engine *e, const struct eng_instance *i, void *data,
			struct err *err)
{
	return i->state != ENG_STATE_RUNNING || i->paused ? 1 : pause_one(e, i, data, err);
}

static int pause_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct cli_choice *c = opts;
	int r = cli_choose(cli, c, &arena, &argc, &argv, err);

	if (r != 0)
		return r < 0 ? r : 0;
	return argc > 0 ? cli_each(cli, argc, argv, pause_one, NULL, false, err)
			: cli_each_match(cli, &c->filter, pause_matching, NULL, err);
}

CLI_VERB(pause_verb) = {
	.name = "pause",
	.args = "[INSTANCE...]",
	.summary = "Freeze the processes of instances",
	.max_args = -1,
	.opts = pause_table,
	.opts_size = sizeof(struct cli_choice),
	.interspersed = true,
	.run = pause_run,
};

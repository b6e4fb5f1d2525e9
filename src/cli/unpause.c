/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "base/cleanup.h"
#include "cli/choice.h"
#include "cli/cli.h"
#include "cli/each.h"
#include "engine/instance.h"
#include "engine/stop.h"

static const struct opt unpause_table[] = {
	CLI_CHOICE_ALL("all instances that are paused"),
	CLI_CHOICE_CIDFILE,
	CLI_CHOICE_FILTER,
	CLI_CHOICE_LATEST,
	{ 0 },
};

static int unpause_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	(void) data;
	return eng_pause(e, i, false, err);
}

static int unpause_matching(struct engine *e, const struct eng_instance *i, void *data,
			struct err *err)
{
	return !i->paused ? 1 : unpause_one(e, i, data, err);
}

static int unpause_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct cli_choice *c = opts;
	int r = cli_choose(cli, c, &arena, &argc, &argv, err);

	if (r != 0)
		return r < 0 ? r : 0;
	return argc > 0 ? cli_each(cli, argc, argv, unpause_one, NULL, false, err)
			: cli_each_match(cli, &c->filter, unpause_matching, NULL, err);
}

CLI_VERB(unpause_verb) = {
	.name = "unpause",
	.args = "[INSTANCE...]",
	.summary = "Let paused instances go on",
	.max_args = -1,
	.opts = unpause_table,
	.opts_size = sizeof(struct cli_choice),
	.interspersed = true,
	.run = unpause_run,
};

/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/instance.h"

static int rename_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance i;
	int r = cli_engine(cli, &e, err);

	(void) opts;
	(void) argc;
	if (r == 0)
		r = eng_instance_find(e, argv[0], &arena, &i, err);
	return r < 0 ? r : eng_instance_rename(e, &i, argv[1], err);
}

CLI_VERB(rename_verb) = {
	.name = "rename",
	.args = "INSTANCE NEW_NAME",
	.summary = "Give an instance another name",
	.min_args = 2,
	.max_args = 2,
	.run = rename_run,
};

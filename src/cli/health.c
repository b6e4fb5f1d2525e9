/* SPDX-License-Identifier: MIT */
/**
 * DOC: `_health MONITOR ID`
 *
 * The process that checks the health of an instance; begun by what starts the instance.
 */
#include "engine/health.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/instance.h"

static int health_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance i;
	int r;

	(void) opts;
	(void) argc;
	cli->monitor = argv[0];
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_instance_find(e, argv[1], &arena, &i, err);
	return r < 0 ? r : eng_health_run(e, &i, err);
}

CLI_VERB(health_verb) = {
	.name = "_health",
	.args = "MONITOR ID",
	.summary = "Check the health of an instance (used by cleave itself)",
	.min_args = 2,
	.max_args = 2,
	.seal = true,
	.run = health_run,
};

/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/health.h"
#include "engine/instance.h"

static int healthcheck_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance i;
	int r = cli_engine(cli, &e, err);

	(void) opts;
	(void) argc;
	if (r == 0)
		r = eng_instance_find(e, argv[0], &arena, &i, err);
	if (r == 0)
		r = eng_health_check(e, &i, err);
	if (r == 1)
		puts("unhealthy");
	return r;
}

CLI_VERB(healthcheck_verb) = {
	.name = "healthcheck run",
	.args = "INSTANCE",
	.summary = "Check the health of an instance now; exit 1 when it is not healthy",
	.min_args = 1,
	.max_args = 1,
	.fail_status = CLI_EXIT_FAILURE,
	.seal = true,
	.run = healthcheck_run,
};

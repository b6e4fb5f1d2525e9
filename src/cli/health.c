/* SPDX-License-Identifier: MIT */
/**
 * DOC: `_health MONITOR ID` and `_unhealthy MONITOR VERB ID`
 *
 * The process that checks the health of an instance, begun by what starts the instance; and what that begins
 * for --health-on-failure.  Both are run from a copy of the program, so they are told where the others are.
 */
#include "engine/health.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/verbs.h"
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

/* kill, restart, stop, without options */
static int unhealthy_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	int words;
	const struct cli_verb *v = cli_verb_find(1, argv + 1, &words);
	_cleanup_free_ void *none = v != NULL ? calloc(1, v->opts_size) : NULL;

	(void) opts;
	(void) argc;
	if (v == NULL)
		return err_msg(err, -EINVAL, "'%s' is not a command", argv[1]);
	if (none == NULL)
		return err_set(err, -ENOMEM, "read the options");
	cli->monitor = argv[0];
	return v->run(cli, none, 1, argv + 2, err);
}

CLI_VERB(unhealthy_verb) = {
	.name = "_unhealthy",
	.args = "MONITOR VERB ID",
	.summary = "React to bad health (used by cleave itself)",
	.min_args = 3,
	.max_args = 3,
	.seal = true,
	.run = unhealthy_run,
};

CLI_VERB(health_verb) = {
	.name = "_health",
	.args = "MONITOR ID",
	.summary = "Check the health of an instance (used by cleave itself)",
	.min_args = 2,
	.max_args = 2,
	.seal = true,
	.run = health_run,
};

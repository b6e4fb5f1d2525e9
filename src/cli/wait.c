/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/each.h"
#include "engine/instance.h"
#include "engine/stop.h"

static int wait_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	int code, r = eng_wait(e, i, &code, err);

	(void) data;
	if (r < 0)
		return r;
	printf("%d\n", code);
	(void) fflush(stdout); /* the next may take long */
	return 1;
}

static int wait_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	(void) opts;
	return cli_each(cli, NULL, argc, argv, wait_one, NULL, err);
}

CLI_VERB(wait_verb) = {
	.name = "wait",
	.args = "INSTANCE...",
	.summary = "Wait until instances end, print their exit status",
	.min_args = 1,
	.max_args = -1,
	.run = wait_run,
};

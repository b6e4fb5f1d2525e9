/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/run_config.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"

static int create_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct run_opts *o = opts;
	struct eng_config config;
	struct eng_instance i;
	int r = cli_engine(cli, &e, err);

	if (r == 0)
		r = run_config(e, o, argc, argv, &config, err);
	if (r < 0)
		return r;
	r = run_created_by(&config, cli->argv, err);
	if (r == 0)
		r = run_replace(e, o, err);
	if (r == 0)
		r = eng_instance_new(e, &config, run_name(o), run_isolation(o, &config), &config.arena, &i, NULL, err);
	if (r == 0)
		r = run_cidfile(o, i.id, err);
	if (r == 0)
		puts(i.id);
	eng_config_fini(&config);
	return r;
}

CLI_VERB(create_verb) = {
	.name = "create",
	.args = "IMAGE [COMMAND [ARG...]]",
	.summary = "Make an instance without starting it",
	.min_args = 1,
	.max_args = -1,
	.opts = run_table,
	.opts_size = sizeof(struct run_opts),
	.run = create_run,
};

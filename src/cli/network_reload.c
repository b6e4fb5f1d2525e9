/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/each.h"
#include "engine/instance.h"
#include "engine/net/attach.h"

struct reload_opts {
	struct cli_select select;
};

static const struct opt reload_table[] = {
	CLI_SELECT_ALL(struct reload_opts, select, 'a', "all instances that run"),
	CLI_SELECT_LATEST(struct reload_opts, select),
	{ 0 },
};

static int reload_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	(void) data;
	return eng_net_reload(e, i, err);
}

static int reload_running(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	return i->state != ENG_STATE_RUNNING ? 1 : reload_one(e, i, data, err);
}

static int reload_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	const struct reload_opts *o = opts;

	return cli_each(cli, &o->select, argc, argv, argc > 0 ? reload_one : reload_running, NULL, err);
}

CLI_VERB(network_reload_verb) = {
	.name = "network reload",
	.args = "[INSTANCE...]",
	.summary = "Make devices, bridges and rules of instances again, which others have removed",
	.max_args = -1,
	.opts = reload_table,
	.opts_size = sizeof(struct reload_opts),
	.interspersed = true,
	.run = reload_run,
};

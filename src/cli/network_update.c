/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/network_options.h"
#include "engine/engine.h"
#include "engine/net/network.h"

struct update_opts {
	struct opt_strings add, drop;
};

static const struct opt update_table[] = {
	{ "dns-add", 0, OPT_STRINGS, offsetof(struct update_opts, add), "ADDRESS", "server for names of the world, instead of those of the host" },
	{ "dns-drop", 0, OPT_STRINGS, offsetof(struct update_opts, drop), "ADDRESS", "do not ask it any more" },
	{ 0 },
};

static int update_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena a = { 0 };
	const struct update_opts *o = opts;
	struct img_words add = { 0 }, drop = { 0 };
	int r = network_servers(&o->add, &a, &add, err);

	(void) argc;
	if (r == 0)
		r = network_servers(&o->drop, &a, &drop, err);
	if (r == 0 && add.n == 0 && drop.n == 0)
		r = err_msg(err, -EINVAL, "nothing to update: give --dns-add or --dns-drop");
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_network_servers(e, argv[0], &add, &drop, err);
	if (r == 0)
		puts(argv[0]);
	return r;
}

CLI_VERB(network_update_verb) = {
	.name = "network update",
	.args = "NETWORK",
	.summary = "Change which servers a network asks for names of the world",
	.min_args = 1,
	.max_args = 1,
	.opts = update_table,
	.opts_size = sizeof(struct update_opts),
	.interspersed = true,
	.run = update_run,
};

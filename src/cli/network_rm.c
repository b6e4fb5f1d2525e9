/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/failures.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/net/network.h"

struct rm_opts {
	bool force;
};

static const struct opt rm_table[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct rm_opts, force), NULL, "one that does not exist is no failure" },
	{ 0 },
};

static int rm_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct rm_opts *o = opts;
	struct failures failures = { .err = err };
	int r = cli_engine(cli, &e, err);

	if (r == 0)
		r = eng_instance_reconcile(e, err); /* instances that died use nothing */
	if (r < 0)
		return r;
	for (int i = 0; i < argc; i++) {
		struct err why = { 0 };

		r = eng_network_remove(e, argv[i], &why);
		if (r == -ENOENT && o->force)
			continue;
		if (r == 0) {
			puts(argv[i]);
			continue;
		}
		failures_note(&failures, r, &why);
	}
	return failures.result;
}

CLI_VERB(network_rm_verb) = {
	.name = "network rm",
	.args = "NETWORK...",
	.summary = "Remove networks",
	.min_args = 1,
	.max_args = -1,
	.opts = rm_table,
	.opts_size = sizeof(struct rm_opts),
	.interspersed = true,
	.run = rm_run,
};

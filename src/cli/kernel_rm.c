/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/failures.h"
#include "engine/engine.h"
#include "engine/kernel/kernel.h"

struct rm_opts {
	bool force;
};

static const struct opt rm_table[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct rm_opts, force), NULL,
	  "one that does not exist is no failure" },
	{ 0 },
};

static int rm_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct rm_opts *o = opts;
	struct failures failures = { .err = err };
	int r = cli_engine(cli, &e, err);

	if (r < 0)
		return r;
	for (int i = 0; i < argc; i++) {
		struct err why = { 0 };

		r = eng_kernel_remove(e, argv[i], &why);
		if (r == 0 || (r == -ENOENT && o->force))
			puts(argv[i]);
		else
			failures_note(&failures, r, &why);
	}
	return failures.result;
}

CLI_VERB(kernel_rm_verb) = {
	.name = "kernel rm",
	.args = "KERNEL...",
	.summary = "Remove kernels; machines that run keep theirs",
	.min_args = 1,
	.max_args = -1,
	.opts = rm_table,
	.opts_size = sizeof(struct rm_opts),
	.interspersed = true,
	.run = rm_run,
};

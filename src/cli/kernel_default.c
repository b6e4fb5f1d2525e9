/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/kernel/kernel.h"

static int default_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_kernel k;
	int r = cli_engine(cli, &e, err);

	(void) opts;
	if (r == 0 && argc > 0)
		r = eng_kernel_set_default(e, argv[0], err);
	if (r == 0)
		r = eng_kernel_find(e, NULL, &a, &k, err);
	if (r == 0)
		puts(k.name);
	return r;
}

CLI_VERB(kernel_default_verb) = {
	.name = "kernel default",
	.args = "[KERNEL]",
	.summary = "Show or choose the kernel that is booted when none is asked for",
	.max_args = 1,
	.run = default_run,
};

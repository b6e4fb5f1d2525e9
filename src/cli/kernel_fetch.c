/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/kernel/kernel.h"

struct fetch_opts {
	bool make_default;
	const char *name;
};

static const struct opt fetch_table[] = {
	{ "default", 0, OPT_BOOL, offsetof(struct fetch_opts, make_default), NULL,
	  "use it when no kernel is asked for; the first one is anyway" },
	{ "name", 0, OPT_STRING, offsetof(struct fetch_opts, name), "NAME", "instead of its release" },
	{ 0 },
};

/* One that is here already is as good. */
static int fetch_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena a = { 0 };
	const struct fetch_opts *o = opts;
	const char *name;
	int r = cli_engine(cli, &e, err);

	if (r == 0)
		r = eng_kernel_fetch(e, argc > 0 ? argv[0] : ENG_KERNEL_PACKAGE, o->name, &a, &name, err);
	if (r == -EEXIST)
		r = 0;
	if (r == 0 && o->make_default)
		r = eng_kernel_set_default(e, name, err);
	if (r == 0)
		puts(name);
	return r;
}

CLI_VERB(kernel_fetch_verb) = {
	.name = "kernel fetch",
	.args = "[PACKAGE]",
	.summary = "Get a kernel from Debian's archive (" ENG_KERNEL_PACKAGE "), without installing it",
	.max_args = 1,
	.opts = fetch_table,
	.opts_size = sizeof(struct fetch_opts),
	.interspersed = true,
	.run = fetch_run,
};

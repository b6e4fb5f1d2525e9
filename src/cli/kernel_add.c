/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/kernel/kernel.h"

struct add_opts {
	bool make_default;
	const char *modules, *name;
};

static const struct opt add_table[] = {
	{ "default", 0, OPT_BOOL, offsetof(struct add_opts, make_default), NULL,
	  "use it when no kernel is asked for; the first one is anyway" },
	{ "modules", 'm', OPT_STRING, offsetof(struct add_opts, modules), "DIR",
	  "its modules: a directory as /lib/modules/RELEASE" },
	{ "name", 0, OPT_STRING, offsetof(struct add_opts, name), "NAME", "instead of its release" },
	{ 0 },
};

static int add_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena a = { 0 };
	const struct add_opts *o = opts;
	struct eng_kernel_new new = { .name = o->name, .file = argv[0], .modules = o->modules };
	const char *name;
	int r = cli_engine(cli, &e, err);

	(void) argc;
	if (r == 0)
		r = eng_kernel_add(e, &new, &a, &name, err);
	if (r == 0 && o->make_default)
		r = eng_kernel_set_default(e, name, err);
	if (r == 0)
		puts(name);
	return r;
}

CLI_VERB(kernel_add_verb) = {
	.name = "kernel add",
	.args = "FILE",
	.summary = "Add a kernel: bzImage, vmlinux, or a Debian package with one",
	.min_args = 1,
	.max_args = 1,
	.opts = add_table,
	.opts_size = sizeof(struct add_opts),
	.interspersed = true,
	.run = add_run,
};

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/confirm.h"
#include "cli/prune.h"
#include "cli/volume_print.h"
#include "engine/engine.h"
#include "engine/instance.h"

struct prune_opts {
	bool all, force;
	struct opt_strings filter;
};

static const struct opt prune_table[] = {
	{ "all", 'a', OPT_BOOL, offsetof(struct prune_opts, all), NULL,
	  "also volumes that have a name" },
	{ "filter", 0, OPT_STRINGS, offsetof(struct prune_opts, filter), "NAME=VALUE",
	  "only those that match, e.g. label=a" },
	{ "force", 'f', OPT_BOOL, offsetof(struct prune_opts, force), NULL, "do not ask" },
	{ 0 },
};

int prune_volumes(struct engine *e, bool all, const struct opt_strings *filters, int64_t *total,
		  struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_volume *list = NULL;
	int r = eng_instance_reconcile(e, err), n = r < 0 ? r : eng_volume_list(e, &a, &list, err);
	bool first = true;

	for (int i = 0; i < n; i++) {
		int64_t size;

		if (list[i].users > 0 || (!all && !list[i].anonymous))
			continue;
		r = volume_matches(&list[i], filters, err);
		if (r == 0)
			continue;
		if (r < 0)
			break;
		size = (int64_t) dir_size(AT_FDCWD, eng_volume_path(e, list[i].name, &a));
		r = eng_volume_remove(e, list[i].name, err);
		if (r == -EBUSY || r == -ENOENT) { /* somebody was quicker */
			r = 0;
			continue;
		}
		if (r < 0)
			break;
		printf("%s%s\n", first ? "Deleted Volumes:\n" : "", list[i].name);
		first = false;
		*total += size;
	}
	if (!first)
		puts("");
	eng_volumes_sweep(e);
	return n < 0 ? n : r < 0 ? r : 0;
}

static int prune_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct prune_opts *o = opts;
	int64_t size = 0;
	int r;

	(void) argc;
	(void) argv;
	if (!o->force && !cli_confirm(o->all ? "This will remove all volumes that no instance uses."
					     : "This will remove all anonymous volumes that no instance uses."))
		return 0;
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = prune_volumes(e, o->all, &o->filter, &size, err);
	if (r < 0)
		return r;
	prune_total(size);
	return 0;
}

CLI_VERB(volume_prune_verb) = {
	.name = "volume prune",
	.args = "",
	.summary = "Remove volumes that no instance uses",
	.opts = prune_table,
	.opts_size = sizeof(struct prune_opts),
	.run = prune_run,
};

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/failures.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/volume.h"

struct rm_opts {
	bool all, force;
};

static const struct opt rm_table[] = {
	{ "all", 'a', OPT_BOOL, offsetof(struct rm_opts, all), NULL, "all that no instance uses" },
	{ "force", 'f', OPT_BOOL, offsetof(struct rm_opts, force), NULL,
	  "one that does not exist is no failure" },
	{ 0 },
};

static int rm_all(struct engine *e, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_volume *list = NULL;
	int n = eng_volume_list(e, &arena, &list, err), r = 0;

	for (int i = 0; r == 0 && i < n; i++) {
		if (list[i].users > 0)
			continue;
		r = eng_volume_remove(e, list[i].name, err);
		if (r == 0)
			puts(list[i].name);
		else if (r == -EBUSY || r == -ENOENT)
			r = 0; /* somebody was quicker */
	}
	return n < 0 ? n : r;
}

static int rm_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct rm_opts *o = opts;
	struct failures failures = { .err = err };
	int r = o->all == (argc == 0) ? cli_engine(cli, &e, err)
				      : err_msg(err, -EINVAL, "give names of volumes, or --all");

	if (r == 0)
		r = eng_instance_reconcile(e, err); /* instances that died use nothing */
	if (r == 0 && o->all)
		r = rm_all(e, err);
	if (r < 0)
		return r;
	for (int i = 0; i < argc; i++) {
		struct err why = { 0 };

		r = eng_volume_remove(e, argv[i], &why);
		if (r == 0 || (r == -ENOENT && o->force))
			puts(argv[i]);
		else
			failures_note(&failures, r, &why);
	}
	eng_volumes_sweep(e);
	return failures.result;
}

CLI_VERB(volume_rm_verb) = {
	.name = "volume rm",
	.args = "[VOLUME...]",
	.summary = "Remove volumes",
	.max_args = -1,
	.opts = rm_table,
	.opts_size = sizeof(struct rm_opts),
	.interspersed = true,
	.run = rm_run,
};

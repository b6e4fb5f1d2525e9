/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/failures.h"
#include "engine/engine.h"
#include "engine/image.h"

struct rm_opts {
	bool force, no_prune;
};

static const struct opt rm_table[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct rm_opts, force), NULL,
	  "also one that a stopped instance uses, or that has several names; one that does not exist is no failure" },
	{ "no-prune", 0, OPT_BOOL, offsetof(struct rm_opts, no_prune), NULL, NULL }, /* an image has no parents here */
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
		_cleanup_(str_fini) struct str lines = { 0 };
		struct err why = { 0 };

		r = eng_image_remove(e, argv[i], o->force, &lines, &why);
		fputs(lines.p != NULL ? lines.p : "", stdout);
		if (r < 0 && (r != -ENOENT || !o->force))
			failures_note(&failures, r, &why);
	}
	return failures.result;
}

CLI_VERB_TWICE(image_rm_verb, "image rm", "rmi",
	.args = "IMAGE...",
	.summary = "Remove images",
	.min_args = 1,
	.max_args = -1,
	.opts = rm_table,
	.opts_size = sizeof(struct rm_opts),
	.interspersed = true,
	.run = rm_run);

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/instance.h"

struct rm_opts {
	bool force;
};

static const struct opt rm_table[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct rm_opts, force), NULL,
	  "kill an instance that runs; one that does not exist is no failure" },
	{ 0 },
};

static int remove_one(struct engine *e, const char *what, bool force, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance i;
	int r = eng_instance_find(e, what, &arena, &i, err);

	if (r == -ENOENT && force)
		return 0;
	return r < 0 ? r : eng_instance_remove(e, &i, force, err);
}

/* Goes on after a failure, as Docker does; the last one is reported by main(). */
static int rm_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct rm_opts *o = opts;
	int r = cli_engine(cli, &e, err), result = 0;

	if (r < 0)
		return r;
	for (int i = 0; i < argc; i++) {
		struct err why = { 0 };

		r = remove_one(e, argv[i], o->force, &why);
		if (r < 0 && result < 0)
			fprintf(stderr, "cleave: %s\n", err->text);
		if (r == 0)
			puts(argv[i]);
		else {
			*err = why;
			result = r;
		}
	}
	return result;
}

CLI_VERB(rm_verb) = {
	.name = "rm",
	.args = "INSTANCE...",
	.summary = "Remove instances",
	.min_args = 1,
	.max_args = -1,
	.opts = rm_table,
	.opts_size = sizeof(struct rm_opts),
	.interspersed = true,
	.run = rm_run,
};

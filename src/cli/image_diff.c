/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/image_mount.h"
#include "image/diff.h"
#include "image/store.h"

static void print_change(void *data, char kind, const char *path)
{
	(void) data;
	printf("%c %s\n", kind, path);
}

static int diff_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_image old, new;
	int r = cli_engine(cli, &e, err);

	(void) opts;
	(void) argc;
	if (r == 0)
		r = img_store_find(e->images, argv[0], &arena, &old, err);
	if (r == 0)
		r = img_store_find(e->images, argv[1], &arena, &new, err);
	if (r < 0)
		return r;
	_cleanup_close_ int from = eng_image_open(e, &old, err);
	_cleanup_close_ int to = from < 0 ? from : eng_image_open(e, &new, err);
	return to < 0 ? to : img_diff_trees(from, to, print_change, NULL, err);
}

CLI_VERB(image_diff_verb) = {
	.name = "image diff",
	.args = "OLD NEW",
	.summary = "List files that differ between two images",
	.min_args = 2,
	.max_args = 2,
	.run = diff_run,
};

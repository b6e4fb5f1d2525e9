/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/instance_files.h"
#include "image/diff.h"

static void print_change(void *data, char kind, const char *path)
{
	(void) data;
	printf("%c %s\n", kind, path);
}

static int diff_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(instance_files_fini) struct instance_files f = INSTANCE_FILES_NONE;
	int r = instance_files_open(cli, argv[0], ENG_ROOTFS_LOWER, &f, err);

	(void) opts;
	(void) argc;
	if (r < 0 || f.fs.upper < 0) /* without a writable layer nothing can change */
		return r;
	return img_diff(f.fs.upper, f.fs.lower, print_change, NULL, err);
}

CLI_VERB(diff_verb) = {
	.name = "diff",
	.args = "INSTANCE",
	.summary = "List what an instance has changed in its file system",
	.min_args = 1,
	.max_args = 1,
	.run = diff_run,
};

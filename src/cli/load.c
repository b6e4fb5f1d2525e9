/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "image/load.h"
#include "image/store.h"

struct load_opts {
	const char *input;
	bool quiet;
};

static const struct opt load_table[] = {
	{ "input", 'i', OPT_STRING, offsetof(struct load_opts, input), "FILE",
	  "archive or directory (default: standard input)" },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct load_opts, quiet), NULL,
	  "show no progress" },
	{ 0 },
};

static void keep_loaded(void *data, const char *name, const char *id)
{
	if (name != NULL)
		str_printf(data, "Loaded image: %s\n", name);
	else
		str_printf(data, "Loaded image ID: sha256:%s\n", id);
}

static int load_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(str_fini) struct str loaded = { 0 };
	const struct load_opts *o = opts;
	struct cli_progress progress;
	int r;

	(void) argc;
	(void) argv;
	if (o->input == NULL && isatty(STDIN_FILENO))
		return err_msg(err, -EINVAL, "standard input is a terminal: give an archive with "
					     "--input or '<'");
	r = cli_engine(cli, &e, err);
	if (r < 0)
		return r;
	_cleanup_close_ int file = o->input == NULL ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
						    : open(o->input, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return err_set(err, -errno, "open '%s'", o->input != NULL ? o->input : "-");
	cli_progress_start(&progress, "Loading", o->quiet);
	img_store_meter(e->images, &progress.meter);
	r = img_load(e->images, file, keep_loaded, &loaded, err);
	cli_progress_stop(&progress);
	if (r == 1)
		r = eng_image_collect(e, NULL, err);
	if (loaded.p != NULL)
		fputs(loaded.p, stdout);
	return r < 0 ? err_wrap(err, r, "load '%s'", o->input != NULL ? o->input : "-") : 0;
}

CLI_VERB_TWICE(image_load_verb, "image load", "load",
	.args = "",
	.summary = "Load images from an archive",
	.opts = load_table,
	.opts_size = sizeof(struct load_opts),
	.run = load_run);

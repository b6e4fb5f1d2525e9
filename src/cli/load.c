/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "image/load.h"

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

static void print_loaded(void *data, const char *name, const char *id)
{
	(void) data;
	if (name != NULL)
		printf("Loaded image: %s\n", name);
	else
		printf("Loaded image ID: sha256:%s\n", id);
}

static int load_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct load_opts *o = opts;
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
	r = img_load(e->images, file, print_loaded, NULL, err);
	return r < 0 ? err_wrap(err, r, "load '%s'", o->input != NULL ? o->input : "-") : 0;
}

CLI_VERB(load_verb) = {
	.name = "load",
	.args = "",
	.summary = "Load images from an archive",
	.opts = load_table,
	.opts_size = sizeof(struct load_opts),
	.run = load_run,
};

CLI_VERB(image_load_verb) = {
	.name = "image load",
	.args = "",
	.summary = "Load images from an archive",
	.opts = load_table,
	.opts_size = sizeof(struct load_opts),
	.run = load_run,
};

/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/instance_files.h"
#include "cli/output.h"
#include "image/sink.h"
#include "image/tar_write.h"
#include "image/tree.h"

struct export_opts {
	const char *output;
};

static const struct opt export_table[] = {
	{ "output", 'o', OPT_STRING, offsetof(struct export_opts, output), "FILE",
	  "archive to write (default: standard output)" },
	{ 0 },
};

static int write_files(const struct instance_files *f, int fd, struct err *err)
{
	const struct img_tree_opts opts = { .prefix = "", .flags = IMG_TREE_ONE_FS,
					    .id_start = (uint32_t) f->config.userns_start,
					    .id_size = (uint32_t) f->config.userns_size };
	_cleanup_(img_sink_freep) struct img_sink *sink = NULL;
	int r = img_sink_open(fd, false, false, &sink, err);

	if (r == 0)
		r = img_tree_write(sink, f->fs.root, &opts, err);
	if (r == 0)
		r = img_tar_end(sink, err);
	return r < 0 ? r : img_sink_finish(sink, NULL, err);
}

static int export_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(instance_files_fini) struct instance_files f = INSTANCE_FILES_NONE;
	const struct export_opts *o = opts;
	struct cli_output out;
	int r;

	(void) argc;
	r = instance_files_open(cli, argv[0], 0, &f, err);
	if (r == 0)
		r = cli_output_open(o->output, &out, err);
	if (r < 0)
		return r;
	r = write_files(&f, out.fd, err);
	return cli_output_close(&out, r, err);
}

CLI_VERB(export_verb) = {
	.name = "export",
	.args = "INSTANCE",
	.summary = "Write the file system of an instance as a tar archive",
	.min_args = 1,
	.max_args = 1,
	.opts = export_table,
	.opts_size = sizeof(struct export_opts),
	.interspersed = true,
	.run = export_run,
};

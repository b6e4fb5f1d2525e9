/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "engine/engine.h"
#include "image/save.h"
#include "image/store.h"

struct save_opts {
	const char *output, *format;
	bool quiet;
};

static const struct opt save_table[] = {
	{ "output", 'o', OPT_STRING, offsetof(struct save_opts, output), "FILE",
	  "archive or directory to write (default: standard output)" },
	{ "format", 0, OPT_STRING, offsetof(struct save_opts, format), "FORMAT",
	  "docker-archive (default), oci-archive, or oci-dir" },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct save_opts, quiet), NULL, "show no progress" },
	{ 0 },
};

static int read_format(const char *text, enum img_save_format *ret, struct err *err)
{
	static const char *const names[] = { [IMG_SAVE_DOCKER] = "docker-archive",
					     [IMG_SAVE_OCI] = "oci-archive",
					     [IMG_SAVE_OCI_DIR] = "oci-dir" };

	*ret = IMG_SAVE_DOCKER;
	for (size_t i = 0; text != NULL && i < ARRAY_LEN(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum img_save_format) i;
			return 0;
		}
	return text == NULL ? 0
			    : err_msg(err, -EINVAL,
				      "--format '%s': docker-archive, oci-archive and oci-dir are known",
				      text);
}

static int save(struct engine *e, const struct save_opts *o, enum img_save_format format,
		const char *const *names, size_t n, int fd, struct err *err)
{
	struct cli_progress progress;
	int r;

	cli_progress_start(&progress, "Saving", o->quiet);
	img_store_meter(e->images, &progress.meter);
	r = img_save(e->images, names, n, format, fd, err);
	cli_progress_stop(&progress);
	return r;
}

static int save_file(struct engine *e, const struct save_opts *o, enum img_save_format format,
		     const char *const *names, size_t n, struct err *err)
{
	struct cli_output out;
	int r = cli_output_open(o->output, &out, err);

	if (r < 0)
		return r;
	r = save(e, o, format, names, n, out.fd, err);
	return cli_output_close(&out, r, err);
}

static int save_directory(struct engine *e, const struct save_opts *o, const char *const *names,
			  size_t n, struct err *err)
{
	if (o->output == NULL)
		return err_msg(err, -EINVAL, "oci-dir is a directory: name it with --output");
	if (mkdir(o->output, 0755) < 0 && errno != EEXIST)
		return err_set(err, -errno, "create directory '%s'", o->output);
	_cleanup_close_ int fd = open(o->output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "open directory '%s'", o->output);
	if (faccessat(fd, "index.json", F_OK, 0) == 0)
		return err_msg(err, -EEXIST, "'%s' holds an image layout already", o->output);
	return save(e, o, IMG_SAVE_OCI_DIR, names, n, fd, err);
}

static int save_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const char *const *names = (const char *const *) argv;
	const struct save_opts *o = opts;
	enum img_save_format format;
	int r = read_format(o->format, &format, err);

	if (r < 0)
		return r;
	r = cli_engine(cli, &e, err);
	if (r < 0)
		return r;
	return format == IMG_SAVE_OCI_DIR ? save_directory(e, o, names, (size_t) argc, err)
					  : save_file(e, o, format, names, (size_t) argc, err);
}

CLI_VERB_TWICE(image_save_verb, "image save", "save",
	.args = "IMAGE...",
	.summary = "Save images to an archive",
	.min_args = 1,
	.max_args = -1,
	.opts = save_table,
	.opts_size = sizeof(struct save_opts),
	.interspersed = true,
	.run = save_run);

/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/sha256.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "engine/engine.h"
#include "image/edit.h"
#include "image/import.h"
#include "image/store.h"

struct import_opts {
	const char *message, *platform;
	struct opt_strings changes;
	bool quiet;
};

static const struct opt import_table[] = {
	{ "change", 'c', OPT_STRINGS, offsetof(struct import_opts, changes), "INSTRUCTION",
	  "apply an instruction of a Dockerfile to the image" },
	{ "message", 'm', OPT_STRING, offsetof(struct import_opts, message), "TEXT",
	  "comment kept in the image's history" },
	{ "platform", 0, OPT_STRING, offsetof(struct import_opts, platform), "OS/ARCH[/VARIANT]",
	  "what it is for (default: this machine)" },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct import_opts, quiet), NULL, "show no progress" },
	{ 0 },
};

/* "linux/ARCH[/VARIANT]": nothing else can be run */
static int check_platform(const char *platform, struct err *err)
{
	const char *arch = platform + strlen("linux/"), *variant;

	if (!str_starts(platform, "linux/"))
		return err_msg(err, -EINVAL, "--platform '%.60s': expected linux/ARCH or linux/ARCH/VARIANT",
			       platform);
	variant = strchr(arch, '/');
	for (const char *p = arch; *p != '\0'; p++)
		if (!isalnum((unsigned char) *p) && p != variant)
			arch = "";
	if (*arch == '\0' || arch == variant || (variant != NULL && variant[1] == '\0'))
		return err_msg(err, -EINVAL, "--platform '%.60s': expected linux/ARCH or linux/ARCH/VARIANT",
			       platform);
	return 0;
}

static int import_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct import_opts *o = opts;
	const struct img_edit edit = { .changes = o->changes.v, .nr_changes = o->changes.n,
				       .platform = o->platform,
				       .comment = o->message != NULL ? o->message : "imported",
				       .created = time_now_ns() };
	char id[SHA256_HEX_LEN + 1];
	struct cli_progress progress;
	int r = o->platform != NULL ? check_platform(o->platform, err) : 0;

	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r < 0)
		return r;
	_cleanup_close_ int file = strcmp(argv[0], "-") == 0
					   ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					   : open(argv[0], O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return err_set(err, -errno, "open '%s'", argv[0]);
	cli_progress_start(&progress, "Importing", o->quiet);
	img_store_meter(e->images, &progress.meter);
	r = img_import(e->images, file, argc > 1 ? argv[1] : NULL, &edit, id, err);
	cli_progress_stop(&progress);
	if (r < 0)
		return err_wrap(err, r, "import '%s'", argv[0]);
	printf("sha256:%s\n", id);
	return 0;
}

CLI_VERB_TWICE(image_import_verb, "image import", "import",
	.args = "TAR [NAME]",
	.summary = "Make an image from a tarball of a root file system; '-' is standard input",
	.min_args = 1,
	.max_args = 2,
	.opts = import_table,
	.opts_size = sizeof(struct import_opts),
	.interspersed = true,
	.run = import_run);

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/sha256.h"
#include "cli/cli.h"
#include "cli/commit_config.h"
#include "cli/instance_files.h"
#include "cli/progress.h"
#include "engine/engine.h"
#include "engine/stop.h"
#include "image/commit.h"
#include "image/edit.h"
#include "image/reference.h"

struct commit_opts {
	const char *author, *message;
	struct opt_strings changes;
	bool no_pause, quiet;
};

static const struct opt commit_table[] = {
	{ "author", 'a', OPT_STRING, offsetof(struct commit_opts, author), "TEXT",
	  "who made it, like \"Ada <ada@example.org>\"" },
	{ "change", 'c', OPT_STRINGS, offsetof(struct commit_opts, changes), "INSTRUCTION",
	  "apply an instruction of a Dockerfile to the image" },
	{ "message", 'm', OPT_STRING, offsetof(struct commit_opts, message), "TEXT",
	  "comment kept in the image's history" },
	{ "pause", 'p', OPT_OFF, offsetof(struct commit_opts, no_pause), NULL,
	  "freeze the instance meanwhile (default: true)" },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct commit_opts, quiet), NULL, "show no progress" },
	{ 0 },
};

static int commit(const struct instance_files *f, const struct commit_opts *o,
		  const struct img_reference *ref, char *ret_id, struct err *err)
{
	struct img_edit edit = { .author = o->author, .comment = o->message,
				 .created_by = "cleave commit", .created = time_now_ns() };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_words changes = { 0 };
	struct img_image base;
	int r = img_store_find(f->e->images, f->config.image_id, &arena, &base, err);

	if (r == 0)
		r = commit_config(&f->config, &o->changes, &arena, &changes, err);
	edit.changes = changes.v;
	edit.nr_changes = changes.n;
	return r < 0 ? r
		     : img_commit(f->e->images, &base, f->fs.upper,
				  (uint32_t) f->config.userns_start,
				  (uint32_t) f->config.userns_size, &edit, ref, ret_id, err);
}

static int commit_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(instance_files_fini) struct instance_files f = INSTANCE_FILES_NONE;
	const struct commit_opts *o = opts;
	struct img_reference ref = { 0 };
	char id[SHA256_HEX_LEN + 1];
	int thawed = 0;
	struct cli_progress progress;
	bool pause;
	int r = argc > 1 ? img_reference_parse(argv[1], &ref, err) : 0;

	if (r == 0 && ref.digest[0] != '\0')
		r = err_msg(err, -EINVAL,
			    "image name '%s': a new image cannot be named by its digest", argv[1]);
	if (r == 0)
		r = instance_files_open(cli, argv[0], 0, &f, err);
	if (r < 0)
		return r;
	if (f.fs.upper < 0)
		return err_msg(err, -EINVAL, "instance '%s' has no writable layer to commit",
			       f.i.name);
	pause = f.fs.running && !f.i.paused && !o->no_pause;
	if (pause)
		r = eng_pause(f.e, &f.i, true, err);
	/* it ended meanwhile, or the host gives users no cgroups */
	if (r == -ESRCH || ((r == -ENOENT || r == -EOPNOTSUPP) && f.e->rootless)) {
		pause = false;
		r = 0;
	}
	if (r < 0)
		return r;
	cli_progress_start(&progress, "Committing", o->quiet);
	img_store_meter(f.e->images, &progress.meter);
	r = commit(&f, o, argc > 1 ? &ref : NULL, id, err);
	cli_progress_stop(&progress);
	f.i.paused = pause || f.i.paused;
	if (pause)
		thawed = eng_pause(f.e, &f.i, false, r < 0 ? NULL : err);
	if (r == 0 && thawed < 0 && thawed != -ESRCH) /* it may have ended */
		return err_wrap(err, -EIO, "the image is sha256:%s", id);
	if (r == 0)
		printf("sha256:%s\n", id);
	return r;
}

CLI_VERB(commit_verb) = {
	.name = "commit",
	.args = "INSTANCE [NAME]",
	.summary = "Make an image of what an instance has changed",
	.min_args = 1,
	.max_args = 2,
	.opts = commit_table,
	.opts_size = sizeof(struct commit_opts),
	.interspersed = true,
	.run = commit_run,
};

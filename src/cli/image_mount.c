/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/image_mount.h"
#include "image/store.h"

struct umount_opts {
	bool all;
};

static const struct opt umount_table[] = {
	{ "all", 'a', OPT_BOOL, offsetof(struct umount_opts, all), NULL, "unmount all images" },
	{ 0 },
};

/* Call @found for each image that is mounted, by its first name. */
static int each_mounted(struct engine *e,
			int (*found)(struct engine *e, const struct img_image *image,
				     struct err *err),
			struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_image *list = NULL;
	int n = img_store_list(e->images, &arena, &list, err), r = n < 0 ? n : 0;

	for (int i = 0; r == 0 && i < n; i++) {
		bool before = false;

		for (int k = 0; k < i; k++)
			before |= strcmp(list[k].id, list[i].id) == 0;
		if (!before && eng_image_mounted(e, list[i].id, NULL))
			r = found(e, &list[i], err);
	}
	return r;
}

static int print_mounted(struct engine *e, const struct img_image *image, struct err *err)
{
	_cleanup_(str_fini) struct str path = { 0 };

	(void) err;
	(void) eng_image_mounted(e, image->id, &path);
	printf("%s:%s\t%s\n", image->repository, image->tag, path.p != NULL ? path.p : "");
	return 0;
}

static int umount_one(struct engine *e, const struct img_image *image, struct err *err)
{
	int r = eng_image_umount(e, image->id, err);

	if (r == 0)
		printf("sha256:%s\n", image->id);
	return r;
}

static int mount_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	int r = cli_engine(cli, &e, err);

	(void) opts;
	if (r == 0 && argc == 0)
		return each_mounted(e, print_mounted, err);
	for (int i = 0; r == 0 && i < argc; i++) {
		_cleanup_(str_fini) struct str path = { 0 };
		struct img_image image;

		r = img_store_find(e->images, argv[i], &arena, &image, err);
		if (r == 0)
			r = eng_image_mount(e, &image, &path, err);
		if (r == 0)
			printf("%s\n", path.p);
	}
	return r;
}

static int umount_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct umount_opts *o = opts;
	int r = o->all == (argc > 0)
			? err_msg(err, -EINVAL, "image umount takes either images or --all")
			: cli_engine(cli, &e, err);

	if (r == 0 && o->all)
		return each_mounted(e, umount_one, err);
	for (int i = 0; r == 0 && i < argc; i++) {
		struct img_image image;

		r = img_store_find(e->images, argv[i], &arena, &image, err);
		if (r == 0)
			r = umount_one(e, &image, err);
	}
	return r;
}

CLI_VERB(image_mount_verb) = {
	.name = "image mount",
	.args = "[IMAGE...]",
	.summary = "Show the files of images below a directory, read-only, or list what is mounted",
	.max_args = -1,
	.run = mount_run,
};

CLI_VERB(image_umount_verb) = {
	.name = "image umount",
	.args = "[IMAGE...]",
	.summary = "Undo 'image mount'",
	.max_args = -1,
	.opts = umount_table,
	.opts_size = sizeof(struct umount_opts),
	.interspersed = true,
	.run = umount_run,
};

/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "image/reference.h"
#include "image/store.h"

static int tag_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_reference ref;
	struct img_image image;
	int r = img_reference_parse(argv[1], &ref, err);

	(void) opts;
	(void) argc;
	if (r == 0 && ref.digest[0] != '\0')
		r = err_msg(err, -EINVAL, "'%s': an image cannot be given a digest as name", argv[1]);
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = img_store_find(e->images, argv[0], &arena, &image, err);
	if (r == 0)
		r = img_store_tag(e->images, image.id, &ref, err);
	if (r == 0)
		eng_event(e, "image", "tag", image.id,
			  (const char *const[]) { "name", argv[1], NULL });
	return r;
}

CLI_VERB_TWICE(image_tag_verb, "image tag", "tag",
	.args = "IMAGE NAME",
	.summary = "Give an image another name",
	.min_args = 2,
	.max_args = 2,
	.run = tag_run);

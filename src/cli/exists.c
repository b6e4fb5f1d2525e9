/* SPDX-License-Identifier: MIT */
/**
 * DOC: `container exists`, `image exists`, `network exists`, `volume exists`
 *
 * Tell by the exit status and print nothing: 0 it exists, 1 it does not, 125 that cannot be told.
 */
#include <errno.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/net/network.h"
#include "engine/volume.h"
#include "image/store.h"

static int find_instance(struct engine *e, const char *what, struct arena *arena, struct err *err)
{
	struct eng_instance i;

	return eng_instance_find(e, what, arena, &i, err);
}

static int find_image(struct engine *e, const char *what, struct arena *arena, struct err *err)
{
	struct img_image image;

	return img_store_find(e->images, what, arena, &image, err);
}

static int find_volume(struct engine *e, const char *what, struct arena *arena, struct err *err)
{
	struct eng_volume volume;

	return eng_volume_find(e, what, arena, &volume, err);
}

static int find_network(struct engine *e, const char *what, struct arena *arena, struct err *err)
{
	struct eng_network network;

	return eng_network_find(e, what, arena, &network, err);
}

static int exists(struct cli *cli, const char *what,
		  int (*find)(struct engine *e, const char *what, struct arena *arena,
			      struct err *err),
		  struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	int r = cli_engine(cli, &e, err);

	if (r == 0)
		r = find(e, what, &arena, err);
	return r == -ENOENT ? 1 : r;
}

static int container_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	(void) opts;
	(void) argc;
	return exists(cli, argv[0], find_instance, err);
}

static int image_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	(void) opts;
	(void) argc;
	return exists(cli, argv[0], find_image, err);
}

static int volume_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	(void) opts;
	(void) argc;
	return exists(cli, argv[0], find_volume, err);
}

static int network_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	(void) opts;
	(void) argc;
	return exists(cli, argv[0], find_network, err);
}

CLI_VERB(container_exists_verb) = {
	.name = "container exists",
	.args = "INSTANCE",
	.summary = "Tell by the exit status whether an instance exists",
	.min_args = 1,
	.max_args = 1,
	.fail_status = CLI_EXIT_FAILURE,
	.run = container_run,
};

CLI_VERB(image_exists_verb) = {
	.name = "image exists",
	.args = "IMAGE",
	.summary = "Tell by the exit status whether an image exists",
	.min_args = 1,
	.max_args = 1,
	.fail_status = CLI_EXIT_FAILURE,
	.run = image_run,
};

CLI_VERB(volume_exists_verb) = {
	.name = "volume exists",
	.args = "VOLUME",
	.summary = "Tell by the exit status whether a volume exists",
	.min_args = 1,
	.max_args = 1,
	.fail_status = CLI_EXIT_FAILURE,
	.run = volume_run,
};

CLI_VERB(network_exists_verb) = {
	.name = "network exists",
	.args = "NETWORK",
	.summary = "Tell by the exit status whether a network exists",
	.min_args = 1,
	.max_args = 1,
	.fail_status = CLI_EXIT_FAILURE,
	.run = network_run,
};

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/failures.h"
#include "cli/format/listing.h"
#include "cli/format/pretty.h"
#include "cli/network_print.h"
#include "cli/volume_print.h"
#include "engine/disk.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/inspect.h"
#include "engine/instance.h"
#include "image/store.h"

struct inspect_opts {
	bool size;
	const char *format, *type;
};

static const struct opt inspect_table[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct inspect_opts, format), "FORMAT",
	  "a Go template, or json" },
	{ "size", 's', OPT_BOOL, offsetof(struct inspect_opts, size), NULL,
	  "also how much an instance uses on disk" },
	{ "type", 0, OPT_STRING, offsetof(struct inspect_opts, type), "TYPE",
	  "container, image or volume (default: whichever has the name)" },
	{ 0 },
};

static int inspect_image(struct engine *e, const char *what, struct str *ret, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_image image;
	int r = img_store_find(e->images, what, &arena, &image, err);

	return r < 0 ? r : eng_image_inspect(e, &image, ret, err);
}

static int inspect_volume(struct engine *e, const char *what, struct str *ret, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_volume v;
	int r = eng_volume_find(e, what, &arena, &v, err);

	if (r == 0)
		volume_json(e, &v, "", ret);
	return r;
}

/* The members that Docker has with --size, inside the object */
static void add_size(struct engine *e, const struct eng_instance *i, struct str *ret)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	int64_t bytes = (int64_t) eng_disk_writable(e, i->id), below = 0;
	struct img_image image;

	if (img_store_find(e->images, i->image_id, &arena, &image, NULL) == 0)
		below = image.size;
	while (ret->len > 0 && ret->p[ret->len - 1] != '}')
		ret->len--;
	ret->len -= ret->len > 0;
	str_printf(ret, ",\"SizeRw\":%lld,\"SizeRootFs\":%lld}", (long long) bytes,
		   (long long) (bytes + below));
}

static int inspect_instance(struct engine *e, const struct inspect_opts *o, const char *what,
			    struct str *ret, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance i;
	int r = eng_instance_find(e, what, &arena, &i, err);

	if (r == 0)
		r = eng_inspect(e, &i, ret, err);
	if (r == 0 && o->size)
		add_size(e, &i, ret);
	return r;
}

static int inspect_network(struct engine *e, const char *what, struct str *ret, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_network n;
	int r = eng_network_find(e, what, &arena, &n, err);

	return r == 0 ? network_json(e, &n, ret, err) : r;
}

/* @type: "container", "image", "volume", "network"; NULL: whichever has the name */
static int inspect_one(struct engine *e, const struct inspect_opts *o, const char *type,
		       const char *what, struct str *ret, struct err *err)
{
	int r;

	if (type != NULL && strcmp(type, "image") == 0)
		return inspect_image(e, what, ret, err);
	if (type != NULL && strcmp(type, "volume") == 0)
		return inspect_volume(e, what, ret, err);
	if (type != NULL && strcmp(type, "network") == 0)
		return inspect_network(e, what, ret, err);
	if (type != NULL && strcmp(type, "container") != 0)
		return err_msg(err, -EINVAL, "--type '%.60s': container, image, network and volume are known",
			       type);
	r = inspect_instance(e, o, what, ret, err);
	if (r != -ENOENT || type != NULL)
		return r;
	if (inspect_image(e, what, ret, NULL) == 0 || inspect_volume(e, what, ret, NULL) == 0 ||
	    inspect_network(e, what, ret, NULL) == 0)
		return 0;
	return err_msg(err, -ENOENT,
		       "no such object: '%.100s' is neither an instance, nor an image, a volume or a network", what);
}

/* The objects in a list, indented */
static int print_all(const struct str *all, struct err *err)
{
	_cleanup_(arena_fini) struct arena strings = { 0 };
	_cleanup_(str_fini) struct str out = { 0 };
	struct json_in in;
	int r = json_parse(&in, "objects", &strings, all->p, all->len, err);

	if (r == 0) {
		json_pretty(in.root, &out);
		puts(out.failed ? "" : out.p);
	}
	json_fini(&in);
	return r;
}

static int inspect_all(struct cli *cli, const struct inspect_opts *o, const char *type, int argc,
		       char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(str_fini) struct str all = { 0 };
	struct failures failures = { .err = err };
	int r = cli_engine(cli, &e, err);

	if (r < 0)
		return r;
	str_puts(&all, "[");
	for (int n = 0; n < argc; n++) {
		_cleanup_(str_fini) struct str one = { 0 };
		struct err why = { 0 };

		r = inspect_one(e, o, type, argv[n], &one, &why);
		if (r == 0 && o->format != NULL)
			r = listing_template(o->format, one.p, one.len, &why);
		if (r < 0) {
			failures_note(&failures, r, &why);
			continue;
		}
		str_puts(&all, all.len > 1 ? "," : "");
		str_add(&all, one.p, one.len);
	}
	str_puts(&all, "]");
	if (o->format == NULL)
		r = all.failed ? err_set(err, -ENOMEM, "print") : print_all(&all, err);
	return failures.result < 0 ? failures.result : r;
}

static int inspect_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	const struct inspect_opts *o = opts;

	return inspect_all(cli, o, o->type, argc, argv, err);
}

static int inspect_network_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	return inspect_all(cli, opts, "network", argc, argv, err);
}

static int inspect_image_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	return inspect_all(cli, opts, "image", argc, argv, err);
}

CLI_VERB(inspect_verb) = {
	.name = "inspect",
	.args = "NAME...",
	.summary = "Show all that is known of instances, images or volumes",
	.min_args = 1,
	.max_args = -1,
	.opts = inspect_table,
	.opts_size = sizeof(struct inspect_opts),
	.interspersed = true,
	.run = inspect_run,
};

static const struct opt inspect_image_table[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct inspect_opts, format), "FORMAT",
	  "a Go template, or json" },
	{ 0 },
};

CLI_VERB(image_inspect_verb) = {
	.name = "image inspect",
	.args = "IMAGE...",
	.summary = "Show all that is known of images",
	.min_args = 1,
	.max_args = -1,
	.opts = inspect_image_table,
	.opts_size = sizeof(struct inspect_opts),
	.interspersed = true,
	.run = inspect_image_run,
};

static const struct opt inspect_network_table[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct inspect_opts, format), "FORMAT", "a Go template, or json" },
	{ "verbose", 'v', OPT_BOOL, offsetof(struct inspect_opts, size), NULL, NULL }, /* there is nothing more to show */
	{ 0 },
};

CLI_VERB(network_inspect_verb) = {
	.name = "network inspect",
	.args = "NETWORK...",
	.summary = "Show all that is known of networks",
	.min_args = 1,
	.max_args = -1,
	.opts = inspect_network_table,
	.opts_size = sizeof(struct inspect_opts),
	.interspersed = true,
	.run = inspect_network_run,
};

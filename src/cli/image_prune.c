/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/confirm.h"
#include "cli/filter.h"
#include "cli/prune.h"
#include "cli/when.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "image/config.h"
#include "image/remove.h"
#include "image/store.h"

struct prune_opts {
	bool all, force;
	struct opt_strings filter;
};

static const struct opt prune_table[] = {
	{ "all", 'a', OPT_BOOL, offsetof(struct prune_opts, all), NULL,
	  "all that no instance uses, not only those without a name" },
	{ "filter", 0, OPT_STRINGS, offsetof(struct prune_opts, filter), "NAME=VALUE",
	  "only those that match: " PRUNE_FILTERS },
	{ "force", 'f', OPT_BOOL, offsetof(struct prune_opts, force), NULL, "do not ask" },
	{ 0 },
};

struct candidate {
	struct engine *e;
	const struct img_image *image;
};

static int test(const void *what, const char *name, const char *value, struct err *err)
{
	const struct candidate *c = what;
	struct img_config config;
	int64_t until;
	int r;

	if (strcmp(name, "until") == 0) {
		r = cli_when("--filter until", value, &until, err);
		return r < 0 ? r : c->image->created < until;
	}
	r = img_store_config(c->e->images, c->image, &config, err);
	if (r < 0)
		return r;
	r = filter_label(&config.labels, value) == (name[5] == '\0');
	img_config_fini(&config);
	return r;
}

/* An image is in the list once for each of its names, which are sorted. */
static bool is_last(const struct img_image *list, int n, int i)
{
	for (int k = i + 1; k < n; k++)
		if (strcmp(list[k].id, list[i].id) == 0)
			return false;
	return true;
}

static int forget_all(struct engine *e, bool all, const struct opt_strings *filters,
		      struct str *lines, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_image *list = NULL;
	int n = img_store_list(e->images, &arena, &list, err), r = 0;

	for (int i = 0; r >= 0 && i < n; i++) {
		struct candidate c = { e, &list[i] };

		if (!all && list[i].repository[0] != '<')
			continue;
		r = filter_match(filters, test, &c, err);
		if (r == 1)
			r = eng_image_forget(e, &list[i], false, err);
		else if (r == 0)
			continue;
		if (r == -EBUSY) { /* an instance uses it */
			r = 0;
			continue;
		}
		if (r < 0)
			break;
		if (list[i].repository[0] != '<')
			str_printf(lines, "untagged: %s:%s\n", list[i].repository, list[i].tag);
		if (is_last(list, n, i))
			str_printf(lines, "deleted: sha256:%s\n", list[i].id);
	}
	return n < 0 ? n : r < 0 ? r : 0;
}

int prune_images(struct engine *e, bool all, const struct opt_strings *filters, int64_t *size,
		 struct err *err)
{
	_cleanup_(str_fini) struct str lines = { 0 };
	uint64_t bytes = 0;
	int r = filter_check(filters, PRUNE_FILTERS, err);

	if (r == 0)
		r = forget_all(e, all, filters, &lines, err);
	if (r == 0)
		r = eng_image_collect(e, &bytes, err);
	if (r < 0)
		return r;
	if (lines.len > 0)
		printf("Deleted Images:\n%s\n", lines.p);
	*size += (int64_t) bytes;
	return 0;
}

static int prune_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct prune_opts *o = opts;
	int64_t size = 0;
	int r;

	(void) argc;
	(void) argv;
	if (!o->force && !cli_confirm(o->all ? "This will remove all images that no instance uses."
					     : "This will remove all images without a name."))
		return 0;
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = prune_images(e, o->all, &o->filter, &size, err);
	if (r < 0)
		return r;
	prune_total(size);
	return 0;
}

CLI_VERB(image_prune_verb) = {
	.name = "image prune",
	.args = "",
	.summary = "Remove images that nobody uses",
	.opts = prune_table,
	.opts_size = sizeof(struct prune_opts),
	.run = prune_run,
};

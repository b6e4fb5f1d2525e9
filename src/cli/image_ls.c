/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/format/table.h"
#include "engine/engine.h"
#include "image/store.h"

struct ls_opts {
	bool quiet, no_trunc;
	const char *format;
};

static const struct opt ls_table[] = {
	{ "quiet", 'q', OPT_BOOL, offsetof(struct ls_opts, quiet), NULL, "print ids only" },
	{ "no-trunc", 0, OPT_BOOL, offsetof(struct ls_opts, no_trunc), NULL, "print whole ids" },
	{ "format", 0, OPT_STRING, offsetof(struct ls_opts, format), "FORMAT", "table or json" },
	{ 0 },
};

static void print_json(const struct img_image *image)
{
	_cleanup_(str_fini) struct str s = { 0 };
	char created[TIME_TEXT_MAX];

	time_rfc3339(image->created, created);
	str_puts(&s, "{\"Repository\":");
	str_json(&s, image->repository);
	str_puts(&s, ",\"Tag\":");
	str_json(&s, image->tag);
	str_printf(&s,
		   ",\"ID\":\"sha256:%s\",\"Digest\":\"%s\",\"CreatedAt\":\"%s\",\"Size\":%lld}",
		   image->id, image->manifest, created, (long long) image->size);
	if (!s.failed)
		puts(s.p);
}

static void add_row(struct cli_table *t, const struct img_image *image, bool no_trunc)
{
	char age[TIME_TEXT_MAX], created[TIME_TEXT_MAX + 8], size[32], id[80];

	time_span(time_now_ns() - image->created, age);
	(void) snprintf(created, sizeof(created), "%s ago", age);
	cli_size(image->size, size);
	(void) snprintf(id, sizeof(id), no_trunc ? "sha256:%.64s" : "%.12s", image->id);
	cli_table_add(t, image->repository);
	cli_table_add(t, image->tag);
	cli_table_add(t, id);
	cli_table_add(t, created);
	cli_table_add(t, size);
}

static int ls_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	static const char *const heads[] = { "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE" };
	_cleanup_(cli_table_fini) struct cli_table table = { .columns = ARRAY_LEN(heads) };
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct ls_opts *o = opts;
	bool json = o->format != NULL && strcmp(o->format, "json") == 0;
	struct img_image *list = NULL;
	int r, n;

	(void) argc;
	(void) argv;
	if (o->format != NULL && !json && strcmp(o->format, "table") != 0)
		return err_msg(err, -EINVAL, "--format '%s': table and json are known", o->format);
	r = cli_engine(cli, &e, err);
	if (r < 0)
		return r;
	n = img_store_list(e->images, &arena, &list, err);
	if (n < 0)
		return n;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		cli_table_add(&table, heads[i]);
	for (int i = 0; i < n; i++) {
		if (o->quiet)
			printf(o->no_trunc ? "sha256:%.64s\n" : "%.12s\n", list[i].id);
		else if (json)
			print_json(&list[i]);
		else
			add_row(&table, &list[i], o->no_trunc);
	}
	if (!o->quiet && !json)
		cli_table_print(&table);
	return 0;
}

CLI_VERB(image_ls_verb) = {
	.name = "image ls",
	.args = "",
	.summary = "List images",
	.opts = ls_table,
	.opts_size = sizeof(struct ls_opts),
	.run = ls_run,
};

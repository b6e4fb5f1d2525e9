/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/format/listing.h"
#include "cli/format/table.h"
#include "engine/engine.h"
#include "engine/kernel/kernel.h"

struct ls_opts {
	bool quiet;
	const char *format;
};

static const struct opt ls_table[] = {
	{ "format", 0, OPT_STRING, offsetof(struct ls_opts, format), "FORMAT",
	  "table, json, or a Go template" },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct ls_opts, quiet), NULL, "print names only" },
	{ 0 },
};

static const struct listing_column columns[] = {
	{ "Name", "NAME", true },	    { "Release", "RELEASE", true },
	{ "Modules", "MODULES", true },	    { "Size", "SIZE", true },
	{ "CreatedSince", "CREATED", true }, { "Default", "DEFAULT", true },
	{ "CreatedAt", "CREATED AT", false }, { "Format", "FORMAT", false },
	{ "Path", "PATH", false },	    { "Source", "SOURCE", false },
	{ "Version", "VERSION", false },
};

static int print_row(const struct engine *e, const struct eng_kernel *k, struct listing *l, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };
	_cleanup_(arena_fini) struct arena a = { 0 };
	const char *path = eng_kernel_path(e, k->name, &a);
	char at[TIME_TEXT_MAX], span[TIME_TEXT_MAX], ago[TIME_TEXT_MAX + 8], size[32];

	time_rfc3339(k->created, at);
	time_span(time_now_ns() - k->created, span);
	(void) snprintf(ago, sizeof(ago), "%s ago", span); /* fits */
	cli_size((int64_t) k->size, size);
	json_open(&s, NULL, '{');
	json_text(&s, "CreatedAt", at);
	json_text(&s, "CreatedSince", ago);
	json_text(&s, "Default", k->is_default ? "*" : "");
	json_text(&s, "Format", k->format);
	json_uint(&s, "Modules", k->modules);
	json_text(&s, "Name", k->name);
	json_text(&s, "Path", path != NULL ? path : "");
	json_text(&s, "Release", k->release);
	json_text(&s, "Size", size);
	json_text(&s, "Source", k->source);
	json_text(&s, "Version", k->version);
	json_close(&s, '}');
	return s.failed || path == NULL ? err_set(err, -ENOMEM, "print") : listing_row(l, s.p, err);
}

static int ls_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(listing_fini) struct listing l = { .columns = columns, .nr = ARRAY_LEN(columns) };
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct ls_opts *o = opts;
	struct eng_kernel *list = NULL;
	int r, n;

	(void) argc;
	(void) argv;
	r = listing_begin(&l, o->format, err);
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r < 0)
		return r;
	n = eng_kernel_list(e, &arena, &list, err);
	if (n < 0)
		return n;
	for (int i = 0; i < n && r == 0; i++) {
		if (o->quiet)
			puts(list[i].name);
		else
			r = print_row(e, &list[i], &l, err);
	}
	if (r == 0 && !o->quiet)
		listing_end(&l);
	return r;
}

CLI_VERB(kernel_ls_verb) = {
	.name = "kernel ls",
	.args = "",
	.summary = "List the kernels that virtual machines can boot",
	.opts = ls_table,
	.opts_size = sizeof(struct ls_opts),
	.run = ls_run,
};

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/format/listing.h"
#include "cli/volume_print.h"
#include "engine/engine.h"

struct ls_opts {
	bool quiet, no_heading;
	const char *format;
	struct opt_strings filter;
};

static const struct opt ls_table[] = {
	{ "filter", 'f', OPT_STRINGS, offsetof(struct ls_opts, filter), "NAME=VALUE",
	  "list only those that match: dangling, driver, label, name" },
	{ "format", 0, OPT_STRING, offsetof(struct ls_opts, format), "FORMAT",
	  "table, json, or a Go template" },
	{ "noheading", 'n', OPT_BOOL, offsetof(struct ls_opts, no_heading), NULL,
	  "print no headings" },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct ls_opts, quiet), NULL, "print names only" },
	{ 0 },
};

static const struct listing_column columns[] = {
	{ "Driver", "DRIVER", true },		  { "Name", "VOLUME NAME", true },
	{ "Availability", "AVAILABILITY", false }, { "Group", "GROUP", false },
	{ "Labels", "LABELS", false },		  { "Links", "LINKS", false },
	{ "Mountpoint", "MOUNTPOINT", false },	  { "Scope", "SCOPE", false },
	{ "Size", "SIZE", false },		  { "Status", "STATUS", false },
};

static int print_row(const struct engine *e, const struct ls_opts *o, const struct eng_volume *v,
		     struct listing *l, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 }, labels = { 0 };
	_cleanup_(arena_fini) struct arena a = { 0 };
	const char *path = eng_volume_path(e, v->name, &a);

	for (size_t i = 0; i < v->labels.n; i++)
		str_printf(&labels, "%s%s", i > 0 ? "," : "", v->labels.v[i]);
	json_open(&s, NULL, '{');
	json_text(&s, "Availability", "N/A");
	json_text(&s, "Driver", "local");
	json_text(&s, "Group", "N/A");
	json_text(&s, "Labels", labels.p != NULL ? labels.p : "");
	if (o->format != NULL && strstr(o->format, ".Label ") != NULL)
		json_pairs(&s, "Label", v->labels.v, v->labels.n); /* {{.Label "name"}} */
	json_text(&s, "Links", "N/A");
	json_text(&s, "Mountpoint", path != NULL ? path : "");
	json_text(&s, "Name", v->name);
	json_text(&s, "Scope", "local");
	json_text(&s, "Size", "N/A");
	json_text(&s, "Status", "N/A");
	json_close(&s, '}');
	return s.failed || labels.failed ? err_set(err, -ENOMEM, "print") : listing_row(l, s.p, err);
}

static int ls_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(listing_fini) struct listing l = { .columns = columns, .nr = ARRAY_LEN(columns) };
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct ls_opts *o = opts;
	struct eng_volume *list = NULL;
	int r, n;

	(void) argc;
	(void) argv;
	l.no_headings = o->no_heading;
	r = listing_begin(&l, o->format, err);
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = volume_matches(&(struct eng_volume) { .name = "" }, &o->filter, err);
	if (r < 0)
		return r;
	n = eng_volume_list(e, &arena, &list, err);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		r = volume_matches(&list[i], &o->filter, err);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		r = 0;
		if (o->quiet)
			puts(list[i].name);
		else
			r = print_row(e, o, &list[i], &l, err);
		if (r < 0)
			return r;
	}
	if (!o->quiet)
		listing_end(&l);
	return 0;
}

CLI_VERB(volume_ls_verb) = {
	.name = "volume ls",
	.args = "",
	.summary = "List volumes",
	.opts = ls_table,
	.opts_size = sizeof(struct ls_opts),
	.run = ls_run,
};

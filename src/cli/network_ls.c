/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/format/listing.h"
#include "cli/network_print.h"
#include "engine/config.h"
#include "engine/engine.h"

#define SHORT_ID 12 /* digits */

struct ls_opts {
	bool quiet, no_heading, no_trunc;
	const char *format;
	struct opt_strings filter;
};

static const struct opt ls_table[] = {
	{ "filter", 'f', OPT_STRINGS, offsetof(struct ls_opts, filter), "NAME=VALUE",
	  "list only those that match: " NETWORK_FILTERS },
	{ "format", 0, OPT_STRING, offsetof(struct ls_opts, format), "FORMAT", "table, json, or a Go template" },
	{ "no-trunc", 0, OPT_BOOL, offsetof(struct ls_opts, no_trunc), NULL, "print whole ids" },
	{ "noheading", 'n', OPT_BOOL, offsetof(struct ls_opts, no_heading), NULL, "print no headings" },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct ls_opts, quiet), NULL, "print ids only" },
	{ 0 },
};

static const struct listing_column columns[] = {
	{ "ID", "NETWORK ID", true },	  { "Name", "NAME", true },	    { "Driver", "DRIVER", true },
	{ "Scope", "SCOPE", true },	  { "IPv4", "IPV4", false },	    { "IPv6", "IPV6", false },
	{ "Internal", "INTERNAL", false }, { "Labels", "LABELS", false }, { "CreatedAt", "CREATED AT", false },
};

static int print_row(const struct ls_opts *o, const struct eng_network *n, struct listing *l, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 }, labels = { 0 };
	char created[TIME_TEXT_MAX], id[ENG_NETWORK_NAME_MAX + 1];

	(void) snprintf(id, sizeof(id), "%.*s", o->no_trunc ? ENG_NETWORK_NAME_MAX : SHORT_ID, n->id);
	time_local(n->created, created);
	for (size_t i = 0; i < n->labels.n; i++)
		str_printf(&labels, "%s%s", i > 0 ? "," : "", n->labels.v[i]);
	json_open(&s, NULL, '{');
	json_text(&s, "CreatedAt", created);
	json_text(&s, "Driver", n->driver);
	json_text(&s, "ID", id);
	json_text(&s, "IPv4", n->v4.net.base.family != 0 ? "true" : "false");
	json_text(&s, "IPv6", n->v6.net.base.family != 0 ? "true" : "false");
	json_text(&s, "Internal", n->internal ? "true" : "false");
	json_text(&s, "Labels", labels.p != NULL ? labels.p : "");
	if (o->format != NULL && strstr(o->format, ".Label ") != NULL)
		json_pairs(&s, "Label", n->labels.v, n->labels.n); /* {{.Label "name"}} */
	json_text(&s, "Name", n->name);
	json_text(&s, "Scope", "local");
	json_close(&s, '}');
	return s.failed || labels.failed ? err_set(err, -ENOMEM, "print") : listing_row(l, s.p, err);
}

static int print_one(struct engine *e, const struct ls_opts *o, const struct eng_network *n, struct listing *l,
		     struct err *err)
{
	int users = o->filter.n > 0 ? network_users(e, n, err) : 0, r = users;

	if (r >= 0)
		r = network_matches(n, users, &o->filter, err);
	if (r <= 0)
		return r;
	if (!o->quiet)
		return print_row(o, n, l, err);
	printf("%.*s\n", o->no_trunc ? ENG_NETWORK_NAME_MAX : SHORT_ID, n->id);
	return 0;
}

static int ls_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(listing_fini) struct listing l = { .columns = columns, .nr = ARRAY_LEN(columns) };
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct ls_opts *o = opts;
	struct eng_network *list = NULL;
	int r, n;

	(void) argc;
	(void) argv;
	l.no_headings = o->no_heading;
	r = listing_begin(&l, o->format, err);
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r < 0)
		return r;
	n = eng_network_list(e, &arena, &list, err);
	for (int i = 0; r >= 0 && i < n; i++)
		r = print_one(e, o, &list[i], &l, err);
	if (n < 0 || r < 0)
		return n < 0 ? n : r;
	if (!o->quiet)
		listing_end(&l);
	return 0;
}

CLI_VERB(network_ls_verb) = {
	.name = "network ls",
	.args = "",
	.summary = "List networks",
	.opts = ls_table,
	.opts_size = sizeof(struct ls_opts),
	.run = ls_run,
};

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/format/table.h"
#include "cli/volume_print.h"
#include "engine/engine.h"

struct ls_opts {
	bool quiet;
	const char *format;
	struct opt_strings filter;
};

static const struct opt ls_table[] = {
	{ "filter", 'f', OPT_STRINGS, offsetof(struct ls_opts, filter), "NAME=VALUE",
	  "list only those that match: dangling, driver, label, name" },
	{ "format", 0, OPT_STRING, offsetof(struct ls_opts, format), "FORMAT", "table or json" },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct ls_opts, quiet), NULL, "print names only" },
	{ 0 },
};

static void print_json(const struct engine *e, const struct eng_volume *v)
{
	_cleanup_(str_fini) struct str s = { 0 }, labels = { 0 };
	_cleanup_(arena_fini) struct arena a = { 0 };
	const char *path = eng_volume_path(e, v->name, &a);

	for (size_t i = 0; i < v->labels.n; i++)
		str_printf(&labels, "%s%s", i > 0 ? "," : "", v->labels.v[i]);
	str_puts(&s, "{\"Availability\":\"N/A\",\"Driver\":\"local\",\"Group\":\"N/A\",\"Labels\":");
	str_json(&s, labels.p != NULL ? labels.p : "");
	str_puts(&s, ",\"Links\":\"N/A\",\"Mountpoint\":");
	str_json(&s, path != NULL ? path : "");
	str_puts(&s, ",\"Name\":");
	str_json(&s, v->name);
	str_puts(&s, ",\"Scope\":\"local\",\"Size\":\"N/A\",\"Status\":\"N/A\"}");
	if (!s.failed && !labels.failed)
		puts(s.p);
}

static int ls_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	static const char *const heads[] = { "DRIVER", "VOLUME NAME" };
	_cleanup_(cli_table_fini) struct cli_table table = { .columns = ARRAY_LEN(heads) };
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct ls_opts *o = opts;
	bool json = o->format != NULL && strcmp(o->format, "json") == 0;
	struct eng_volume *list = NULL;
	int r, n;

	(void) argc;
	(void) argv;
	if (o->format != NULL && !json && strcmp(o->format, "table") != 0)
		return err_msg(err, -EINVAL, "--format '%s': table and json are known", o->format);
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = volume_matches(&(struct eng_volume) { .name = "" }, &o->filter, err);
	if (r < 0)
		return r;
	n = eng_volume_list(e, &arena, &list, err);
	if (n < 0)
		return n;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		cli_table_add(&table, heads[i]);
	for (int i = 0; i < n; i++) {
		r = volume_matches(&list[i], &o->filter, err);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (o->quiet)
			puts(list[i].name);
		else if (json)
			print_json(e, &list[i]);
		else {
			cli_table_add(&table, "local");
			cli_table_add(&table, list[i].name);
		}
	}
	if (!o->quiet && !json)
		cli_table_print(&table);
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

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "engine/engine.h"
#include "engine/instance.h"

#define COMMAND_WIDTH 20 /* characters, with the quotes beside */

struct ps_opts {
	bool all, quiet, no_trunc;
	const char *format;
};

static const struct opt ps_table[] = {
	{ "all", 'a', OPT_BOOL, offsetof(struct ps_opts, all), NULL,
	  "also instances that do not run" },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct ps_opts, quiet), NULL, "print ids only" },
	{ "no-trunc", 0, OPT_BOOL, offsetof(struct ps_opts, no_trunc), NULL,
	  "print whole ids and commands" },
	{ "format", 0, OPT_STRING, offsetof(struct ps_opts, format), "FORMAT", "table or json" },
	{ 0 },
};

/* "Up 2 minutes", "Exited (0) 3 hours ago", "Created" */
static void status_text(const struct eng_instance *i, char *ret, size_t size)
{
	char span[TIME_TEXT_MAX];
	int64_t now = time_now_ns();

	if (i->state == ENG_STATE_RUNNING) {
		time_span(now - (i->started != 0 ? i->started : i->created), span);
		(void) snprintf(ret, size, "Up %s%s", span, i->paused ? " (Paused)" : "");
	} else if (i->state == ENG_STATE_RESTARTING) {
		time_span(now - i->finished, span);
		(void) snprintf(ret, size, "Restarting (%d) %s ago", i->exit_code, span);
	} else if (i->state == ENG_STATE_EXITED) {
		time_span(now - i->finished, span);
		(void) snprintf(ret, size, "Exited (%d) %s ago", i->exit_code, span);
	} else
		(void) snprintf(ret, size, "Created");
}

/* Quoted, as Docker does; what does not fit ends in an ellipsis. */
static void command_text(const struct eng_instance *i, bool no_trunc, struct str *ret)
{
	size_t n = strlen(i->command);

	if (no_trunc || n <= COMMAND_WIDTH) {
		str_printf(ret, "\"%s\"", i->command);
		return;
	}
	n = COMMAND_WIDTH - 1;
	while (n > 0 && (i->command[n] & 0xc0) == 0x80) /* not inside a UTF-8 sequence */
		n--;
	str_printf(ret, "\"%.*s\u2026\"", (int) n, i->command);
}

static void print_json(const struct eng_instance *i)
{
	_cleanup_(str_fini) struct str s = { 0 };
	char created[TIME_TEXT_MAX], status[TIME_TEXT_MAX * 2];
	const char *const texts[] = { "Names",   i->name,    "Image", i->image,
				      "Command", i->command, "Error", i->error };

	time_rfc3339(i->created, created);
	status_text(i, status, sizeof(status));
	str_printf(&s, "{\"ID\":\"%s\"", i->id);
	for (size_t n = 0; n < ARRAY_LEN(texts); n += 2) {
		str_printf(&s, ",\"%s\":", texts[n]);
		str_json(&s, texts[n + 1]);
	}
	str_printf(
		&s,
		",\"CreatedAt\":\"%s\",\"State\":\"%s\",\"Status\":\"%s\",\"ExitCode\":%d,\"Isolation\":\"%s\",\"Ports\":\"\"}",
		created, eng_state_name(i->state), status, i->exit_code, i->isolation);
	if (!s.failed)
		puts(s.p);
}

static void add_row(struct cli_table *t, const struct eng_instance *i, bool no_trunc)
{
	_cleanup_(str_fini) struct str command = { 0 };
	char age[TIME_TEXT_MAX], created[TIME_TEXT_MAX + 8], status[TIME_TEXT_MAX * 2], id[80];

	time_span(time_now_ns() - i->created, age);
	(void) snprintf(created, sizeof(created), "%s ago", age);
	(void) snprintf(id, sizeof(id), "%.*s", no_trunc ? ENG_ID_LEN : 12, i->id);
	status_text(i, status, sizeof(status));
	command_text(i, no_trunc, &command);
	cli_table_add(t, id);
	cli_table_add(t, i->image);
	cli_table_add(t, command.failed ? "" : command.p);
	cli_table_add(t, created);
	cli_table_add(t, status);
	cli_table_add(t, ""); /* ports */
	cli_table_add(t, i->name);
}

static int ps_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	static const char *const heads[] = { "CONTAINER ID", "IMAGE", "COMMAND", "CREATED",
					     "STATUS",       "PORTS", "NAMES" };
	_cleanup_(cli_table_fini) struct cli_table table = { .columns = ARRAY_LEN(heads) };
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct ps_opts *o = opts;
	bool json = o->format != NULL && strcmp(o->format, "json") == 0;
	struct eng_instance *list = NULL;
	int r, n;

	(void) argc;
	(void) argv;
	if (o->format != NULL && !json && strcmp(o->format, "table") != 0)
		return err_msg(err, -EINVAL, "--format '%s': table and json are known", o->format);
	r = cli_engine(cli, &e, err);
	if (r < 0)
		return r;
	n = eng_instance_list(e, &arena, &list, err);
	if (n < 0)
		return n;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		cli_table_add(&table, heads[i]);
	for (int i = 0; i < n; i++) {
		if (!o->all && list[i].state != ENG_STATE_RUNNING &&
		    list[i].state != ENG_STATE_RESTARTING)
			continue;
		if (o->quiet)
			printf("%.*s\n", o->no_trunc ? ENG_ID_LEN : 12, list[i].id);
		else if (json)
			print_json(&list[i]);
		else
			add_row(&table, &list[i], o->no_trunc);
	}
	if (!o->quiet && !json)
		cli_table_print(&table);
	return 0;
}

CLI_VERB(ps_verb) = {
	.name = "ps",
	.args = "",
	.summary = "List instances",
	.opts = ps_table,
	.opts_size = sizeof(struct ps_opts),
	.run = ps_run,
};

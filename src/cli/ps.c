/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/format/listing.h"
#include "cli/instance_match.h"
#include "cli/instance_text.h"
#include "engine/config.h"
#include "engine/disk.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/net/attach.h"
#include "net/publish.h"

struct ps_opts {
	bool all, quiet, no_trunc, latest, size, no_heading;
	const char *format, *sort;
	int64_t last;
	struct opt_strings filter;
};

#define FIELD(name) offsetof(struct ps_opts, name)

static const struct opt ps_table[] = {
	{ "all", 'a', OPT_BOOL, FIELD(all), NULL, "also instances that do not run" },
	{ "filter", 'f', OPT_STRINGS, FIELD(filter), "NAME=VALUE",
	  "only those that match: " INSTANCE_FILTERS },
	{ "format", 0, OPT_STRING, FIELD(format), "FORMAT", "table, json, or a Go template" },
	{ "last", 'n', OPT_I64, FIELD(last), "NUMBER", "the newest so many, in any state" },
	{ "latest", 'l', OPT_BOOL, FIELD(latest), NULL, "the newest one, in any state" },
	{ "no-trunc", 0, OPT_BOOL, FIELD(no_trunc), NULL, "print whole ids and commands" },
	{ "noheading", 0, OPT_BOOL, FIELD(no_heading), NULL, "print no headings" },
	{ "quiet", 'q', OPT_BOOL, FIELD(quiet), NULL, "print ids only" },
	{ "size", 's', OPT_BOOL, FIELD(size), NULL, "how much each uses on disk" },
	{ "sort", 0, OPT_STRING, FIELD(sort), "FIELD",
	  "order: command, created, id, image, names or status (default: newest first)" },
	{ 0 },
};

#define SIZE_COLUMN 7
#define ISOLATION_COLUMN 8 /* the last that may be shown */

static const struct listing_column columns[] = {
	{ "ID", "CONTAINER ID", true },
	{ "Image", "IMAGE", true },
	{ "Command", "COMMAND", true },
	{ "RunningFor", "CREATED", true },
	{ "Status", "STATUS", true },
	{ "Ports", "PORTS", true },
	{ "Names", "NAMES", true },
	{ "Size", "SIZE", false },
	{ "Isolation", "ISOLATION", false },
	{ "CreatedAt", "CREATED AT", false },
	{ "Labels", "LABELS", false },
	{ "LocalVolumes", "LOCAL VOLUMES", false },
	{ "Mounts", "MOUNTS", false },
	{ "Networks", "NETWORKS", false },
	{ "State", "STATE", false },
	{ "ExitCode", "EXIT CODE", false },
	{ "Error", "ERROR", false },
};

/* struct ps - what a row is made from */
struct ps {
	const struct ps_opts *o;
	const struct eng_instance *i;
	struct instance_match match;
	bool sizes;
};

/* "12kB (virtual 3MB)": what it has written, and that with its image */
static void add_size(struct ps *p, struct str *s)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(str_fini) struct str text = { 0 };
	struct engine *e = p->match.e;
	char own[32], all[32];
	struct img_image image;
	int64_t bytes = (int64_t) eng_disk_writable(e, p->i->id), below = 0;

	if (img_store_find(e->images, p->i->image_id, &arena, &image, NULL) == 0)
		below = image.size;
	cli_size(bytes, own);
	cli_size(bytes + below, all);
	str_printf(&text, "%s (virtual %s)", own, all);
	json_text(s, "Size", text.failed ? "" : text.p);
}

static const char *sort_key(const struct eng_instance *i, const char *field)
{
	switch (field[0]) {
	case 'n':
		return i->name;
	case 'i':
		return strcmp(field, "id") == 0 ? i->id : i->image;
	case 's':
		return instance_state(i);
	default:
		return i->command;
	}
}

static int compare(const void *a, const void *b, void *field)
{
	const struct eng_instance *x = a, *y = b;

	return strcmp(sort_key(x, field), sort_key(y, field));
}

static int sort_list(struct eng_instance *list, int n, const char *field, struct err *err)
{
	static const char *const fields[] = { "command", "id", "image", "names", "status" };

	if (field == NULL)
		return 0;
	for (int i = 0; strcmp(field, "created") == 0 && i < n / 2; i++) { /* they come newest first */
		struct eng_instance swap = list[i];

		list[i] = list[n - 1 - i];
		list[n - 1 - i] = swap;
	}
	if (strcmp(field, "created") == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (strcmp(fields[i], field) == 0) {
			qsort_r(list, (size_t) n, sizeof(*list), compare, (void *) field);
			return 0;
		}
	return err_msg(err, -EINVAL,
		       "--sort '%.32s': command, created, id, image, names and status are known", field);
}

static void join(struct str *s, const char *key, const struct img_words *list)
{
	_cleanup_(str_fini) struct str text = { 0 };

	for (size_t i = 0; i < list->n; i++)
		str_printf(&text, "%s%s", i > 0 ? "," : "", list->v[i]);
	json_text(s, key, text.p != NULL ? text.p : "");
}

static void add_mounts(struct str *s, const struct eng_config *c)
{
	_cleanup_(str_fini) struct str text = { 0 };
	int64_t volumes = 0;

	for (size_t i = 0; i < c->nr_mounts; i++) {
		if (c->mounts[i].kind == ENG_MOUNT_TMPFS)
			continue;
		volumes += c->mounts[i].kind == ENG_MOUNT_VOLUME;
		str_printf(&text, "%s%s", text.len > 0 ? "," : "", c->mounts[i].source);
	}
	json_text(s, "Mounts", text.p != NULL ? text.p : "");
	_cleanup_(str_fini) struct str number = { 0 };
	str_printf(&number, "%lld", (long long) volumes);
	json_text(s, "LocalVolumes", number.p);
}

/* What only templates and JSON show, which costs reading a file. */
static void add_details(struct ps *p, struct str *s)
{
	const struct eng_config *c = instance_match_config(&p->match);

	join(s, "Labels", &c->labels);
	if (strstr(p->o->format, ".Label ") != NULL)
		json_pairs(s, "Label", c->labels.v, c->labels.n); /* {{.Label "name"}} */
	add_mounts(s, c);
	_cleanup_(str_fini) struct str networks = { 0 };
	str_puts(&networks, c->network != NULL ? c->network : "none");
	for (size_t i = 0; i < c->networks.n; i++)
		str_printf(&networks, ",%.*s", (int) strcspn(c->networks.v[i], ","), c->networks.v[i]);
	json_text(s, "Networks", networks.failed ? "" : networks.p);
}

/* Those that nobody published */
static void add_exposed(const struct eng_config *c, const struct eng_port *list, int n, struct str *text)
{
	for (size_t i = 0; i < c->expose.n; i++) {
		bool published = false;

		for (int k = 0; k < n && !published; k++)
			published = list[k].inside == strtol(c->expose.v[i], NULL, 10) &&
				    strcmp(c->expose.v[i] + strcspn(c->expose.v[i], "/"), list[k].protocol == IPPROTO_TCP ? "/tcp" : list[k].protocol == IPPROTO_UDP ? "/udp" : "/sctp") == 0;
		if (!published)
			str_printf(text, "%s%s", text->len > 0 ? ", " : "", c->expose.v[i]);
	}
}

/* "0.0.0.0:8000-8001->80-81/tcp, 443/tcp" */
static void add_ports(struct ps *p, struct str *s)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(str_fini) struct str text = { 0 };
	struct eng_port *list = NULL;
	int n = p->i->state == ENG_STATE_RUNNING ? eng_ports(p->match.e, p->i->id, &arena, &list, NULL) : 0;

	for (int i = 0, k; i < n; i = k) {
		bool v6 = strchr(list[i].address, ':') != NULL;

		for (k = i + 1; k < n && list[k].protocol == list[i].protocol && strcmp(list[k].address, list[i].address) == 0 &&
				list[k].inside == list[k - 1].inside + 1 && list[k].port == list[k - 1].port + 1;)
			k++;
		str_printf(&text, "%s%s%s%s:%d", i > 0 ? ", " : "", v6 ? "[" : "", list[i].address, v6 ? "]" : "", list[i].port);
		if (k > i + 1)
			str_printf(&text, "-%d->%d-%d", list[k - 1].port, list[i].inside, list[k - 1].inside);
		else
			str_printf(&text, "->%d", list[i].inside);
		str_printf(&text, "/%s", net_protocol_name(list[i].protocol));
	}
	if (p->i->state == ENG_STATE_RUNNING)
		add_exposed(instance_match_config(&p->match), list, n, &text);
	json_text(s, "Ports", text.p != NULL ? text.p : "");
}

static void row_json(struct ps *p, struct str *s)
{
	const struct eng_instance *i = p->i;
	_cleanup_(str_fini) struct str command = { 0 };
	char created[TIME_TEXT_MAX], age[TIME_TEXT_MAX], ago[TIME_TEXT_MAX + 8];
	char status[INSTANCE_STATUS_MAX], id[ENG_ID_LEN + 1];

	(void) snprintf(id, sizeof(id), "%.*s", p->o->no_trunc ? ENG_ID_LEN : 12, i->id);
	time_local(i->created, created);
	time_span(time_now_ns() - i->created, age);
	(void) snprintf(ago, sizeof(ago), "%s ago", age);
	instance_status(i, status);
	instance_command(i, p->o->no_trunc, &command);
	json_open(s, NULL, '{');
	json_text(s, "ID", id);
	json_text(s, "Names", i->name);
	json_text(s, "Image", i->image);
	json_text(s, "Command", command.p);
	json_text(s, "CreatedAt", created);
	json_text(s, "RunningFor", ago);
	add_ports(p, s);
	json_text(s, "State", instance_state(i));
	json_text(s, "Status", status);
	json_text(s, "Isolation", i->isolation);
	json_int(s, "ExitCode", i->state == ENG_STATE_RUNNING ? 0 : i->exit_code);
	json_text(s, "Error", i->error);
	if (p->sizes)
		add_size(p, s);
	else
		json_text(s, "Size", "0B"); /* as Docker: nobody asked for it */
	if (p->o->format != NULL && strcmp(p->o->format, "table") != 0)
		add_details(p, s);
	json_close(s, '}');
}

static bool asks_for_state(const struct opt_strings *filters)
{
	for (size_t i = 0; i < filters->n; i++)
		if (str_starts(filters->v[i], "status=") || str_starts(filters->v[i], "exited="))
			return true;
	return false;
}

static int print_one(struct ps *p, struct listing *l, struct err *err)
{
	_cleanup_(str_fini) struct str json = { 0 };

	if (p->o->quiet) {
		printf("%.*s\n", p->o->no_trunc ? ENG_ID_LEN : 12, p->i->id);
		return 0;
	}
	row_json(p, &json);
	return json.failed ? err_set(err, -ENOMEM, "print") : listing_row(l, json.p, err);
}

static int print_all(struct ps *p, const struct eng_instance *list, int n, struct listing *l,
		     struct err *err)
{
	int64_t left = p->o->latest ? 1 : p->o->last > 0 ? p->o->last : -1;
	bool all = p->o->all || left > 0 || asks_for_state(&p->o->filter);
	int r = 0;

	for (int k = 0; r >= 0 && k < n && left != 0; k++) {
		p->i = &list[k];
		if (!all && p->i->state != ENG_STATE_RUNNING &&
		    p->i->state != ENG_STATE_RESTARTING)
			continue;
		r = instance_match(&p->match, p->i, &p->o->filter, err);
		if (r == 1) {
			r = print_one(p, l, err);
			left -= left > 0;
		}
	}
	return r < 0 ? r : 0;
}

static int ps_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	struct listing_column shown[ARRAY_LEN(columns)];
	_cleanup_(listing_fini) struct listing l = { .columns = shown, .nr = ARRAY_LEN(columns) };
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct ps p = { .o = opts };
	struct eng_instance *list = NULL;
	int r, n;

	(void) argc;
	(void) argv;
	memcpy(shown, columns, sizeof(columns));
	shown[SIZE_COLUMN].shown = p.o->size;
	l.no_headings = p.o->no_heading;
	p.sizes = p.o->size || (p.o->format != NULL && strstr(p.o->format, ".Size") != NULL);
	r = cli_engine(cli, &e, err);
	if (r < 0)
		return r;
	p.match.e = e;
	n = eng_instance_list(e, &arena, &list, err);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) /* where all are containers it tells nothing */
		shown[ISOLATION_COLUMN].shown = shown[ISOLATION_COLUMN].shown || strcmp(list[i].isolation, "container") != 0;
	r = listing_begin(&l, p.o->format, err);
	if (r == 0)
		r = instance_match_limits(&p.match, &p.o->filter, &arena, err);
	if (r == 0)
		r = sort_list(list, n, p.o->sort, err);
	if (r == 0)
		r = print_all(&p, list, n, &l, err);
	instance_match_fini(&p.match);
	if (r == 0 && !p.o->quiet)
		listing_end(&l);
	return r;
}

CLI_VERB(ps_verb) = {
	.name = "ps",
	.args = "",
	.summary = "List instances",
	.opts = ps_table,
	.opts_size = sizeof(struct ps_opts),
	.run = ps_run,
};

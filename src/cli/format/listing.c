/* SPDX-License-Identifier: MIT */
#include "cli/format/listing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/format/template.h"
#include "cli/format/template_parts.h"

/* "\t" and "\n" as people type them; what is between quotes inside an action is the template's own. */
static void unescape(char *text)
{
	char *to = text;
	bool action = false;

	for (const char *p = text; *p != '\0'; p++) {
		if (p[0] == '{' && p[1] == '{')
			action = true;
		else if (p[0] == '}' && p[1] == '}')
			action = false;
		if (!action && p[0] == '\\' && (p[1] == 't' || p[1] == 'n'))
			*to++ = *++p == 't' ? '\t' : '\n';
		else
			*to++ = *p;
	}
	*to = '\0';
}

/* A line of the template's output is a row; its cells are separated by tabs. */
static void add_cells(struct listing *l, char *line)
{
	size_t columns = 1;

	for (const char *p = line; *p != '\0'; p++)
		columns += *p == '\t';
	if (l->cells.columns == 0)
		l->cells.columns = columns;
	for (size_t i = 0; i < l->cells.columns; i++) {
		char *tab = line != NULL ? strchr(line, '\t') : NULL;

		if (tab != NULL && i + 1 < l->cells.columns)
			*tab = '\0';
		else
			tab = NULL;
		cli_table_add(&l->cells, line != NULL ? line : "");
		line = tab != NULL ? tab + 1 : NULL;
	}
}

static int run_template(struct listing *l, const struct json *row, struct err *err)
{
	_cleanup_(str_fini) struct str out = { 0 };
	int r = template_run(l->template, row, &out, err);

	if (r < 0)
		return r;
	if (!l->table)
		puts(out.p != NULL ? out.p : "");
	else
		add_cells(l, out.p != NULL ? out.p : (char[]) { "" });
	return 0;
}

/* The template's own headings: it is run on an object that has them as values. */
static int add_headings(struct listing *l, struct err *err)
{
	_cleanup_(str_fini) struct str json = { 0 };
	_cleanup_(arena_fini) struct arena strings = { 0 };
	struct json_in in;
	int r;

	str_puts(&json, "{");
	for (size_t i = 0; i < l->nr; i++) {
		str_puts(&json, i > 0 ? "," : "");
		str_json(&json, l->columns[i].field);
		str_puts(&json, ":");
		str_json(&json, l->columns[i].heading);
	}
	str_puts(&json, "}");
	if (json.failed)
		return err_set(err, -ENOMEM, "print the headings");
	r = json_parse(&in, "headings", &strings, json.p, json.len, err);
	if (r == 0)
		r = run_template(l, in.root, err);
	json_fini(&in);
	return r;
}

int listing_begin(struct listing *l, const char *format, struct err *err)
{
	bool table = format == NULL || strcmp(format, "table") == 0;
	int r;

	l->json = !table && strcmp(format, "json") == 0;
	l->table = table || str_starts(format, "table ");
	for (size_t i = 0; table && i < l->nr; i++)
		if (l->columns[i].shown) {
			l->cells.columns++;
			if (!l->no_headings)
				cli_table_add(&l->cells, l->columns[i].heading);
		}
	if (table || l->json)
		return 0;
	l->text = strdup(l->table ? format + strlen("table ") : format);
	if (l->text == NULL)
		return err_set(err, -ENOMEM, "read --format");
	unescape(l->text);
	r = template_parse(l->text, &l->template, err);
	if (r == 0 && l->table && !l->no_headings) {
		l->template->headings = true;
		r = add_headings(l, err);
		l->template->headings = false;
	}
	if (r == 0)
		l->template->strict = l->nr > 0 ? TPL_STRICT_ROW : TPL_STRICT_DATA;
	return r;
}

static const struct json *member(const struct json *row, const char *key)
{
	for (const struct json *m = row->first; m != NULL; m = m->next)
		if (strcmp(m->key, key) == 0)
			return m;
	return NULL;
}

static void add_row(struct listing *l, const struct json *row)
{
	for (size_t i = 0; i < l->nr; i++) {
		_cleanup_(str_fini) struct str cell = { 0 };
		struct tpl_value v;

		if (!l->columns[i].shown)
			continue;
		v = tpl_value_of(member(row, l->columns[i].field));
		if (v.kind != TPL_NIL)
			tpl_print(&v, &cell);
		cli_table_add(&l->cells, cell.p != NULL ? cell.p : "");
	}
}

int listing_row(struct listing *l, const char *json, struct err *err)
{
	_cleanup_(arena_fini) struct arena strings = { 0 };
	struct json_in in;
	int r;

	if (l->json) {
		puts(json);
		return 0;
	}
	r = json_parse(&in, "row", &strings, json, strlen(json), err);
	if (r == 0 && l->template != NULL)
		r = run_template(l, in.root, err);
	else if (r == 0)
		add_row(l, in.root);
	json_fini(&in);
	return r;
}

void listing_end(struct listing *l)
{
	if (l->table)
		cli_table_print(&l->cells);
}

void listing_fini(struct listing *l)
{
	template_free(l->template);
	free(l->text);
	cli_table_fini(&l->cells);
}

int listing_template(const char *format, const char *json, size_t len, struct err *err)
{
	_cleanup_(listing_fini) struct listing l = { 0 };
	_cleanup_(arena_fini) struct arena strings = { 0 };
	struct json_in in;
	int r;

	if (strcmp(format, "json") == 0)
		format = "{{json .}}";
	r = listing_begin(&l, format, err);
	if (r < 0)
		return r;
	r = json_parse(&in, "value", &strings, json, len, err);
	if (r == 0)
		r = run_template(&l, in.root, err);
	json_fini(&in);
	return r;
}

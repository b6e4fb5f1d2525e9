/* SPDX-License-Identifier: MIT */
/**
 * DOC: commands that tell what commands and events there are
 *
 * Clients look for names of commands, arguments and events; of what type a value is, is not told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "vmm/control/qmp.h"

#define ANY "any" /* type of all values */
#define NOTHING "nothing" /* type of objects without members */
#define MEMBERS_OF "arg-" /* what a command or an event has: its name follows */

/* Events, and what they tell. */
static const struct event {
	const char *name, *members;
} events[] = {
	{ "BALLOON_CHANGE", "actual" },
	{ "DEVICE_DELETED", "*device path" },
	{ "GUEST_PANICKED", "action" },
	{ "POWERDOWN", "" },
	{ "RESET", "guest reason" },
	{ "RESUME", "" },
	{ "SHUTDOWN", "guest reason" },
	{ "STOP", "" },
};

static int compare(const void *a, const void *b)
{
	return strcmp((*(const struct qmp_command *const *) a)->name, (*(const struct qmp_command *const *) b)->name);
}

/* All commands, in alphabetical order; to be freed */
static const struct qmp_command **sorted(size_t *n)
{
	const struct qmp_command **all;

	*n = (size_t) (__stop_qmp_commands - __start_qmp_commands);
	all = calloc(*n, sizeof(*all));
	if (all == NULL)
		return NULL;
	memcpy(all, __start_qmp_commands, *n * sizeof(*all));
	qsort(all, *n, sizeof(*all), compare);
	return all;
}

static int query_commands(const struct qmp_call *c)
{
	size_t n;
	_cleanup_free_ const struct qmp_command **all = sorted(&n);

	if (all == NULL)
		return err_set(c->err, -ENOMEM, "list commands");
	json_open(c->ret, NULL, '[');
	for (size_t i = 0; i < n; i++) {
		json_open(c->ret, NULL, '{');
		json_text(c->ret, "name", all[i]->name);
		json_close(c->ret, '}');
	}
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(commands, "query-commands", "", query_commands);

static void begin(struct str *ret, const char *kind, const char *name)
{
	json_open(ret, NULL, '{');
	json_text(ret, "name", name);
	json_text(ret, "meta-type", kind);
}

/* A member that may be missing has a default, which is not told. */
static void add_member(struct str *ret, const char *word, size_t n)
{
	_cleanup_free_ char *name = NULL;
	bool optional = *word == '*';

	name = strndup(word + optional, n - optional);
	json_open(ret, NULL, '{');
	json_text(ret, "name", name);
	json_text(ret, "type", ANY);
	if (optional)
		json_text(ret, "default", NULL);
	json_close(ret, '}');
}

/* The type of what a command or an event has, if that is something. */
static void add_members(struct str *ret, const char *type, const char *words)
{
	if (*words == '\0')
		return;
	begin(ret, "object", type);
	json_open(ret, "members", '[');
	for (size_t n; *words != '\0'; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		add_member(ret, words, n);
	}
	json_close(ret, ']');
	json_close(ret, '}');
}

static void add_entry(struct str *ret, const char *kind, const char *name, const char *words, const char *returns)
{
	_cleanup_(str_fini) struct str type = { 0 };

	str_printf(&type, "%s%s", *words != '\0' ? MEMBERS_OF : NOTHING, *words != '\0' ? name : "");
	begin(ret, kind, name);
	json_text(ret, "arg-type", type.p);
	if (returns != NULL)
		json_text(ret, "ret-type", returns);
	json_close(ret, '}');
	add_members(ret, type.p, words);
}

static int query_schema(const struct qmp_call *c)
{
	size_t n;
	_cleanup_free_ const struct qmp_command **all = sorted(&n);

	if (all == NULL)
		return err_set(c->err, -ENOMEM, "list commands");
	json_open(c->ret, NULL, '[');
	begin(c->ret, "builtin", ANY);
	json_text(c->ret, "json-type", "value");
	json_close(c->ret, '}');
	begin(c->ret, "object", NOTHING);
	json_open(c->ret, "members", '[');
	json_close(c->ret, ']');
	json_close(c->ret, '}');
	for (size_t i = 0; i < n; i++)
		add_entry(c->ret, "command", all[i]->name, all[i]->args, ANY);
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		add_entry(c->ret, "event", events[i].name, events[i].members, NULL);
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(schema, "query-qmp-schema", "", query_schema);

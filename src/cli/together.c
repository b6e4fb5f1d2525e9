/* SPDX-License-Identifier: MIT */
#include "cli/together.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/opt.h"
#include "cli/cli.h"
#include "cli/each.h"
#include "cli/failures.h"
#include "cli/instance_match.h"
#include "engine/engine.h"
#include "engine/instance.h"

struct member {
	const char *name; /* as typed, or the id of one that matches */
	struct eng_instance i;
	int64_t note;
	bool begun, again; /* "again": an earlier member is the same instance */
};

struct group {
	struct engine *e;
	struct arena arena;
	struct member *members;
	size_t n;
	struct failures failures;
};

static bool is_known(const struct group *g, const char *id)
{
	for (size_t n = 0; n < g->n; n++)
		if (strcmp(g->members[n].i.id, id) == 0)
			return true;
	return false;
}

static int find_named(struct group *g, int argc, char **names, bool ignore)
{
	g->members = arena_alloc(&g->arena, (size_t) argc, sizeof(*g->members));
	if (g->members == NULL)
		return err_set(g->failures.err, -ENOMEM, "find the instances");
	for (int n = 0; n < argc; n++) {
		struct member *m = &g->members[g->n];
		struct err why = { 0 };
		int r = eng_instance_find(g->e, names[n], &g->arena, &m->i, &why);

		if (r == -ENOENT && ignore)
			continue;
		if (r < 0) {
			failures_note(&g->failures, r, &why);
			continue;
		}
		m->name = names[n];
		m->again = is_known(g, m->i.id);
		g->n++;
	}
	return 0;
}

static int find_matching(struct group *g, const struct opt_strings *filters)
{
	_cleanup_(instance_match_fini) struct instance_match m = { .e = g->e };
	struct eng_instance *list = NULL;
	int n = eng_instance_list(g->e, &g->arena, &list, g->failures.err);
	int r = n < 0 ? n : instance_match_limits(&m, filters, &g->arena, g->failures.err);

	if (r < 0)
		return r;
	g->members = arena_alloc(&g->arena, (size_t) n + 1, sizeof(*g->members));
	if (g->members == NULL)
		return err_set(g->failures.err, -ENOMEM, "find the instances");
	while (n-- > 0) {
		r = instance_match(&m, &list[n], filters, g->failures.err);
		if (r < 0)
			return r;
		if (r == 1)
			g->members[g->n++] =
				(struct member) { .name = list[n].id, .i = list[n] };
	}
	return 0;
}

static void begin_all(struct group *g, const struct cli_together *what)
{
	for (size_t n = 0; n < g->n; n++) {
		struct member *m = &g->members[n];
		struct err why = { 0 };
		int r = m->again ? 0 : what->begin(g->e, &m->i, what->data, &m->note, &why);

		m->begun = r == 0;
		if (r < 0)
			failures_note(&g->failures, r, &why);
	}
}

static void wait_for_all(struct group *g, const struct cli_together *what)
{
	for (size_t n = 0; n < g->n; n++) {
		struct member *m = &g->members[n];

		if (m->begun && !m->again)
			what->wait(g->e, &m->i, what->data, m->note);
	}
}

static void end_all(struct group *g, const struct cli_together *what)
{
	for (size_t n = 0; n < g->n; n++) {
		struct member *m = &g->members[n];
		struct err why = { 0 };
		int r;

		if (!m->begun)
			continue;
		r = m->again ? 0 : what->end(g->e, &m->i, what->data, m->note, &why);
		if (r < 0)
			failures_note(&g->failures, r, &why);
		else
			puts(m->name);
	}
}

int cli_together(struct cli *cli, const struct cli_select *select, int argc, char **names,
		 const struct cli_together *what, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	struct group g = { .failures.err = err };
	int r = cli_select_check(select, argc, err);

	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r < 0)
		return r;
	g.e = e;
	r = cli_select_names(e, select, &g.arena, &argc, &names, err);
	if (r != 0) {
		arena_fini(&g.arena);
		return r < 0 ? r : 0;
	}
	r = argc > 0 ? find_named(&g, argc, names, select->ignore) : find_matching(&g, &select->filter);
	if (r == 0) {
		begin_all(&g, what);
		wait_for_all(&g, what);
		end_all(&g, what);
	}
	arena_fini(&g.arena);
	return r < 0 ? r : g.failures.result;
}

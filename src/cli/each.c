/* SPDX-License-Identifier: MIT */
#include "cli/each.h"

#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/failures.h"
#include "cli/instance_match.h"
#include "engine/engine.h"
#include "engine/instance.h"

struct each {
	int (*act)(struct engine *e, const struct eng_instance *i, void *data, struct err *err);
	void *data;
	struct failures failures;
};

static void act_on(struct each *each, struct engine *e, const struct eng_instance *i, const char *name)
{
	struct err why = { 0 };
	int r = each->act(e, i, each->data, &why);

	if (r == 0)
		puts(name);
	if (r < 0)
		failures_note(&each->failures, r, &why);
}

static void each_named(struct each *each, struct engine *e, int argc, char **names, bool ignore)
{
	for (int n = 0; n < argc; n++) {
		_cleanup_(arena_fini) struct arena arena = { 0 };
		struct err why = { 0 };
		struct eng_instance i;
		int r = eng_instance_find(e, names[n], &arena, &i, &why);

		if (r == 0)
			act_on(each, e, &i, names[n]);
		else if (r != -ENOENT || !ignore)
			failures_note(&each->failures, r, &why);
	}
}

static int each_match(struct each *each, struct engine *e, const struct opt_strings *filter)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(instance_match_fini) struct instance_match m = { .e = e };
	struct eng_instance *list = NULL;
	int n = eng_instance_list(e, &arena, &list, each->failures.err);
	int r = n < 0 ? n : instance_match_limits(&m, filter, &arena, each->failures.err);

	while (r >= 0 && n-- > 0) {
		struct err why = { 0 };

		r = instance_match(&m, &list[n], filter, &why);
		if (r < 0)
			*each->failures.err = why;
		if (r == 1)
			act_on(each, e, &list[n], list[n].id);
	}
	return r < 0 ? r : 0;
}

int cli_each(struct cli *cli, const struct cli_select *select, int argc, char **names,
	     int (*act)(struct engine *e, const struct eng_instance *i, void *data, struct err *err),
	     void *data, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct each each = { .act = act, .data = data, .failures.err = err };
	int r = select != NULL ? cli_select_check(select, argc, err) : 0;

	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0 && select != NULL)
		r = cli_select_names(e, select, &arena, &argc, &names, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (argc > 0)
		each_named(&each, e, argc, names, select != NULL && select->ignore);
	else
		r = each_match(&each, e, &select->filter);
	return r < 0 ? r : each.failures.result;
}

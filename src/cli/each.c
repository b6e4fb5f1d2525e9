/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/opt.h"
#include "cli/cli.h"
#include "cli/each.h"
#include "cli/instance_match.h"
#include "engine/engine.h"
#include "engine/instance.h"

int cli_each(struct cli *cli, int argc, char **names,
	     int (*act)(struct engine *e, const struct eng_instance *i, void *data, struct err *err),
	     void *data, bool missing_ok, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	int r = cli_engine(cli, &e, err), result = 0;

	if (r < 0)
		return r;
	for (int n = 0; n < argc; n++) {
		_cleanup_(arena_fini) struct arena arena = { 0 };
		struct err why = { 0 };
		struct eng_instance i;

		r = eng_instance_find(e, names[n], &arena, &i, &why);
		if (r == -ENOENT && missing_ok)
			continue;
		if (r == 0)
			r = act(e, &i, data, &why);
		if (r == 0)
			puts(names[n]);
		if (r >= 0)
			continue;
		if (result < 0)
			fprintf(stderr, "cleave: %s\n", err->text);
		*err = why;
		result = r;
	}
	return result;
}

int cli_each_match(struct cli *cli, const struct opt_strings *filters,
		   int (*act)(struct engine *e, const struct eng_instance *i, void *data,
			      struct err *err),
		   void *data, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(instance_match_fini) struct instance_match m = { 0 };
	struct eng_instance *list = NULL;
	int r = cli_engine(cli, &e, err), n, result = 0;

	if (r < 0)
		return r;
	m.e = e;
	n = eng_instance_list(e, &arena, &list, err);
	r = n < 0 ? n : instance_match_limits(&m, filters, &arena, err);
	while (r >= 0 && n-- > 0) {
		struct err why = { 0 };
		int done;

		r = instance_match(&m, &list[n], filters, err);
		if (r != 1)
			continue;
		done = act(e, &list[n], data, &why);
		if (done == 0)
			puts(list[n].name);
		if (done >= 0)
			continue;
		if (result < 0)
			fprintf(stderr, "cleave: %s\n", err->text);
		*err = why;
		result = done;
	}
	return r < 0 ? r : result;
}

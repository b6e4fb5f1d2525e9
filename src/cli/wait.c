/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/each.h"
#include "cli/instance_match.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/stop.h"

#define INTERVAL_NS 50000000ull
#define NO_CODE (-1) /* as Podman */

struct wait_opts {
	struct cli_select select;
	struct opt_strings condition;
	const char *interval;
};

static const struct opt wait_table[] = {
	{ "condition", 0, OPT_STRINGS, offsetof(struct wait_opts, condition), "STATE",
	  "until one of: created, running, paused, exited, healthy, unhealthy, removed" },
	{ "ignore", 0, OPT_BOOL, offsetof(struct wait_opts, select.ignore), NULL,
	  "print -1 for one that does not exist" },
	{ "interval", 'i', OPT_STRING, offsetof(struct wait_opts, interval), "TIME",
	  "between looks, with --condition (default: 50ms)" },
	CLI_SELECT_LATEST(struct wait_opts, select),
	{ 0 },
};

struct waiting {
	const struct opt_strings *conditions;
	int interval_ms;
};

static int check_conditions(const struct opt_strings *list, struct err *err)
{
	static const char *const known[] = { "created", "running",   "paused",	"exited",
					     "stopped", "healthy", "unhealthy", "removed" };

	for (size_t n = 0; n < list->n; n++) {
		size_t i = 0;

		while (i < ARRAY_LEN(known) && strcmp(known[i], list->v[n]) != 0)
			i++;
		if (i == ARRAY_LEN(known))
			return err_msg(err, -EINVAL, "--condition '%.32s': no such state",
				       list->v[n]);
	}
	return 0;
}

static bool is_met(const struct waiting *w, const struct eng_instance *i)
{
	for (size_t n = 0; n < w->conditions->n; n++) {
		const char *want = w->conditions->v[n];

		want = strcmp(want, "stopped") == 0 ? "exited" : want;
		if (strcmp(want, i == NULL ? "removed" : instance_state(i)) == 0 ||
		    (i != NULL && strcmp(want, i->health) == 0))
			return true;
	}
	return false;
}

/* Return: 0; *ret_code is that of one that has ended. */
static int wait_condition(struct engine *e, const struct eng_instance *i, const struct waiting *w,
			  int *ret_code, struct err *err)
{
	for (;;) {
		_cleanup_(arena_fini) struct arena arena = { 0 };
		struct eng_instance now;
		int r = eng_instance_find(e, i->id, &arena, &now, err);
		bool gone = r == -ENOENT;

		if (r < 0 && !gone)
			return r;
		*ret_code = !gone && now.state == ENG_STATE_EXITED ? now.exit_code : NO_CODE;
		if (gone || is_met(w, &now))
			return 0;
		(void) poll(NULL, 0, w->interval_ms);
	}
}

static int wait_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	const struct waiting *w = data;
	int code, r = w->conditions->n > 0 ? wait_condition(e, i, w, &code, err)
					   : eng_wait(e, i, &code, err);

	if (r < 0)
		return r;
	printf("%d\n", code);
	(void) fflush(stdout); /* the next may take long */
	return 1;
}

static int add_latest(struct cli *cli, const struct cli_select *select, struct arena *arena, int *argc,
		      char ***names, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	int r = cli_engine(cli, &e, err);

	return r < 0 ? r : cli_select_names(e, select, arena, argc, names, err);
}

static int wait_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct wait_opts *o = opts;
	struct waiting w = { .conditions = &o->condition };
	uint64_t ns = INTERVAL_NS;
	int r = check_conditions(&o->condition, err);

	if (r == 0 && o->interval != NULL &&
	    (eng_duration_parse(o->interval, &ns) < 0 || ns / 1000000 > INT32_MAX))
		r = err_msg(err, -EINVAL, "--interval '%.32s': expected a time such as 250ms",
			    o->interval);
	if (r == 0)
		r = cli_select_check(&o->select, argc, err);
	if (r == 0)
		r = add_latest(cli, &o->select, &arena, &argc, &argv, err);
	if (r < 0)
		return r;
	w.interval_ms = (int) (ns / 1000000);
	for (int n = 0; n < argc; n++) {
		struct err why = { 0 };
		int one = cli_each(cli, NULL, 1, argv + n, wait_one, &w, &why);

		if (one == -ENOENT && o->select.ignore)
			printf("%d\n", NO_CODE);
		else if (one < 0) {
			if (r < 0)
				fprintf(stderr, "cleave: %s\n", err->text);
			*err = why;
			r = one;
		}
	}
	return r;
}

CLI_VERB(wait_verb) = {
	.name = "wait",
	.args = "[INSTANCE...]",
	.summary = "Wait until instances end, print their exit status",
	.max_args = -1,
	.opts = wait_table,
	.opts_size = sizeof(struct wait_opts),
	.interspersed = true,
	.run = wait_run,
};

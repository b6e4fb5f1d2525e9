/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/choice.h"
#include "cli/cli.h"
#include "cli/each.h"
#include "cli/stop_request.h"
#include "engine/instance.h"
#include "engine/stop.h"

struct rm_opts {
	struct cli_choice choice;
	bool force, volumes;
	const char *time;
};

static const struct opt rm_table[] = {
	CLI_CHOICE_ALL("all instances"),
	CLI_CHOICE_CIDFILE,
	CLI_CHOICE_FILTER_LONG,
	{ "force", 'f', OPT_BOOL, offsetof(struct rm_opts, force), NULL,
	  "kill an instance that runs; one that does not exist is no failure" },
	CLI_CHOICE_IGNORE,
	CLI_CHOICE_LATEST,
	{ "time", 't', OPT_STRING, offsetof(struct rm_opts, time), "SECONDS",
	  "with --force: until it is killed (default: 0)" },
	{ "volumes", 'v', OPT_BOOL, offsetof(struct rm_opts, volumes), NULL,
	  "also remove its volumes that nobody named" },
	{ 0 },
};

static int remove_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	const struct rm_opts *o = data;
	struct stop_request s = { .timeout = 0 };
	int64_t deadline;
	int r = 0;

	if (o->force && o->time != NULL && i->state == ENG_STATE_RUNNING) {
		r = stop_request(NULL, o->time, &s, err);
		if (r == 0)
			r = eng_stop_begin(e, i, s.signal, s.timeout, &deadline, err);
		if (r == 0)
			eng_stop_kill(e, i, deadline);
	}
	return r < 0 ? r : eng_instance_remove(e, i, o->force, o->volumes, err);
}

static int rm_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct rm_opts *o = opts;
	int r;

	if (o->time != NULL && !o->force)
		return err_msg(err, -EINVAL, "--time needs --force");
	r = cli_choose(cli, &o->choice, &arena, &argc, &argv, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return argc > 0 ? cli_each(cli, argc, argv, remove_one, opts, o->force || o->choice.ignore,
				   err)
			: cli_each_match(cli, &o->choice.filter, remove_one, opts, err);
}

CLI_VERB(rm_verb) = {
	.name = "rm",
	.args = "[INSTANCE...]",
	.summary = "Remove instances",
	.max_args = -1,
	.opts = rm_table,
	.opts_size = sizeof(struct rm_opts),
	.interspersed = true,
	.run = rm_run,
};

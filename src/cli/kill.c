/* SPDX-License-Identifier: MIT */
#include <signal.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "cli/choice.h"
#include "cli/cli.h"
#include "cli/each.h"
#include "cli/stop_request.h"
#include "engine/instance.h"
#include "engine/stop.h"

struct kill_opts {
	struct cli_choice choice;
	const char *signal;
};

static const struct opt kill_table[] = {
	CLI_CHOICE_ALL("all instances that run"),
	CLI_CHOICE_CIDFILE,
	CLI_CHOICE_LATEST,
	{ "signal", 's', OPT_STRING, offsetof(struct kill_opts, signal), "SIGNAL",
	  "signal to send (default: KILL)" },
	{ 0 },
};

static int kill_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	const int *number = data;

	return eng_kill(e, i, *number, err);
}

static int kill_running(struct engine *e, const struct eng_instance *i, void *data,
			struct err *err)
{
	return i->state != ENG_STATE_RUNNING ? 1 : kill_one(e, i, data, err);
}

static int kill_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct kill_opts *o = opts;
	int r, number = o->signal != NULL ? signal_request(o->signal, err) : SIGKILL;

	if (number < 0)
		return number;
	r = cli_choose(cli, &o->choice, &arena, &argc, &argv, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return argc > 0 ? cli_each(cli, argc, argv, kill_one, &number, false, err)
			: cli_each_match(cli, &o->choice.filter, kill_running, &number, err);
}

CLI_VERB(kill_verb) = {
	.name = "kill",
	.args = "[INSTANCE...]",
	.summary = "Send a signal to instances",
	.max_args = -1,
	.opts = kill_table,
	.opts_size = sizeof(struct kill_opts),
	.interspersed = true,
	.run = kill_run,
};

/* SPDX-License-Identifier: MIT */
#include <signal.h>

#include "cli/cli.h"
#include "cli/each.h"
#include "cli/stop_request.h"
#include "engine/instance.h"
#include "engine/stop.h"

struct kill_opts {
	struct cli_select select;
	const char *signal;
};

static const struct opt kill_table[] = {
	CLI_SELECT_ALL(struct kill_opts, select, 'a', "all instances that run"),
	CLI_SELECT_CIDFILE(struct kill_opts, select),
	CLI_SELECT_FILTER(struct kill_opts, select, 'f'),
	CLI_SELECT_LATEST(struct kill_opts, select),
	{ "signal", 's', OPT_STRING, offsetof(struct kill_opts, signal), "SIGNAL",
	  "signal to send (default: KILL)" },
	{ 0 },
};

static int kill_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	const int *number = data;

	return eng_kill(e, i, *number, err);
}

static int kill_running(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	return i->state == ENG_STATE_RUNNING ? kill_one(e, i, data, err) : 1;
}

static int kill_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	const struct kill_opts *o = opts;
	int number = o->signal != NULL ? signal_request(o->signal, err) : SIGKILL;

	if (number < 0)
		return number;
	return cli_each(cli, &o->select, argc, argv, argc > 0 ? kill_one : kill_running, &number, err);
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

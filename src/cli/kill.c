/* SPDX-License-Identifier: MIT */
#include <signal.h>

#include "cli/cli.h"
#include "cli/each.h"
#include "cli/stop_request.h"
#include "engine/instance.h"
#include "engine/stop.h"

struct kill_opts {
	const char *signal;
};

static const struct opt kill_table[] = {
	{ "signal", 's', OPT_STRING, offsetof(struct kill_opts, signal), "SIGNAL",
	  "signal to send (default: KILL)" },
	{ 0 },
};

static int kill_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	const int *number = data;

	return eng_kill(e, i, *number, err);
}

static int kill_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	const struct kill_opts *o = opts;
	int number = o->signal != NULL ? signal_request(o->signal, err) : SIGKILL;

	return number < 0 ? number : cli_each(cli, argc, argv, kill_one, &number, false, err);
}

CLI_VERB(kill_verb) = {
	.name = "kill",
	.args = "INSTANCE...",
	.summary = "Send a signal to instances",
	.min_args = 1,
	.max_args = -1,
	.opts = kill_table,
	.opts_size = sizeof(struct kill_opts),
	.interspersed = true,
	.run = kill_run,
};

/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/each.h"
#include "cli/stop_request.h"
#include "engine/instance.h"
#include "engine/stop.h"

struct stop_opts {
	const char *signal, *time;
};

static const struct opt stop_table[] = {
	{ "signal", 's', OPT_STRING, offsetof(struct stop_opts, signal), "SIGNAL",
	  "signal to send (default: of the instance, SIGTERM)" },
	{ "time", 't', OPT_STRING, offsetof(struct stop_opts, time), "SECONDS",
	  "until it is killed, -1 for ever (default: of the instance, 10)" },
	{ 0 },
};

static int stop_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	const struct stop_request *s = data;
	int r = eng_stop(e, i, s->signal, s->timeout, err);

	return r < 0 ? r : 0;
}

static int stop_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	const struct stop_opts *o = opts;
	struct stop_request s;
	int r = stop_request(o->signal, o->time, &s, err);

	return r < 0 ? r : cli_each(cli, argc, argv, stop_one, &s, false, err);
}

CLI_VERB(stop_verb) = {
	.name = "stop",
	.args = "INSTANCE...",
	.summary = "Ask instances to end, then kill them",
	.min_args = 1,
	.max_args = -1,
	.opts = stop_table,
	.opts_size = sizeof(struct stop_opts),
	.interspersed = true,
	.run = stop_run,
};

/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/each.h"
#include "cli/stop_request.h"
#include "engine/instance.h"
#include "engine/stop.h"

struct stop_opts {
	bool all, until_boot;
	struct opt_strings filter;
	const char *signal, *time;
};

static const struct opt stop_table[] = {
	{ "all", 'a', OPT_BOOL, offsetof(struct stop_opts, all), NULL, "all instances that run" },
	{ "filter", 'f', OPT_STRINGS, offsetof(struct stop_opts, filter), "NAME=VALUE",
	  "those that match, as of ps; e.g. restart-policy=always" },
	{ "signal", 's', OPT_STRING, offsetof(struct stop_opts, signal), "SIGNAL",
	  "signal to send (default: of the instance, SIGTERM)" },
	{ "time", 't', OPT_STRING, offsetof(struct stop_opts, time), "SECONDS",
	  "until it is killed, -1 for ever (default: of the instance, 10)" },
	{ "until-boot", 0, OPT_BOOL, offsetof(struct stop_opts, until_boot), NULL,
	  "a restart policy starts it again when the machine starts, also 'unless-stopped'" },
	{ 0 },
};

struct stop {
	struct stop_request request;
	bool until_boot;
};

static int stop_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	const struct stop *s = data;
	int r = eng_stop(e, i, s->request.signal, s->request.timeout, err);

	return r == 0 && s->until_boot ? eng_stop_forget(e, i, err) : r < 0 ? r : 0;
}

static int stop_running(struct engine *e, const struct eng_instance *i, void *data,
			struct err *err)
{
	if (i->state != ENG_STATE_RUNNING && i->state != ENG_STATE_RESTARTING)
		return 1;
	return stop_one(e, i, data, err);
}

static int stop_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	const struct stop_opts *o = opts;
	struct stop s = { .until_boot = o->until_boot };
	int r = stop_request(o->signal, o->time, &s.request, err);

	if (r == 0)
		r = cli_each_check(argc, o->all, &o->filter, err);
	if (r < 0)
		return r;
	return argc > 0 ? cli_each(cli, argc, argv, stop_one, &s, false, err)
			: cli_each_match(cli, &o->filter, stop_running, &s, err);
}

CLI_VERB(stop_verb) = {
	.name = "stop",
	.args = "[INSTANCE...]",
	.summary = "Ask instances to end, then kill them",
	.max_args = -1,
	.opts = stop_table,
	.opts_size = sizeof(struct stop_opts),
	.interspersed = true,
	.run = stop_run,
};

/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "cli/cli.h"
#include "cli/each.h"
#include "cli/stop_request.h"
#include "cli/together.h"
#include "engine/config.h"
#include "engine/instance.h"
#include "engine/start.h"
#include "engine/stop.h"

struct restart_opts {
	struct cli_select select;
	bool running;
	const char *signal, *time;
};

static const struct opt restart_table[] = {
	CLI_SELECT_ALL(struct restart_opts, select, 'a', "all instances"),
	CLI_SELECT_CIDFILE(struct restart_opts, select),
	CLI_SELECT_FILTER(struct restart_opts, select, 'f'),
	CLI_SELECT_LATEST(struct restart_opts, select),
	{ "running", 0, OPT_BOOL, offsetof(struct restart_opts, running), NULL, "all instances that run" },
	{ "signal", 's', OPT_STRING, offsetof(struct restart_opts, signal), "SIGNAL",
	  "signal to send (default: of the instance, SIGTERM)" },
	{ "time", 't', OPT_STRING, offsetof(struct restart_opts, time), "SECONDS",
	  "until it is killed, -1 for ever (default: of the instance, 10)" },
	{ "timeout", 0, OPT_STRING, offsetof(struct restart_opts, time), "SECONDS", NULL },
	{ 0 },
};

#define NOT_RUNNING INT64_MIN /* in place of a deadline */

struct restart {
	struct stop_request request;
	bool running; /* those that do not are left alone */
};

static int restart_begin(struct engine *e, const struct eng_instance *i, void *data,
			 int64_t *deadline, struct err *err)
{
	const struct restart *s = data;
	struct eng_config config;
	int r;

	if (s->running && i->state != ENG_STATE_RUNNING)
		return 1;
	r = eng_instance_config(e, i, &config, err); /* or it would be stopped only */

	if (r < 0)
		return r;
	eng_config_fini(&config);
	r = eng_stop_begin(e, i, s->request.signal, s->request.timeout, deadline, err);
	if (r == 1)
		*deadline = NOT_RUNNING;
	return r < 0 ? r : 0;
}

static void restart_wait(struct engine *e, const struct eng_instance *i, void *data, int64_t deadline)
{
	(void) data;
	if (deadline != NOT_RUNNING)
		eng_stop_kill(e, i, deadline);
}

static int restart_end(struct engine *e, const struct eng_instance *i, void *data, int64_t deadline,
		       struct err *err)
{
	struct eng_config config;
	int client, lock = -EBADF, r = eng_instance_config(e, i, &config, err);

	(void) data;
	if (r < 0)
		return r;
	if (deadline != NOT_RUNNING)
		r = eng_stop_end(e, i, err);
	if (r == 0)
		r = eng_begin(e, i, &lock, err);
	if (r == 0)
		r = eng_start(e, i, &config, lock, false, &client, err);
	eng_config_fini(&config);
	return r;
}

static int restart_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	struct restart_opts *o = opts;
	struct restart s = { .running = o->running };
	const struct cli_together together = { restart_begin, restart_wait, restart_end, &s };
	int r = stop_request(o->signal, o->time, &s.request, err);

	o->select.all |= o->running && argc == 0 && !o->select.latest && o->select.cidfile.n == 0;
	return r < 0 ? r : cli_together(cli, &o->select, argc, argv, &together, err);
}

CLI_VERB(restart_verb) = {
	.name = "restart",
	.args = "[INSTANCE...]",
	.summary = "Stop instances and start them again",
	.max_args = -1,
	.opts = restart_table,
	.opts_size = sizeof(struct restart_opts),
	.interspersed = true,
	.seal = true,
	.run = restart_run,
};

/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/each.h"
#include "cli/stop_request.h"
#include "cli/together.h"
#include "engine/instance.h"
#include "engine/stop.h"

struct stop_opts {
	struct cli_select select;
	bool until_boot;
	const char *signal, *time;
};

static const struct opt stop_table[] = {
	CLI_SELECT_ALL(struct stop_opts, select, 'a', "all instances that run"),
	CLI_SELECT_CIDFILE(struct stop_opts, select),
	CLI_SELECT_FILTER(struct stop_opts, select, 'f'),
	CLI_SELECT_IGNORE(struct stop_opts, select),
	CLI_SELECT_LATEST(struct stop_opts, select),
	{ "signal", 's', OPT_STRING, offsetof(struct stop_opts, signal), "SIGNAL",
	  "signal to send (default: of the instance, SIGTERM)" },
	{ "time", 't', OPT_STRING, offsetof(struct stop_opts, time), "SECONDS",
	  "until it is killed, -1 for ever (default: of the instance, 10)" },
	{ "timeout", 0, OPT_STRING, offsetof(struct stop_opts, time), "SECONDS", NULL },
	{ "until-boot", 0, OPT_BOOL, offsetof(struct stop_opts, until_boot), NULL,
	  "a restart policy starts it again when the machine starts, also 'unless-stopped'" },
	{ 0 },
};

#define NOT_RUNNING INT64_MIN /* in place of a deadline */

struct stop {
	struct stop_request request;
	bool all, until_boot;
};

/* One that is named may have ended already, which is what was wanted. */
static int stop_begin(struct engine *e, const struct eng_instance *i, void *data, int64_t *deadline,
		      struct err *err)
{
	const struct stop *s = data;
	int r;

	if (s->all && i->state != ENG_STATE_RUNNING && i->state != ENG_STATE_RESTARTING)
		return 1;
	r = eng_stop_begin(e, i, s->request.signal, s->request.timeout, deadline, err);
	if (r == 1)
		*deadline = NOT_RUNNING;
	return r == 1 && s->all ? 1 : r < 0 ? r : 0;
}

static void stop_wait(struct engine *e, const struct eng_instance *i, void *data, int64_t deadline)
{
	(void) data;
	if (deadline != NOT_RUNNING)
		eng_stop_kill(e, i, deadline);
}

static int stop_end(struct engine *e, const struct eng_instance *i, void *data, int64_t deadline,
		    struct err *err)
{
	const struct stop *s = data;
	int r = deadline == NOT_RUNNING ? 1 : eng_stop_end(e, i, err);

	return r == 0 && s->until_boot ? eng_stop_forget(e, i, err) : r < 0 ? r : 0;
}

static int stop_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	const struct stop_opts *o = opts;
	struct stop s = { .all = argc == 0, .until_boot = o->until_boot };
	const struct cli_together together = { stop_begin, stop_wait, stop_end, &s };
	int r = stop_request(o->signal, o->time, &s.request, err);

	return r < 0 ? r : cli_together(cli, &o->select, argc, argv, &together, err);
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

/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/each.h"
#include "cli/stop_request.h"
#include "engine/instance.h"
#include "engine/stop.h"

struct rm_opts {
	struct cli_select select;
	bool force, volumes;
	const char *time;
};

static const struct opt rm_table[] = {
	CLI_SELECT_ALL(struct rm_opts, select, 'a', "all instances"),
	CLI_SELECT_CIDFILE(struct rm_opts, select),
	CLI_SELECT_FILTER(struct rm_opts, select, 0),
	{ "force", 'f', OPT_BOOL, offsetof(struct rm_opts, force), NULL,
	  "kill an instance that runs; one that does not exist is no failure" },
	CLI_SELECT_IGNORE(struct rm_opts, select),
	CLI_SELECT_LATEST(struct rm_opts, select),
	{ "time", 't', OPT_STRING, offsetof(struct rm_opts, time), "SECONDS",
	  "with --force: ask it to end and wait, -1 for ever (default: kill it at once)" },
	{ "timeout", 0, OPT_STRING, offsetof(struct rm_opts, time), "SECONDS", NULL },
	{ "volumes", 'v', OPT_BOOL, offsetof(struct rm_opts, volumes), NULL,
	  "also remove its volumes that nobody named" },
	{ 0 },
};

struct rm {
	const struct rm_opts *o;
	struct stop_request request;
};

static int remove_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	const struct rm *rm = data;
	int64_t deadline = 0;
	int r = 1;

	if (rm->o->force && rm->o->time != NULL)
		r = eng_stop_begin(e, i, 0, rm->request.timeout, &deadline, err);
	if (r == 0) {
		eng_stop_kill(e, i, deadline);
		r = eng_stop_end(e, i, err);
	}
	return r < 0 ? r : eng_instance_remove(e, i, rm->o->force, rm->o->volumes, err);
}

static int rm_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	struct rm_opts *o = opts;
	struct rm rm = { .o = o };
	int r = stop_request(NULL, o->time, &rm.request, err);

	if (r == 0 && o->time != NULL && !o->force)
		r = err_msg(err, -EINVAL, "--time needs --force");
	o->select.ignore |= o->force;
	return r < 0 ? r : cli_each(cli, &o->select, argc, argv, remove_one, &rm, err);
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

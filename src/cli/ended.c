/* SPDX-License-Identifier: MIT */
/**
 * DOC: `_ended MONITOR ID STATUS`
 *
 * What cleave-monitor becomes when the first process of its instance has ended.  Holds the lock of the
 * instance and the sockets of its clients, who wait for the end of this process.  Nobody reads what it
 * prints; if it fails, the next command does its work.
 *
 * MONITOR is the path of cleave-monitor, which the protected copy that runs here cannot tell.
 *
 * If the instance is to be started again, it executes itself as `_restart MONITOR ID` with nothing but the lock.
 *
 * `_names MONITOR` is what the keeper of a resolver becomes when that was killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/monitor/protocol.h"
#include "engine/net/names.h"
#include "engine/start.h"
#include "sys/proc.h"

/* Becomes `_restart`; what is open but the lock belongs to clients, who are done. */
static int become_restart(const struct cli *cli, const char *id, struct err *err)
{
	char *const argv[] = { "cleave",
			       "--root",
			       (char *) cli->root,
			       "--runroot",
			       (char *) cli->runroot,
			       "_restart",
			       (char *) cli->monitor,
			       (char *) id,
			       NULL };
	int r = proc_cloexec_from(STDERR_FILENO + 1);

	if (r == 0 && fcntl(MON_FD_LOCK, F_SETFD, 0) < 0)
		r = -errno;
	if (r == 0) {
		(void) execv("/proc/self/exe", argv);
		r = -errno;
	}
	return err_set(err, r, "start instance '%.12s' again", id);
}

static int ended_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance i;
	uint64_t code;
	int r = str_to_u64(argv[2], &code);

	(void) opts;
	(void) argc;
	if (r < 0 || code > 255)
		return err_msg(err, -EINVAL, "'%s' is no exit status", argv[2]);
	cli->monitor = argv[0];
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_instance_find(e, argv[1], &arena, &i, err);
	if (r == 0)
		r = eng_instance_ended(e, &i, (int) code, time_now_ns(), err);
	return r == 1 ? become_restart(cli, i.id, err) : r;
}

CLI_VERB(ended_verb) = {
	.name = "_ended",
	.args = "MONITOR ID STATUS",
	.summary = "Clean up after an instance (used by cleave-monitor)",
	.min_args = 3,
	.max_args = 3,
	.run = ended_run,
};

static int again_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance i;
	int r;

	(void) opts;
	(void) argc;
	if (fcntl(MON_FD_LOCK, F_SETFD, FD_CLOEXEC) < 0)
		return err_msg(err, -EBADF, "this verb is for cleave itself");
	cli->monitor = argv[0];
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_instance_find(e, argv[1], &arena, &i, err);
	return r < 0 ? r : eng_restart(e, &i, MON_FD_LOCK, err);
}

CLI_VERB(again_verb) = {
	.name = "_restart",
	.args = "MONITOR ID",
	.summary = "Start an instance again by its policy (used by cleave itself)",
	.min_args = 2,
	.max_args = 2,
	.seal = true,
	.run = again_run,
};

static int names_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	int r;

	(void) opts;
	(void) argc;
	cli->monitor = argv[0];
	r = cli_engine(cli, &e, err);
	return r < 0 ? r : names_repair(e, err);
}

CLI_VERB(names_verb) = {
	.name = "_names",
	.args = "MONITOR",
	.summary = "Start resolvers again that have ended (used by cleave-names)",
	.min_args = 1,
	.max_args = 1,
	.run = names_run,
};

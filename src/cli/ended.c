/* SPDX-License-Identifier: MIT */
/**
 * DOC: `_ended ID STATUS`
 *
 * What cleave-monitor becomes when the first process of its instance has ended.  Holds the lock of the
 * instance and the sockets of its clients, who wait for the end of this process.  Nobody reads what it
 * prints; if it fails, the next command does its work.
 */
#include <errno.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "engine/instance.h"

static int ended_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance i;
	uint64_t code;
	int r = str_to_u64(argv[1], &code);

	(void) opts;
	(void) argc;
	if (r < 0 || code > 255)
		return err_msg(err, -EINVAL, "'%s' is no exit status", argv[1]);
	r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_instance_find(e, argv[0], &arena, &i, err);
	return r < 0 ? r : eng_instance_ended(e, &i, (int) code, time_now_ns(), err);
}

CLI_VERB(ended_verb) = {
	.name = "_ended",
	.args = "ID STATUS",
	.summary = "Clean up after an instance (used by cleave-monitor)",
	.min_args = 2,
	.max_args = 2,
	.run = ended_run,
};

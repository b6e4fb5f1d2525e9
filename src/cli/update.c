/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/each.h"
#include "cli/run_config.h"
#include "cli/run_parts.h"
#include "engine/config.h"
#include "engine/update.h"

#define TEXT(name, letter, field, arg, help) \
	{ name, letter, OPT_STRING, offsetof(struct run_opts, field), arg, help }
#define LIST(name, field, arg, help) \
	{ name, 0, OPT_STRINGS, offsetof(struct run_opts, field), arg, help }

/* Those of `run` that can change later */
static const struct opt update_table[] = {
	TEXT("blkio-weight", 0, blkio_weight, "NUMBER", "share of block input/output, 10 to 1000"),
	LIST("blkio-weight-device", blkio_weight_device, "DEVICE:NUMBER", "the same, of a device"),
	TEXT("cpu-period", 0, cpu_period, "MICROSECONDS", "period of the processor limit"),
	TEXT("cpu-quota", 0, cpu_quota, "MICROSECONDS", "processor time in a period, -1 for no limit"),
	TEXT("cpu-rt-period", 0, cpu_rt_period, "MICROSECONDS", "period of the real-time limit"),
	TEXT("cpu-rt-runtime", 0, cpu_rt_runtime, "MICROSECONDS", "real-time processor time in a period"),
	TEXT("cpu-shares", 'c', cpu_shares, "NUMBER", "share of processor time, 1024 is usual"),
	TEXT("cpus", 0, cpus, "NUMBER", "processors it may use, e.g. 1.5; 0 for no limit"),
	TEXT("cpuset-cpus", 0, cpuset_cpus, "LIST", "processors it may run on, e.g. 0-2,7"),
	TEXT("cpuset-mems", 0, cpuset_mems, "LIST", "memory nodes it may use"),
	LIST("device-read-bps", device_read_bps, "DEVICE:SIZE", "limit bytes read per second"),
	LIST("device-read-iops", device_read_iops, "DEVICE:NUMBER", "limit reads per second"),
	LIST("device-write-bps", device_write_bps, "DEVICE:SIZE", "limit bytes written per second"),
	LIST("device-write-iops", device_write_iops, "DEVICE:NUMBER", "limit writes per second"),
	TEXT("isolation", 0, isolation, "container|vm", "move it there, with its files; while it does not run"),
	TEXT("memory", 'm', memory, "SIZE", "memory limit, e.g. 512m; 0 for none"),
	TEXT("memory-reservation", 0, memory_reservation, "SIZE", "memory it keeps when the host lacks some"),
	TEXT("memory-swap", 0, memory_swap, "SIZE", "limit of memory and swap together, -1 for none"),
	TEXT("pids-limit", 0, pids_limit, "NUMBER", "processes it may have, -1 for no limit"),
	TEXT("restart", 0, restart, "POLICY", "no, on-failure[:TIMES], always, unless-stopped"),
	{ 0 },
};

static bool given(const struct run_opts *o)
{
	for (const struct opt *t = update_table; t->name != NULL; t++) {
		const void *field = (const char *) o + t->offset;

		if (t->kind == OPT_STRING ? *(const char *const *) field != NULL
					  : ((const struct opt_strings *) field)->n > 0)
			return true;
	}
	return false;
}

static int change(struct eng_config *c, void *data, struct err *err)
{
	const struct run_opts *o = data;
	int r = run_limits(c, o, err);

	if (r == 0 && o->restart != NULL && c->auto_remove)
		return err_msg(err, -EINVAL,
			       "restart policy cannot be updated: the instance is removed when it ends (--rm)");
	return r == 0 ? run_restart(c, o, err) : r;
}

static int update_one(struct engine *e, const struct eng_instance *i, void *data, struct err *err)
{
	const struct run_opts *o = data;
	int r = o->isolation != NULL ? eng_update_isolation(e, i, o->isolation, err) : 0;

	return r == 0 ? eng_update(e, i, change, data, err) : r;
}

static int update_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	if (!given(opts))
		return err_msg(err, -EINVAL,
			       "you must provide one or more flags when using this command (see 'cleave update --help')");
	return cli_each(cli, NULL, argc, argv, update_one, opts, err);
}

CLI_VERB(update_verb) = {
	.name = "update",
	.args = "INSTANCE...",
	.summary = "Change limits, restart policy or isolation of instances",
	.min_args = 1,
	.max_args = -1,
	.opts = update_table,
	.opts_size = sizeof(struct run_opts),
	.interspersed = true,
	.run = update_run,
};

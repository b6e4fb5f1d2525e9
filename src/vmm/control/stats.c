/* SPDX-License-Identifier: MIT */
/**
 * DOC: commands that tell what was counted
 */
#include "base/json_write.h"
#include "base/str.h"
#include "vmm/control/qmp.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/stats.h"

static int query_stats(const struct qmp_call *c)
{
	const char *target;
	int r = qmp_need(c, "target", &target);

	if (r < 0)
		return r;
	if (str_eq(target, "vcpu")) {
		stats_processors(c->m, c->ret);
		return 0;
	}
	json_open(c->ret, NULL, '['); /* nothing of the machine as a whole */
	json_close(c->ret, ']');
	return 0;
}
QMP_COMMAND(stats, "query-stats", "target", query_stats);

static int device_stats(const struct qmp_call *c)
{
	stats_devices(c->m, c->ret);
	return 0;
}
QMP_COMMAND(devices, "x-query-device-stats", "", device_stats);

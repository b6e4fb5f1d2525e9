/* SPDX-License-Identifier: MIT */
/**
 * DOC: commands that tell what was counted
 */
#include <errno.h>

#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "vmm/control/qmp.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/stats.h"

static int query_stats(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
		       struct err *err)
{
	const char *target = args != NULL ? json_get_str(in, args, "target") : NULL;

	if (target == NULL)
		return err_msg(err, -EINVAL, "query-stats: 'target' is missing");
	if (str_eq(target, "vcpu")) {
		stats_processors(m, ret);
		return 0;
	}
	json_open(ret, NULL, '['); /* nothing of the machine as a whole */
	json_close(ret, ']');
	return 0;
}
QMP_COMMAND(stats, "query-stats", query_stats);

static int device_stats(struct machine *m, struct json_in *in, const struct json *args, struct str *ret,
			struct err *err)
{
	(void) in;
	(void) args;
	(void) err;
	stats_devices(m, ret);
	return 0;
}
QMP_COMMAND(devices, "x-query-device-stats", device_stats);

/* SPDX-License-Identifier: MIT */
/**
 * DOC: commands about the memory balloon
 */
#include <errno.h>

#include "base/err.h"
#include "base/json_write.h"
#include "vmm/control/qmp.h"
#include "vmm/control/qmp_parts.h"
#include "vmm/dev/virtio/balloon.h"
#include "vmm/machine/machine.h"

static int find(const struct qmp_call *c, struct balloon **ret)
{
	*ret = machine_balloon(c->m);
	if (*ret != NULL)
		return 0;
	*c->class = "DeviceNotActive";
	return err_msg(c->err, -ENODEV, "No balloon device has been activated (option --balloon)");
}

void qmp_balloon_stats(struct balloon *b, struct str *ret, bool all)
{
	static const char *const names[BALLOON_N_STATS_] = {
		"stat-swap-in", "stat-swap-out", "stat-major-faults", "stat-minor-faults", "stat-free-memory",
		"stat-total-memory", "stat-available-memory", "stat-disk-caches", "stat-htlb-pgalloc",
		"stat-htlb-pgfail",
	};
	uint64_t stat[BALLOON_N_STATS_];
	int64_t when;
	unsigned known = balloon_stats(b, stat, &when);

	json_open(ret, "stats", '{');
	for (unsigned i = 0; i < BALLOON_N_STATS_; i++)
		if (all || (known & 1u << i))
			json_uint(ret, names[i], known & 1u << i ? stat[i] : UINT64_MAX);
	json_close(ret, '}');
	if (all)
		json_int(ret, "last-update", when);
}

static int query(const struct qmp_call *c)
{
	struct balloon *b;
	int r = find(c, &b);

	if (r < 0)
		return r;
	json_open(c->ret, NULL, '{');
	json_uint(c->ret, "actual", balloon_actual(b));
	qmp_balloon_stats(b, c->ret, false);
	json_close(c->ret, '}');
	return 0;
}
QMP_COMMAND(query_balloon, "query-balloon", "", query);

static int set(const struct qmp_call *c)
{
	struct balloon *b;
	uint64_t bytes;
	int r = find(c, &b);

	if (r < 0)
		return r;
	if (!json_get_u64(c->in, c->args, "value", UINT64_MAX, &bytes))
		return err_msg(c->err, -EINVAL, "balloon: 'value' is missing or not a number of bytes");
	if (bytes == 0)
		return err_msg(c->err, -EINVAL, "Parameter 'target' expects a size");
	balloon_request(b, bytes);
	return 0;
}
QMP_COMMAND(balloon, "balloon", "value", set);

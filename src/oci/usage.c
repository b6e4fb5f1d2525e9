/* SPDX-License-Identifier: MIT */
#include "oci/usage.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"

#define UNLIMITED_V1 (UINT64_C(1) << 62) /* memory.limit_in_bytes says a little under 2^63 */

static uint64_t get(const struct cg_dir *d, const char *file, uint64_t fallback)
{
	uint64_t v;

	return d == NULL || cg_read_u64(d->path, file, &v) < 0 ? fallback : v;
}

static uint64_t get_key(const struct cg_dir *d, const char *file, const char *key)
{
	uint64_t v;

	return d == NULL || cg_read_key(d->path, file, key, &v) < 0 ? 0 : v;
}

/* Sum of the numbers behind @mark, which stands once per device. */
static uint64_t sum(const char *text, const char *mark)
{
	uint64_t total = 0;

	for (const char *p = strstr(text, mark); p != NULL; p = strstr(p, mark)) {
		p += strlen(mark);
		total += strtoull(p, NULL, 10);
	}
	return total;
}

static void read_io(const struct cg_dir *d, const char *file, const char *in, const char *out,
		    struct oci_usage *ret)
{
	_cleanup_(str_fini) struct str text = { 0 };

	if (d == NULL || cg_read(d->path, file, &text) < 0 || text.p == NULL)
		return;
	ret->read = sum(text.p, in);
	ret->written = sum(text.p, out);
}

static void memory(const struct cg_dir *d, const char *usage, const char *limit, const char *cache,
		   struct oci_usage *ret)
{
	uint64_t all = get(d, usage, 0), idle = get_key(d, "memory.stat", cache);

	ret->memory = all > idle ? all - idle : all;
	ret->memory_limit = get(d, limit, UINT64_MAX);
	if (ret->memory_limit >= UNLIMITED_V1)
		ret->memory_limit = UINT64_MAX;
}

void oci_cgroup_usage(const struct oci_cgroup *cg, struct oci_usage *ret)
{
	const struct cg_dir *v2 = cg->unified ? cg_v2(cg) : NULL;
	const struct cg_dir *pids = v2 != NULL ? v2 : cg_v1(cg, "pids");

	*ret = (struct oci_usage) { 0 };
	if (v2 != NULL) {
		ret->cpu_ns = get_key(v2, "cpu.stat", "usage_usec") * 1000;
		memory(v2, "memory.current", "memory.max", "inactive_file", ret);
		read_io(v2, "io.stat", "rbytes=", "wbytes=", ret);
	} else {
		ret->cpu_ns = get(cg_v1(cg, "cpuacct"), "cpuacct.usage", 0);
		memory(cg_v1(cg, "memory"), "memory.usage_in_bytes", "memory.limit_in_bytes",
		       "total_inactive_file", ret);
		read_io(cg_v1(cg, "blkio"), "blkio.throttle.io_service_bytes", "Read ", "Write ", ret);
	}
	ret->pids = get(pids, "pids.current", 0);
}

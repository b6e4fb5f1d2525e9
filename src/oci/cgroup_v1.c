/* SPDX-License-Identifier: MIT */
/**
 * DOC: limits in cgroup v1
 *
 * A number that is 0 means "not set" where the kernel has no use for 0, as all runtimes read the
 * spec.  Some files check against each other, so a refused first write is tried again after its
 * partner: period against quota, burst against quota, rt_period against rt_runtime.
 * memory+swap can never be below memory, so growing writes memory+swap first.
 * Kernel: Documentation/admin-guide/cgroup-v1/, Documentation/scheduler/sched-bwc.rst.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"

#define LIMIT "memory.limit_in_bytes"
#define SWAP_LIMIT "memory.memsw.limit_in_bytes"
#define SHARES_MIN 2 /* kernel/sched: MIN_SHARES */
#define SHARES_MAX 262144 /* kernel/sched: MAX_SHARES */
#define SWAPPINESS_MAX 100

static int set_limit(const struct cg_job *j, int64_t value, struct err *err)
{
	uint64_t usage, peak;
	int r;

	if (value == 0)
		return 0;
	r = cg_set_i64(j->dir, "memory.limit", LIMIT, value, err);
	if (r == -EBUSY && cg_read_u64(j->dir->path, "memory.usage_in_bytes", &usage) == 0 &&
	    cg_read_u64(j->dir->path, "memory.max_usage_in_bytes", &peak) == 0)
		return err_msg(err, r,
			       "unable to set memory limit to %" PRId64 " (current usage: %" PRIu64 ", peak usage: %" PRIu64 ")",
			       value, usage, peak);
	return r;
}

static int set_swap(const struct cg_job *j, int64_t value, struct err *err)
{
	return value != 0 ? cg_set_i64(j->dir, "memory.swap", SWAP_LIMIT, value, err) : 0;
}

static int set_memory_and_swap(const struct cg_job *j, struct err *err)
{
	const struct oci_memory *m = &j->r->memory;
	int64_t limit = m->limit.set ? m->limit.v : 0, swap = m->swap.set ? m->swap.v : 0;
	uint64_t now = UINT64_MAX;
	int r;

	if (limit == -1 && swap == 0) { /* all of it; where swap is not counted there is no file */
		r = cg_write(j->dir->path, SWAP_LIMIT, "-1");
		if (r < 0 && r != -ENOENT)
			return cg_set_failed(j->dir, "memory.limit", SWAP_LIMIT, "-1", r, err);
		return set_limit(j, limit, err);
	}
	if (limit != 0 && swap != 0 && !j->dir->made)
		(void) cg_read_u64(j->dir->path, LIMIT, &now); /* unlimited if unknown: the safe order */
	if (limit != 0 && (swap == -1 || (swap > 0 && now < (uint64_t) swap))) {
		r = set_swap(j, swap, err);
		return r < 0 ? r : set_limit(j, limit, err);
	}
	r = set_limit(j, limit, err);
	return r < 0 ? r : set_swap(j, swap, err);
}

int cg_v1_memory(const struct cg_job *j, struct err *err)
{
	const struct oci_memory *m = &j->r->memory;
	int r = set_memory_and_swap(j, err);

	if (r == 0 && m->reservation.set && m->reservation.v != 0)
		r = cg_set_i64(j->dir, "memory.reservation", "memory.soft_limit_in_bytes",
			       m->reservation.v, err);
	if (r == 0 && m->disable_oom_killer_set && (m->disable_oom_killer || j->update))
		r = cg_set(j->dir, "memory.disableOOMKiller", "memory.oom_control",
			   m->disable_oom_killer ? "1" : "0", err);
	if (r < 0 || !m->swappiness.set || m->swappiness.v == UINT64_MAX)
		return r;
	if (m->swappiness.v > SWAPPINESS_MAX)
		return err_msg(err, -EINVAL,
			       "linux.resources.memory.swappiness: %" PRIu64 " is not in the range 0 to %d",
			       m->swappiness.v, SWAPPINESS_MAX);
	return cg_set_u64(j->dir, "memory.swappiness", "memory.swappiness", m->swappiness.v, err);
}

static int set_realtime(const struct cg_job *j, struct err *err)
{
	const struct oci_cpu *c = &j->r->cpu;
	bool period = c->rt_period.set && c->rt_period.v != 0;
	bool runtime = c->rt_runtime.set && c->rt_runtime.v != 0;
	int r = 0;

	if (period)
		r = cg_set_u64(j->dir, "cpu.realtimePeriod", "cpu.rt_period_us", c->rt_period.v, err);
	if (r < 0 && (r != -EINVAL || !runtime))
		return r;
	period = r < 0; /* refused because of the old runtime */
	r = 0;
	if (runtime)
		r = cg_set_i64(j->dir, "cpu.realtimeRuntime", "cpu.rt_runtime_us", c->rt_runtime.v, err);
	if (r == 0 && period)
		r = cg_set_u64(j->dir, "cpu.realtimePeriod", "cpu.rt_period_us", c->rt_period.v, err);
	return r;
}

static int set_bandwidth(const struct cg_job *j, struct err *err)
{
	const struct oci_cpu *c = &j->r->cpu;
	bool quota = c->quota.set && c->quota.v != 0;
	bool again_period = false, again_burst = false;
	int r = 0;

	if (c->period.set && c->period.v != 0)
		r = cg_set_u64(j->dir, "cpu.period", "cpu.cfs_period_us", c->period.v, err);
	again_period = r == -EINVAL && quota; /* the old quota is too much for the new period */
	if (r < 0 && !again_period)
		return r;
	r = 0;
	if (c->burst.set)
		r = cg_set_u64(j->dir, "cpu.burst", "cpu.cfs_burst_us", c->burst.v, err);
	again_burst = r == -EINVAL && quota;
	if (r < 0 && !again_burst && r != -ENOENT) /* before 5.14 there is no burst */
		return r;
	r = 0;
	if (quota)
		r = cg_set_i64(j->dir, "cpu.quota", "cpu.cfs_quota_us", c->quota.v, err);
	if (r == 0 && again_period)
		r = cg_set_u64(j->dir, "cpu.period", "cpu.cfs_period_us", c->period.v, err);
	if (r == 0 && again_burst)
		r = cg_set_u64(j->dir, "cpu.burst", "cpu.cfs_burst_us", c->burst.v, err);
	return r;
}

int cg_v1_cpu(const struct cg_job *j, struct err *err)
{
	const struct oci_cpu *c = &j->r->cpu;
	int r = 0;

	if (c->shares.set && c->shares.v != 0) {
		if (c->shares.v < SHARES_MIN) /* the kernel would take it and set something else */
			return err_msg(err, -EINVAL, "the minimum allowed cpu-shares is %d", SHARES_MIN);
		if (c->shares.v > SHARES_MAX)
			return err_msg(err, -EINVAL, "the maximum allowed cpu-shares is %d", SHARES_MAX);
		r = cg_set_u64(j->dir, "cpu.shares", "cpu.shares", c->shares.v, err);
	}
	if (r == 0)
		r = set_bandwidth(j, err);
	if (r == 0 && c->idle.set)
		r = cg_set_i64(j->dir, "cpu.idle", "cpu.idle", c->idle.v, err);
	return r < 0 ? r : set_realtime(j, err);
}

int cg_v1_cpuset(const struct cg_job *j, struct err *err)
{
	int r = 0;

	if (!j->update && j->cg->cpuset_done)
		return 0;
	if (j->r->cpu.cpus != NULL)
		r = cg_set(j->dir, "cpu.cpus", "cpuset.cpus", j->r->cpu.cpus, err);
	if (r == 0 && j->r->cpu.mems != NULL)
		r = cg_set(j->dir, "cpu.mems", "cpuset.mems", j->r->cpu.mems, err);
	return r;
}

/*
 * Write @value to blkio.@name, or to blkio.bfq.@name: the plain name went with the CFQ scheduler.
 */
static int set_weight(const struct cg_job *j, const char *field, const char *name, const char *value,
		      struct err *err)
{
	char file[64];
	int r;

	(void) snprintf(file, sizeof(file), "blkio.%s", name);
	r = cg_write(j->dir->path, file, value);
	if (r == -ENOENT) {
		(void) snprintf(file, sizeof(file), "blkio.bfq.%s", name);
		r = cg_write(j->dir->path, file, value);
	}
	return r < 0 ? cg_set_failed(j->dir, field, file, value, r, err) : 0;
}

static int set_weights(const struct cg_job *j, struct err *err)
{
	const struct oci_block_io *b = &j->r->block_io;
	char text[96];
	int r = 0;

	if (b->weight.set && b->weight.v != 0) {
		(void) snprintf(text, sizeof(text), "%" PRIu64, b->weight.v);
		r = set_weight(j, "blockIO.weight", "weight", text, err);
	}
	if (r == 0 && b->leaf_weight.set && b->leaf_weight.v != 0) {
		(void) snprintf(text, sizeof(text), "%" PRIu64, b->leaf_weight.v);
		r = set_weight(j, "blockIO.leafWeight", "leaf_weight", text, err);
	}
	for (size_t i = 0; i < b->nr_weight_devices && r == 0; i++) {
		const struct oci_weight_device *d = &b->weight_devices[i];

		if (d->weight.set && d->weight.v != 0) {
			(void) snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64 " %" PRIu64,
					d->major, d->minor, d->weight.v);
			r = set_weight(j, "blockIO.weightDevice", "weight_device", text, err);
		}
		if (r == 0 && d->leaf_weight.set && d->leaf_weight.v != 0) {
			(void) snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64 " %" PRIu64,
					d->major, d->minor, d->leaf_weight.v);
			r = set_weight(j, "blockIO.weightDevice", "leaf_weight_device", text, err);
		}
	}
	return r;
}

int cg_v1_blkio(const struct cg_job *j, struct err *err)
{
	static const struct {
		const char *field, *file;
	} throttle[OCI_THROTTLE_N_] = {
		[OCI_READ_BPS] = { "blockIO.throttleReadBpsDevice", "blkio.throttle.read_bps_device" },
		[OCI_WRITE_BPS] = { "blockIO.throttleWriteBpsDevice", "blkio.throttle.write_bps_device" },
		[OCI_READ_IOPS] = { "blockIO.throttleReadIOPSDevice", "blkio.throttle.read_iops_device" },
		[OCI_WRITE_IOPS] = { "blockIO.throttleWriteIOPSDevice", "blkio.throttle.write_iops_device" },
	};
	int r = set_weights(j, err);

	for (size_t t = 0; t < OCI_THROTTLE_N_; t++) {
		for (size_t i = 0; i < j->r->block_io.throttle[t].n && r == 0; i++) {
			const struct oci_throttle_device *d = &j->r->block_io.throttle[t].v[i];
			char text[96];

			(void) snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64 " %" PRIu64, d->major,
					d->minor, d->rate);
			r = cg_set(j->dir, throttle[t].field, throttle[t].file, text, err);
		}
	}
	return r;
}

int cg_v1_hugetlb(const struct cg_job *j, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < j->r->nr_hugepages && r == 0; i++) {
		const struct oci_hugepage_limit *h = &j->r->hugepages[i];
		char file[64], text[32];

		if (strchr(h->page_size, '/') != NULL || strlen(h->page_size) > 16)
			return err_msg(err, -EINVAL, "linux.resources.hugepageLimits: '%.32s' is no page size",
				       h->page_size);
		(void) snprintf(file, sizeof(file), "hugetlb.%s.limit_in_bytes", h->page_size);
		r = cg_set_u64(j->dir, "hugepageLimits", file, h->limit, err);
		(void) snprintf(file, sizeof(file), "hugetlb.%s.rsvd.limit_in_bytes", h->page_size);
		(void) snprintf(text, sizeof(text), "%" PRIu64, h->limit);
		if (r == 0)
			r = cg_write(j->dir->path, file, text);
		if (r == -ENOENT) /* before 5.7 */
			r = 0;
		else if (r < 0)
			return cg_set_failed(j->dir, "hugepageLimits", file, text, r, err);
	}
	return r;
}

int cg_v1_net_cls(const struct cg_job *j, struct err *err)
{
	return cg_set_u64(j->dir, "network.classID", "net_cls.classid", j->r->net_class_id.v, err);
}

int cg_v1_net_prio(const struct cg_job *j, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < j->r->net_priorities.n && r == 0; i++) {
		const struct oci_pair *p = &j->r->net_priorities.v[i];
		char text[128];

		if (snprintf(text, sizeof(text), "%s %s", p->key, p->value) >= (int) sizeof(text))
			return err_msg(err, -EINVAL,
				       "linux.resources.network.priorities: interface name '%.32s...' is too long",
				       p->key);
		r = cg_set(j->dir, "network.priorities", "net_prio.ifpriomap", text, err);
	}
	return r;
}

int cg_pids(const struct cg_job *j, struct err *err)
{
	int64_t v = j->r->pids_limit.v;

	if (v < 0)
		return cg_set(j->dir, "pids.limit", "pids.max", "max", err);
	/* 0 and 1 are the same for a container with one process; systemd knows no 0 */
	return cg_set_i64(j->dir, "pids.limit", "pids.max", v == 0 ? 1 : v, err);
}

int cg_rdma(const struct cg_job *j, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < j->r->nr_rdma && r == 0; i++) {
		const struct oci_rdma *d = &j->r->rdma[i];
		_cleanup_(str_fini) struct str s = { 0 };

		str_puts(&s, d->device);
		if (d->hca_handles.set)
			str_printf(&s, " hca_handle=%" PRIu64, d->hca_handles.v);
		if (d->hca_objects.set)
			str_printf(&s, " hca_object=%" PRIu64, d->hca_objects.v);
		if (s.failed)
			return err_set(err, -ENOMEM, "linux.resources.rdma");
		r = cg_set(j->dir, "rdma", "rdma.max", s.p, err);
	}
	return r;
}

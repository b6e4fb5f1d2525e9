/* SPDX-License-Identifier: MIT */
/**
 * DOC: limits of all controllers
 *
 * One table row per controller says what in linux.resources is its business and which function
 * writes it in v1 and in v2.  On a hybrid host each controller is where it is, so the choice is made
 * per row.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"

static bool wants_memory(const struct oci_resources *r)
{
	const struct oci_memory *m = &r->memory;

	return m->limit.set || m->reservation.set || m->swap.set || m->swappiness.set ||
	       m->disable_oom_killer_set;
}

static bool wants_cpu(const struct oci_resources *r)
{
	const struct oci_cpu *c = &r->cpu;

	return c->shares.set || c->quota.set || c->period.set || c->burst.set || c->idle.set ||
	       c->rt_period.set || c->rt_runtime.set;
}

static bool wants_cpuset(const struct oci_resources *r)
{
	return r->cpu.cpus != NULL || r->cpu.mems != NULL;
}

static bool wants_pids(const struct oci_resources *r)
{
	return r->pids_limit.set;
}

static bool wants_io(const struct oci_resources *r)
{
	const struct oci_block_io *b = &r->block_io;
	size_t n = b->nr_weight_devices;

	for (size_t i = 0; i < OCI_THROTTLE_N_; i++)
		n += b->throttle[i].n;
	return b->weight.set || b->leaf_weight.set || n != 0;
}

static bool wants_hugetlb(const struct oci_resources *r)
{
	return r->nr_hugepages != 0;
}

static bool wants_net_cls(const struct oci_resources *r)
{
	return r->net_class_id.set;
}

static bool wants_net_prio(const struct oci_resources *r)
{
	return r->net_priorities.n != 0;
}

static bool wants_rdma(const struct oci_resources *r)
{
	return r->nr_rdma != 0;
}

/*
 * @v1: controller name there; @v2: NULL when v2 has no such controller
 */
static const struct row {
	const char *v1, *v2;
	bool (*wants)(const struct oci_resources *r);
	int (*set_v1)(const struct cg_job *j, struct err *err);
	int (*set_v2)(const struct cg_job *j, struct err *err);
} rows[] = {
	{ "pids", "pids", wants_pids, cg_pids, cg_pids },
	{ "memory", "memory", wants_memory, cg_v1_memory, cg_v2_memory },
	{ "blkio", "io", wants_io, cg_v1_blkio, cg_v2_io },
	{ "cpu", "cpu", wants_cpu, cg_v1_cpu, cg_v2_cpu },
	{ "cpuset", "cpuset", wants_cpuset, cg_v1_cpuset, cg_v2_cpuset },
	{ "hugetlb", "hugetlb", wants_hugetlb, cg_v1_hugetlb, cg_v2_hugetlb },
	{ "net_cls", NULL, wants_net_cls, cg_v1_net_cls, NULL },
	{ "net_prio", NULL, wants_net_prio, cg_v1_net_prio, NULL },
	{ "rdma", "rdma", wants_rdma, cg_rdma, cg_rdma },
};

bool cg_has_limits(const struct oci_resources *r)
{
	if (r == NULL)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].wants(r))
			return true;
	return r->unified.n != 0;
}

bool cg_needs_v2(const struct oci_resources *r, const struct cg_layout *layout)
{
	if (r == NULL)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool in_v1 = false;

		for (size_t l = 0; l < layout->nr_v1 && !in_v1; l++)
			in_v1 = cg_hier_has(layout->v1[l].controllers, rows[i].v1);
		if (!in_v1 && rows[i].v2 != NULL && rows[i].wants(r))
			return true;
	}
	return r->unified.n != 0;
}

static int apply_row(const struct row *row, struct cg_job *j, struct err *err)
{
	const struct cg_dir *v1 = cg_v1(j->cg, row->v1), *v2 = cg_v2(j->cg);

	if (v1 != NULL) {
		j->dir = v1;
		return row->set_v1(j, err);
	}
	if (v2 != NULL && row->set_v2 != NULL) {
		j->dir = v2;
		return row->set_v2(j, err);
	}
	if (j->cg->unified && row->set_v2 == NULL) { /* no such thing in v2: no runtime refuses it */
		log_warning("linux.resources: %s has no counterpart in cgroup v2, ignored", row->v1);
		return 0;
	}
	return err_msg(err, -ENOENT, "cannot set %s limit: container could not join or create cgroup",
		       row->v1);
}

int oci_cgroup_apply(struct oci_cgroup *cg, const struct oci_resources *resources, bool update,
		     struct err *err)
{
	static const struct oci_resources none;
	const struct oci_resources *r = resources != NULL ? resources : &none;
	struct cg_job j = { .cg = cg, .r = r, .update = update };
	int q;

	if (r->memory.kernel.set || r->memory.kernel_tcp.set)
		log_warning("kernel memory settings are ignored: the kernel has dropped them");
	if (cg->unit.name != NULL) {
		q = cg_unit_update(cg, r, update, err);
		if (q < 0)
			return q;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!rows[i].wants(r))
			continue;
		q = apply_row(&rows[i], &j, err);
		if (q < 0)
			return q;
	}
	if (r->unified.n != 0) {
		j.dir = cg_v2(cg);
		if (j.dir == NULL)
			return err_msg(err, -EINVAL,
				       "invalid configuration: linux.resources.unified needs cgroup v2, which this container's cgroup is not in");
		q = cg_v2_unified(&j, err);
		if (q < 0)
			return q;
	}
	if (!update || r->nr_devices != 0)
		return cg_devices(cg, r->devices, r->nr_devices, err);
	return 0;
}

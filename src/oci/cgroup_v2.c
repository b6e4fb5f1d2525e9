/* SPDX-License-Identifier: MIT */
/**
 * DOC: limits in cgroup v2
 *
 * linux.resources was written for v1, so most numbers are converted.  memory.swap.max counts swap
 * alone where the spec counts memory and swap together; when only one of the two is updated the
 * other one is what the cgroup has now.  cpu.max holds quota and period, the kernel keeps the period
 * that is not written.  linux.resources.unified comes last and overrides.
 * Kernel: Documentation/admin-guide/cgroup-v2.rst.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"

uint64_t cg_cpu_weight(uint64_t shares)
{
	double l;

	if (shares == 0)
		return 0;
	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	/* the parabola through minimum, default and maximum of both scales: 2, 1024, 262144 */
	l = log2((double) shares);
	return (uint64_t) ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

uint64_t cg_io_weight(uint64_t weight)
{
	return weight == 0 ? 0 : weight <= 10 ? 1 : 1 + (weight - 10) * 9999 / 990;
}

int cg_swap_max(int64_t swap, int64_t memory, int64_t *ret, struct err *err)
{
	if (memory == -1 && swap == 0)
		*ret = -1;
	else if (swap == -1 || swap == 0 || memory == -1)
		*ret = swap;
	else if (memory == 0)
		return err_msg(err, -EINVAL, "linux.resources.memory: unable to set swap limit without memory limit");
	else if (memory < 0 || swap < memory)
		return err_msg(err, -EINVAL,
			       "linux.resources.memory: memory+swap limit %" PRId64 " should be >= memory limit %" PRId64,
			       swap, memory);
	else
		*ret = swap - memory;
	return 0;
}

static int set_or_max(const struct cg_job *j, const char *field, const char *file, int64_t v,
		      struct err *err)
{
	return v < 0 ? cg_set(j->dir, field, file, "max", err) : cg_set_i64(j->dir, field, file, v, err);
}

/* Refuse limits below the usage: unlike v1 the kernel would start killing. */
static int check_usage(const struct cg_job *j, int64_t limit, int64_t swap, struct err *err)
{
	uint64_t usage;

	if (!j->r->memory.check_before_update || cg_read_u64(j->dir->path, "memory.current", &usage) < 0)
		return 0;
	if (swap > 0 && (uint64_t) swap <= usage)
		return err_msg(err, -EBUSY, "rejecting memory+swap limit %" PRId64 " <= usage %" PRIu64,
			       swap, usage);
	if (limit > 0 && (uint64_t) limit <= usage)
		return err_msg(err, -EBUSY, "rejecting memory limit %" PRId64 " <= usage %" PRIu64, limit,
			       usage);
	return 0;
}

/* A limit as it is now, -1 for none or when there is no such file. */
static int64_t current_limit(const struct cg_job *j, const char *file)
{
	uint64_t v;

	return cg_read_u64(j->dir->path, file, &v) < 0 || v > INT64_MAX ? -1 : (int64_t) v;
}

/* Fill in the half of memory and memory+swap that an update leaves as it is. */
static void complete(const struct cg_job *j, int64_t *limit, int64_t *swap)
{
	int64_t now, now_swap;

	if (!j->update || (*limit != 0) == (*swap != 0) || *limit == -1)
		return;
	now = current_limit(j, "memory.max");
	if (*limit == 0) {
		*limit = now;
		return;
	}
	now_swap = current_limit(j, "memory.swap.max");
	if (now > 0 && now_swap >= 0)
		*swap = now + now_swap;
}

int cg_v2_swap(const struct cg_job *j, int64_t *ret, struct err *err)
{
	const struct oci_memory *m = &j->r->memory;
	int64_t limit = m->limit.set ? m->limit.v : 0, swap = m->swap.set ? m->swap.v : 0, max = 0;
	int r = 0;

	if (j->dir != NULL)
		r = check_usage(j, limit, swap, err);
	if (r < 0)
		return r;
	if (j->dir != NULL)
		complete(j, &limit, &swap);
	r = cg_swap_max(swap, limit, &max, err);
	if (r == 0)
		*ret = max != 0 || swap > 0 ? max : INT64_MIN;
	return r;
}

int cg_v2_memory(const struct cg_job *j, struct err *err)
{
	const struct oci_memory *m = &j->r->memory;
	int64_t swap;
	int r = cg_v2_swap(j, &swap, err);

	if (r < 0)
		return r;
	if (swap != INT64_MIN) {
		r = set_or_max(j, "memory.swap", "memory.swap.max", swap, err);
		if (r < 0 && !(r == -ENOENT && swap <= 0)) /* no swap to limit or to forbid */
			return r;
	}
	r = 0;
	if (m->limit.set && m->limit.v != 0)
		r = set_or_max(j, "memory.limit", "memory.max", m->limit.v, err);
	if (r == 0 && m->reservation.set && m->reservation.v != 0)
		r = set_or_max(j, "memory.reservation", "memory.low", m->reservation.v, err);
	if (m->disable_oom_killer_set && m->disable_oom_killer)
		log_warning("linux.resources.memory.disableOOMKiller: cgroup v2 cannot do it, ignored");
	return r;
}

static int set_cpu_max(const struct cg_job *j, struct err *err)
{
	const struct oci_cpu *c = &j->r->cpu;
	bool quota = c->quota.set && c->quota.v != 0, period = c->period.set && c->period.v != 0;
	char text[64] = "max";
	size_t n;

	if (!quota && !period)
		return 0;
	if (quota && c->quota.v > 0) {
		(void) snprintf(text, sizeof(text), "%" PRId64, c->quota.v);
	} else if (!quota && j->update) { /* the quota it has, "max 100000\n" */
		_cleanup_(str_fini) struct str now = { 0 };

		if (cg_read(j->dir->path, "cpu.max", &now) == 0)
			(void) snprintf(text, sizeof(text), "%.*s", (int) strcspn(now.p, " \n"), now.p);
	}
	n = strlen(text);
	if (period)
		(void) snprintf(text + n, sizeof(text) - n, " %" PRIu64, c->period.v);
	return cg_set(j->dir, quota ? "cpu.quota" : "cpu.period", "cpu.max", text, err);
}

int cg_v2_cpu(const struct cg_job *j, struct err *err)
{
	const struct oci_cpu *c = &j->r->cpu;
	bool again = false;
	int r = 0;

	if (c->idle.set)
		r = cg_set_i64(j->dir, "cpu.idle", "cpu.idle", c->idle.v, err);
	if (c->shares.set && c->shares.v != 0 && c->idle.set && c->idle.v == 1)
		log_warning("unable to apply both linux.resources.cpu.shares and cpu.idle, ignoring shares");
	else if (r == 0 && c->shares.set && c->shares.v != 0)
		r = cg_set_u64(j->dir, "cpu.shares", "cpu.weight", cg_cpu_weight(c->shares.v), err);
	if (r == 0 && c->burst.set) {
		r = cg_set_u64(j->dir, "cpu.burst", "cpu.max.burst", c->burst.v, err);
		again = r == -EINVAL && c->quota.set; /* above the old quota */
		if (again)
			r = 0;
	}
	if (r == 0)
		r = set_cpu_max(j, err);
	if (r == 0 && again)
		r = cg_set_u64(j->dir, "cpu.burst", "cpu.max.burst", c->burst.v, err);
	if (r == 0 && ((c->rt_period.set && c->rt_period.v != 0) ||
		       (c->rt_runtime.set && c->rt_runtime.v != 0)))
		log_warning("linux.resources.cpu: realtime limits have no counterpart in cgroup v2, ignored");
	return r;
}

int cg_v2_cpuset(const struct cg_job *j, struct err *err)
{
	int r = 0;

	if (j->r->cpu.cpus != NULL)
		r = cg_set(j->dir, "cpu.cpus", "cpuset.cpus", j->r->cpu.cpus, err);
	if (r == 0 && j->r->cpu.mems != NULL)
		r = cg_set(j->dir, "cpu.mems", "cpuset.mems", j->r->cpu.mems, err);
	return r;
}

/*
 * Write a weight to io.bfq.weight, whose scale is that of v1, or converted to io.weight.
 * @device: "8:0 " or "" for the default of all devices
 */
static int set_io_weight(const struct cg_job *j, const char *field, const char *device,
			 uint64_t weight, struct err *err)
{
	char text[96];
	int r;

	(void) snprintf(text, sizeof(text), "%s%" PRIu64, device, weight);
	r = cg_write(j->dir->path, "io.bfq.weight", text);
	if (r != -ENOENT)
		return r < 0 ? cg_set_failed(j->dir, field, "io.bfq.weight", text, r, err) : 0;
	(void) snprintf(text, sizeof(text), "%s%" PRIu64, device, cg_io_weight(weight));
	return cg_set(j->dir, field, "io.weight", text, err);
}

int cg_v2_io(const struct cg_job *j, struct err *err)
{
	static const struct {
		const char *field, *key;
	} throttle[OCI_THROTTLE_N_] = {
		[OCI_READ_BPS] = { "blockIO.throttleReadBpsDevice", "rbps" },
		[OCI_WRITE_BPS] = { "blockIO.throttleWriteBpsDevice", "wbps" },
		[OCI_READ_IOPS] = { "blockIO.throttleReadIOPSDevice", "riops" },
		[OCI_WRITE_IOPS] = { "blockIO.throttleWriteIOPSDevice", "wiops" },
	};
	const struct oci_block_io *b = &j->r->block_io;
	char text[96];
	int r = 0;

	if (b->weight.set && b->weight.v != 0)
		r = set_io_weight(j, "blockIO.weight", "", b->weight.v, err);
	for (size_t i = 0; i < b->nr_weight_devices && r == 0; i++) {
		const struct oci_weight_device *d = &b->weight_devices[i];

		(void) snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64 " ", d->major, d->minor);
		if (d->weight.set && d->weight.v != 0)
			r = set_io_weight(j, "blockIO.weightDevice", text, d->weight.v, err);
	}
	for (size_t t = 0; t < OCI_THROTTLE_N_; t++) {
		for (size_t i = 0; i < b->throttle[t].n && r == 0; i++) {
			const struct oci_throttle_device *d = &b->throttle[t].v[i];

			if (d->rate != 0)
				(void) snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64 " %s=%" PRIu64,
						d->major, d->minor, throttle[t].key, d->rate);
			else /* v1 takes 0 for "no limit" */
				(void) snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64 " %s=max",
						d->major, d->minor, throttle[t].key);
			r = cg_set(j->dir, throttle[t].field, "io.max", text, err);
		}
	}
	return r;
}

int cg_v2_hugetlb(const struct cg_job *j, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < j->r->nr_hugepages && r == 0; i++) {
		const struct oci_hugepage_limit *h = &j->r->hugepages[i];
		char file[64], text[32];

		if (strchr(h->page_size, '/') != NULL || strlen(h->page_size) > 16)
			return err_msg(err, -EINVAL, "linux.resources.hugepageLimits: '%.32s' is no page size",
				       h->page_size);
		(void) snprintf(text, sizeof(text), "%" PRIu64, h->limit);
		(void) snprintf(file, sizeof(file), "hugetlb.%s.max", h->page_size);
		r = cg_set(j->dir, "hugepageLimits", file, text, err);
		if (r < 0)
			return r;
		(void) snprintf(file, sizeof(file), "hugetlb.%s.rsvd.max", h->page_size);
		r = cg_write(j->dir->path, file, text);
		if (r == -ENOENT) /* before 5.7 */
			r = 0;
		if (r < 0)
			return cg_set_failed(j->dir, "hugepageLimits", file, text, r, err);
	}
	return r;
}

/* Say which controller is missing when the file of one cannot be opened. */
static int unified_failed(const struct cg_job *j, const struct oci_pair *p, int r, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 }, word = { 0 };
	size_t n = strcspn(p->key, ".");

	if ((r != -ENOENT && r != -EACCES && r != -EPERM) || cg_read(j->dir->path, "cgroup.controllers", &s) < 0)
		return err_set(err, r, "unable to set unified resource \"%s\" to '%.64s'", p->key, p->value);
	for (char *c = s.p; *c != '\0'; c++)
		if (*c == ' ' || *c == '\n')
			*c = ',';
	str_add(&word, p->key, n);
	if (word.failed || str_eq(word.p, "cgroup") || cg_hier_has(s.p, word.p))
		return err_set(err, r, "unable to set unified resource \"%s\" to '%.64s'", p->key, p->value);
	if (!j->cg->unified && cg_v1(j->cg, str_eq(word.p, "io") ? "blkio" : word.p) != NULL)
		return err_msg(err, -EINVAL,
			       "invalid configuration: unified resource \"%s\" can't be set: controller \"%s\" is in cgroup v1 on this host",
			       p->key, word.p);
	return err_msg(err, r, "unified resource \"%s\" can't be set: controller \"%s\" not available",
		       p->key, word.p);
}

int cg_v2_unified(const struct cg_job *j, struct err *err)
{
	for (size_t i = 0; i < j->r->unified.n; i++) {
		const struct oci_pair *p = &j->r->unified.v[i];

		if (strchr(p->key, '/') != NULL)
			return err_msg(err, -EINVAL, "unified resource \"%s\" must be a file name (no slashes)", p->key);
		if (strchr(p->key, '.') == NULL)
			return err_msg(err, -EINVAL,
				       "unified resource \"%s\" must be in the form CONTROLLER.PARAMETER", p->key);
		for (const char *v = p->value; *v != '\0';) { /* files of lines take one line per write */
			_cleanup_(str_fini) struct str line = { 0 };
			size_t n = strcspn(v, "\n");
			int r;

			str_add(&line, v, n);
			r = line.failed ? -ENOMEM : cg_write(j->dir->path, p->key, line.p);
			if (r < 0)
				return unified_failed(j, p, r, err);
			v += n;
			v += *v == '\n';
		}
	}
	return 0;
}

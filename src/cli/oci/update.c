/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/oci/runtime.h"
#include "cli/oci/verb.h"
#include "oci/cgroup.h"
#include "oci/container.h"
#include "oci/process.h"

struct update_opts {
	const char *resources, *memory, *memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp;
	const char *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_rt_period, *cpu_rt_runtime, *cpu_idle;
	const char *cpuset_cpus, *cpuset_mems, *pids_limit, *blkio_weight, *l3_cache_schema, *mem_bw_schema;
};

#define UPDATE_OPT(opt_name, letter, field, help) \
	{ opt_name, letter, OPT_STRING, offsetof(struct update_opts, field), "VALUE", help }

static const struct opt update_table[] = {
	UPDATE_OPT("resources", 'r', resources, "file with a resources object (JSON), - for standard input"),
	UPDATE_OPT("blkio-weight", 0, blkio_weight, "block I/O weight, 10 to 1000"),
	UPDATE_OPT("cpu-period", 0, cpu_period, "CFS period in microseconds"),
	UPDATE_OPT("cpu-quota", 0, cpu_quota, "CFS quota in microseconds, -1 for none"),
	UPDATE_OPT("cpu-burst", 0, cpu_burst, "CFS burst in microseconds"),
	UPDATE_OPT("cpu-share", 0, cpu_share, "CPU shares, relative to other containers"),
	UPDATE_OPT("cpu-rt-period", 0, cpu_rt_period, "realtime period in microseconds"),
	UPDATE_OPT("cpu-rt-runtime", 0, cpu_rt_runtime, "realtime quota in microseconds"),
	UPDATE_OPT("cpu-idle", 0, cpu_idle, "1: SCHED_IDLE for the whole container"),
	UPDATE_OPT("cpuset-cpus", 0, cpuset_cpus, "processors to use, e.g. 0-3,7"),
	UPDATE_OPT("cpuset-mems", 0, cpuset_mems, "memory nodes to use"),
	UPDATE_OPT("kernel-memory", 0, kernel_memory, "obsolete, ignored"),
	UPDATE_OPT("kernel-memory-tcp", 0, kernel_memory_tcp, "obsolete, ignored"),
	UPDATE_OPT("memory", 0, memory, "memory limit in bytes, -1 for none"),
	UPDATE_OPT("memory-reservation", 0, memory_reservation, "soft limit in bytes"),
	UPDATE_OPT("memory-swap", 0, memory_swap, "memory plus swap in bytes, -1 for no limit"),
	UPDATE_OPT("pids-limit", 0, pids_limit, "number of processes, -1 for no limit"),
	UPDATE_OPT("l3-cache-schema", 0, l3_cache_schema, "Intel RDT L3 cache schema"),
	UPDATE_OPT("mem-bw-schema", 0, mem_bw_schema, "Intel RDT memory bandwidth schema"),
	{ 0 },
};

static int set_u64(const char *name, const char *text, struct opt_u64 *ret, struct err *err)
{
	if (text == NULL || *text == '\0')
		return 0;
	if (str_to_u64(text, &ret->v) < 0)
		return err_msg(err, -EINVAL, "invalid value for %s: '%s' is not a number", name, text);
	ret->set = true;
	return 0;
}

/* A number of bytes: plain, or with a unit as runc takes them (k, m, g). */
static int set_i64(const char *name, const char *text, struct opt_i64 *ret, struct err *err)
{
	static const char units[] = "kmgt";
	_cleanup_free_ char *copy = NULL;
	const char *unit;
	size_t n;
	int64_t v;

	if (text == NULL || *text == '\0')
		return 0;
	copy = strdup(text);
	if (copy == NULL)
		return err_set(err, -ENOMEM, "%s", name);
	n = strlen(copy);
	unit = strchr(units, copy[n - 1] | 0x20);
	if (n > 1 && unit != NULL)
		copy[n - 1] = '\0';
	else
		unit = NULL;
	if (str_to_i64(copy, &v) < 0 ||
	    (unit != NULL && __builtin_mul_overflow(v, INT64_C(1) << (10 * (unit - units + 1)), &v)))
		return err_msg(err, -EINVAL, "invalid value for %s: '%s' is not a number", name, text);
	*ret = (struct opt_i64){ .set = true, .v = v };
	return 0;
}

static int from_flags(const struct update_opts *o, struct oci_resources *res, struct err *err)
{
	const struct { const char *name, *text; struct opt_u64 *to; } u[] = {
		{ "blkio-weight", o->blkio_weight, &res->block_io.weight },
		{ "cpu-period", o->cpu_period, &res->cpu.period },
		{ "cpu-burst", o->cpu_burst, &res->cpu.burst },
		{ "cpu-share", o->cpu_share, &res->cpu.shares },
		{ "cpu-rt-period", o->cpu_rt_period, &res->cpu.rt_period },
	};
	const struct { const char *name, *text; struct opt_i64 *to; } i[] = {
		{ "cpu-quota", o->cpu_quota, &res->cpu.quota },
		{ "cpu-rt-runtime", o->cpu_rt_runtime, &res->cpu.rt_runtime },
		{ "cpu-idle", o->cpu_idle, &res->cpu.idle },
		{ "memory", o->memory, &res->memory.limit },
		{ "memory-reservation", o->memory_reservation, &res->memory.reservation },
		{ "memory-swap", o->memory_swap, &res->memory.swap },
		{ "pids-limit", o->pids_limit, &res->pids_limit },
	};
	int r = 0;

	for (size_t k = 0; r == 0 && k < ARRAY_LEN(u); k++)
		r = set_u64(u[k].name, u[k].text, u[k].to, err);
	for (size_t k = 0; r == 0 && k < ARRAY_LEN(i); k++)
		r = set_i64(i[k].name, i[k].text, i[k].to, err);
	res->cpu.cpus = (char *) o->cpuset_cpus;
	res->cpu.mems = (char *) o->cpuset_mems;
	return r;
}

static int from_file(const char *path, struct oci_spec *spec, struct oci_resources *res, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	bool in = strcmp(path, "-") == 0;
	int r = in ? fd_read_str(STDIN_FILENO, OCI_SPEC_SIZE_MAX, &text) :
		     file_read(AT_FDCWD, path, OCI_SPEC_SIZE_MAX, &text);

	if (r < 0)
		return err_set(err, r, "read '%s'", path);
	return oci_resources_parse(spec, in ? "standard input" : path, text.p, text.len, res, err);
}

static int update_rdt(const struct update_opts *o, struct oci_container *c, struct err *err)
{
	struct oci_intel_rdt *rdt = c->spec->linux.intel_rdt;

	if (o->l3_cache_schema == NULL && o->mem_bw_schema == NULL)
		return 0;
	if (rdt == NULL)
		return err_msg(err, -EINVAL, "Intel RDT: the container was created without intelRdt");
	if (o->l3_cache_schema != NULL)
		rdt->l3_cache_schema = (char *) o->l3_cache_schema;
	if (o->mem_bw_schema != NULL)
		rdt->mem_bw_schema = (char *) o->mem_bw_schema;
	return oci_rdt_update(c->spec, c->id, err);
}

static int update_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	const struct update_opts *o = data;
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	struct oci_resources res = { 0 };
	int r = oci_container_open(cli->root, argv[0], &c, err);

	(void) argc;
	if (r == 0)
		r = oci_container_spec(c, err);
	if (r == 0)
		r = oci_container_cgroup(c, err);
	if (r < 0)
		return r;
	if (!oci_container_alive(c))
		return err_msg(err, -ESRCH, "container not running");
	if (c->cgroup == NULL)
		return err_msg(err, -EINVAL, "container '%s' has no cgroup to update", argv[0]);
	r = o->resources != NULL ? from_file(o->resources, c->spec, &res, err) : from_flags(o, &res, err);
	if (r == 0 && oci_runtime.update != NULL)
		r = oci_runtime.update(c, &res, err);
	if (r == 0)
		r = oci_cgroup_apply(c->cgroup, &res, true, err);
	return r == 0 ? update_rdt(o, c, err) : r;
}

OCI_VERB(verb_update) = {
	.name = "update",
	.args = "<container-id>",
	.summary = "change the resource limits of a container",
	.min_args = 1,
	.max_args = 1,
	.opts = update_table,
	.opts_size = sizeof(struct update_opts),
	.run = update_run,
	.interspersed = true,
};

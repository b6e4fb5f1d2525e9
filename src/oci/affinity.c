/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "oci/cpulist.h"
#include "oci/init.h"
#include "oci/process.h"
#include "oci/process_parts.h"

static int set_list(const char *field, const char *list, struct err *err)
{
	struct cpulist cpus;
	int r = cpulist_parse(list, &cpus, err);

	if (r < 0)
		return err_wrap(err, r, "bad process.execCPUAffinity.%s '%s'", field, list);
	if (syscall(SYS_sched_setaffinity, 0, sizeof(cpus.bits), cpus.bits) < 0)
		return err_set(err, -errno, "error setting %s CPU affinity '%s'", field, list);
	return 0;
}

/* The mask of the first CPUs, as a person debugging an exec wants it. */
static void log_affinity(void)
{
	unsigned long cpus[CPULIST_MAX / (8 * sizeof(unsigned long))] = { 0 };

	if (log_enabled(LOG_LEVEL_DEBUG) &&
	    syscall(SYS_sched_getaffinity, 0, sizeof(cpus), cpus) > 0)
		log_debug("nsexec[%d]: affinity: 0x%lx", (int) getpid(), cpus[0]);
}

int oci_process_affinity(const struct oci_process *process, struct err *err)
{
	int r = 0;

	if (process->cpu_affinity_initial != NULL)
		r = set_list("initial", process->cpu_affinity_initial, err);
	if (r == 0)
		log_affinity();
	return r;
}

/*
 * Allow every CPU, also those that are not online yet: the kernel cuts the mask to what the cgroup's
 * cpuset allows now and later.
 */
static void reset(void)
{
	unsigned long all[CPULIST_MAX / (8 * sizeof(unsigned long))];

	memset(all, 0xff, sizeof(all));
	if (syscall(SYS_sched_setaffinity, 0, sizeof(all), all) < 0)
		log_warning("cannot reset the CPU affinity: %s, the container keeps that of its "
			    "starter", strerror(errno));
}

int oci_affinity_final(const struct oci_init *init, struct err *err)
{
	const struct oci_process *p = init->process;

	if (init->exec) {
		if (p->cpu_affinity_final != NULL)
			return set_list("final", p->cpu_affinity_final, err);
		if (p->cpu_affinity_initial != NULL)
			return 0;
	}
	reset();
	return 0;
}

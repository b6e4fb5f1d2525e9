/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/ioprio.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "oci/process_parts.h"
#include "oci/spec.h"

/* First version of the kernel's struct sched_attr; linux/sched/types.h clashes with sched.h */
struct sched_attr_v0 {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

_Static_assert(sizeof(struct sched_attr_v0) == 48, "SCHED_ATTR_SIZE_VER0");

int oci_scheduler_set(const struct oci_process *process, bool cpus_limited, struct err *err)
{
	const struct oci_scheduler *s = process->scheduler;

	if (s == NULL)
		return 0;

	struct sched_attr_v0 attr = {
		.size = sizeof(attr),
		.policy = s->policy,
		.flags = s->flags,
		.nice = s->nice,
		.priority = s->priority,
		.runtime = s->runtime,
		.deadline = s->deadline,
		.period = s->period,
	};
	if (syscall(SYS_sched_setattr, 0, &attr, 0) == 0)
		return 0;
	if (errno == EPERM && cpus_limited)
		return err_msg(err, -EPERM,
			       "process scheduler can't be used together with AllowedCPUs");
	return err_set(err, -errno, "error setting scheduler");
}

int oci_ioprio_set(const struct oci_process *process, struct err *err)
{
	if (!process->io_priority.set)
		return 0;
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		    IOPRIO_PRIO_VALUE(process->io_priority.class, process->io_priority.priority)) < 0)
		return err_set(err, -errno, "failed to set io priority");
	return 0;
}

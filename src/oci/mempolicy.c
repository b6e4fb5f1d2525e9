/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "oci/cpulist.h"
#include "oci/process_parts.h"
#include "oci/spec.h"

int oci_mempolicy_set(const struct oci_memory_policy *policy, struct err *err)
{
	int mode = policy->mode & ~MPOL_MODE_FLAGS, r;
	struct cpulist nodes = { 0 };

	if (policy->nodes != NULL && *policy->nodes != '\0') {
		r = cpulist_parse(policy->nodes, &nodes, err);
		if (r < 0)
			return err_wrap(err, r, "invalid memory policy nodes '%s'", policy->nodes);
	}
	if ((mode == MPOL_DEFAULT || mode == MPOL_LOCAL) && nodes.count > 0)
		return err_msg(err, -EINVAL, "memory policy mode requires 0 nodes but got %zu",
			       nodes.count);
	if (mode != MPOL_DEFAULT && mode != MPOL_LOCAL && mode != MPOL_PREFERRED &&
	    nodes.count == 0)
		return err_msg(err, -EINVAL,
			       "memory policy mode requires at least one node but got 0");

	/* the kernel reads one bit less than it is told */
	if (syscall(SYS_set_mempolicy, policy->mode, nodes.count > 0 ? nodes.bits : NULL,
		    nodes.count > 0 ? nodes.highest + 2UL : 0) < 0)
		return err_set(err, -errno, "set_mempolicy of nodes '%s'",
			       policy->nodes != NULL ? policy->nodes : "");
	return 0;
}

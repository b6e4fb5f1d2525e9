/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/err.h"
#include "oci/cgroup_priv.h"

int cg_unit_place(struct oci_cgroup *cg, struct err *err)
{
	(void) cg;
	return err_msg(err, -ENOSYS, "systemd cgroups are not built");
}

int cg_unit_start(struct oci_cgroup *cg, pid_t pid, struct err *err)
{
	(void) pid;
	return cg_unit_place(cg, err);
}

int cg_unit_update(const struct oci_cgroup *cg, const struct oci_resources *r, bool update,
		   struct err *err)
{
	(void) r;
	(void) update;
	return cg_unit_place((struct oci_cgroup *) cg, err);
}

int cg_unit_stop(const struct oci_cgroup *cg, struct err *err)
{
	return cg_unit_place((struct oci_cgroup *) cg, err);
}

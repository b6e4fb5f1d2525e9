/* SPDX-License-Identifier: MIT */
/**
 * DOC: what a virtual machine cannot be asked for
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/vm/vm_parts.h"

static int refuse(const char *what, const char *instead, struct err *err)
{
	return err_msg(err, -EOPNOTSUPP, "%s is not possible for a virtual machine: %s", what, instead);
}

static int check_namespaces(const struct eng_config *c, struct err *err)
{
	const struct {
		const char *name, *value;
	} all[] = { { "--pid", c->pid }, { "--ipc", c->ipc }, { "--uts", c->uts }, { "--cgroupns", c->cgroupns },
		  { "--network", c->network } };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i].value != NULL && (strcmp(all[i].value, "host") == 0 || str_starts(all[i].value, "container:")))
			return err_msg(err, -EOPNOTSUPP,
				       "%s %s is not possible for a virtual machine, which has a kernel of its own: use --isolation container",
				       all[i].name, all[i].value);
	if (c->userns_size != 0 || (c->userns != NULL && strcmp(c->userns, "host") != 0))
		return refuse("--userns", "its users are its own already; leave the option out", err);
	return 0;
}

int vm_check(const struct eng_config *c, struct err *err)
{
	int r = check_namespaces(c, err);

	if (r < 0)
		return r;
	if (c->devices.n > 0 || c->device_rules.n > 0)
		return refuse("--device", "the host's devices belong to the host's kernel; use --isolation container", err);
	if (c->memory != 0 && c->memory < ENG_VM_MEMORY_MIN)
		return err_msg(err, -EINVAL, "--memory: a virtual machine needs at least %llum for its kernel",
			       ENG_VM_MEMORY_MIN >> 20);
	if (c->oom_kill_disable)
		return refuse("--oom-kill-disable", "its own kernel decides; give it more --memory", err);
	for (size_t i = 0; i < c->nr_mounts; i++)
		if (c->mounts[i].propagation != NULL && strstr(c->mounts[i].propagation, "private") == NULL)
			return refuse("mount propagation other than private", "mount it before the start", err);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: isolation, and what only a virtual machine has
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/run_config.h"
#include "cli/run_parts.h"
#include "engine/backend.h"
#include "engine/config.h"

#define VCPUS_MAX 64

const char *run_isolation(const struct run_opts *o)
{
	if (o->isolation != NULL)
		return o->isolation;
	return o->vm ? "vm" : "container";
}

int run_machine(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	static const char *const accels[] = { "auto", "kvm", "soft" };
	bool vm = strcmp(run_isolation(o), "vm") == 0;
	size_t i = 0;
	int r;

	if (eng_backend_find(run_isolation(o)) == NULL)
		return err_msg(err, -EINVAL, "invalid isolation '%.64s': use 'container' or 'vm'", run_isolation(o));
	if (o->vm && !vm)
		return err_msg(err, -EINVAL, "--vm and --isolation %s exclude each other", run_isolation(o));
	if (!vm && (o->kernel != NULL || o->append != NULL || o->accel != NULL || o->vcpus != 0))
		return err_msg(err, -EINVAL, "--%s is for virtual machines: add --vm",
			       o->kernel != NULL   ? "kernel"
			       : o->append != NULL ? "append"
			       : o->accel != NULL  ? "accel"
						   : "vcpus");
	while (o->accel != NULL && i < ARRAY_LEN(accels) && strcmp(accels[i], o->accel) != 0)
		i++;
	if (i == ARRAY_LEN(accels))
		return err_msg(err, -EINVAL, "--accel '%.64s': auto, kvm and soft are known", o->accel);
	if (o->vcpus > VCPUS_MAX)
		return err_msg(err, -EINVAL, "--vcpus: %llu is more than %d", (unsigned long long) o->vcpus, VCPUS_MAX);
	c->vcpus = o->vcpus;
	r = run_text(c, o->kernel, &c->kernel, err);
	if (r == 0)
		r = run_text(c, o->append, &c->append, err);
	return r == 0 ? run_text(c, o->accel, &c->accel, err) : r;
}

/* SPDX-License-Identifier: MIT */
#include <limits.h>

#include "cli/oci/runtime.h"
#include "engine/engine.h"
#include "engine/vm/bundle.h"
#include "oci/create.h"
#include "sys/exe.h"

/* Kernels are those of the store. */
static int create(const struct oci_create_opts *opts, struct oci_created *ret, struct err *err)
{
	struct engine *e;
	char monitor[PATH_MAX];
	int r;

	(void) exe_helper("cleave-monitor", monitor, sizeof(monitor)); /* machines of bundles have none */
	r = eng_open(NULL, NULL, monitor, &e, err);
	if (r < 0)
		return r;
	r = vm_bundle_create(e, opts, ret, err);
	eng_close(e);
	return r;
}

const struct oci_runtime oci_runtime = { .name = "cleave-oci-vm", .apart = true, .create = create, .exec = vm_bundle_exec,
					 .update = vm_bundle_update };

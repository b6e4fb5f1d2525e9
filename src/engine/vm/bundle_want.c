/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/vm/bundle.h"
#include "engine/vm/bundle_parts.h"
#include "engine/vm/cgroup.h"
#include "engine/vm/machine.h"
#include "oci/container.h"
#include "oci/ns.h"
#include "oci/spec.h"

#define CPUS_MAX 64u

/* Nothing of the host's kernel can be joined; a network that is there is left alone. */
static int check_namespaces(const struct oci_spec *spec, struct err *err)
{
	const struct oci_namespace *ns = spec->linux.namespaces;

	for (int i = 0; i < OCI_NS_N_; i++)
		if (ns[i].path != NULL && i != OCI_NS_NETWORK)
			return err_msg(err, -EOPNOTSUPP,
				       "linux.namespaces: a virtual machine cannot join the %s namespace '%s': use cleave-oci",
				       oci_ns_infos[i].name, ns[i].path);
	if (!ns[OCI_NS_NETWORK].set)
		return err_msg(err, -EOPNOTSUPP,
			       "linux.namespaces: a virtual machine cannot have the host's network: use cleave-oci");
	if (ns[OCI_NS_USER].set)
		return err_msg(err, -EOPNOTSUPP,
			       "linux.namespaces: a virtual machine has users of its own: leave the user namespace out");
	return 0;
}

/* Engines list those that every container has. */
static int check_devices(const struct oci_spec *spec, struct err *err)
{
	static const char *const usual[] = { "/dev/null",   "/dev/zero", "/dev/full",	 "/dev/random",
					     "/dev/urandom", "/dev/tty",  "/dev/console" };

	for (size_t i = 0; i < spec->linux.nr_devices; i++) {
		const char *path = spec->linux.devices[i].path;
		size_t k = 0;

		while (k < sizeof(usual) / sizeof(usual[0]) && strcmp(path, usual[k]) != 0)
			k++;
		if (k == sizeof(usual) / sizeof(usual[0]))
			return err_msg(err, -EOPNOTSUPP,
				       "linux.devices: a virtual machine cannot have the host's device '%s': use cleave-oci",
				       path);
	}
	return 0;
}

static int count_cpus(const struct oci_spec *spec, uint64_t *ret, struct err *err)
{
	const struct oci_cpu *cpu = &spec->linux.resources.cpu;
	const char *note = oci_spec_annotation(spec, VM_NOTE_CPUS);

	*ret = 1;
	if (note != NULL && (str_to_u64(note, ret) < 0 || *ret == 0 || *ret > CPUS_MAX))
		return err_msg(err, -EINVAL, "annotation " VM_NOTE_CPUS ": '%.32s' is no number from 1 to %u", note, CPUS_MAX);
	if (note == NULL && cpu->quota.set && cpu->quota.v > 0 && cpu->period.set && cpu->period.v > 0)
		*ret = ((uint64_t) cpu->quota.v + cpu->period.v - 1) / cpu->period.v;
	*ret = *ret < CPUS_MAX ? *ret : CPUS_MAX;
	return 0;
}

int vm_bundle_want(const struct oci_spec *spec, struct vm_want *ret, struct err *err)
{
	const struct oci_memory *memory = &spec->linux.resources.memory;
	int r = check_namespaces(spec, err);

	if (r == 0)
		r = check_devices(spec, err);
	*ret = (struct vm_want) {
		.kernel = oci_spec_annotation(spec, VM_NOTE_KERNEL),
		.append = oci_spec_annotation(spec, VM_NOTE_APPEND),
		.accel = oci_spec_annotation(spec, VM_NOTE_ACCEL),
		.memory = memory->limit.set && memory->limit.v > 0 ? (uint64_t) memory->limit.v : 0,
	};
	if (r == 0 && ret->memory != 0 && ret->memory < ENG_VM_MEMORY_MIN)
		r = err_msg(err, -EINVAL,
			    "linux.resources.memory.limit: %llu is under the %llu that a virtual machine's kernel needs",
			    (unsigned long long) ret->memory, ENG_VM_MEMORY_MIN);
	return r == 0 ? count_cpus(spec, &ret->cpus, err) : r;
}

/* Engines repeat what they asked for before. */
static bool changes(const struct opt_i64 *want, const struct opt_i64 *have)
{
	int64_t now = have->set && have->v > 0 ? have->v : 0;

	return want->set && want->v != 0 && (want->v > 0 ? want->v : 0) != now;
}

int vm_bundle_update(const struct oci_container *c, struct oci_resources *res, struct err *err)
{
	const struct oci_resources *have = &c->spec->linux.resources;

	if (changes(&res->memory.limit, &have->memory.limit))
		return err_msg(err, -EOPNOTSUPP, "memory.limit: the memory of a virtual machine does not change while it runs: create it with another limit");
	if (changes(&res->pids_limit, &have->pids_limit))
		return err_msg(err, -EOPNOTSUPP, "pids.limit: a virtual machine counts its own processes: create it with another limit");
	vm_cgroup_limits(res);
	return 0;
}

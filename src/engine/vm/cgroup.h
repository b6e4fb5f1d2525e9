/* SPDX-License-Identifier: MIT */
#pragma once

struct engine;
struct err;
struct oci_cgroup;
struct oci_resources;
struct oci_spec;

/** vm_cgroup_limits() - leave only what the host limits: memory, processes and devices are the guest's */
void vm_cgroup_limits(struct oci_resources *res);

/**
 * vm_cgroup_enter() - make a cgroup for an instance, with its limits, and move this process there
 * The limit of memory is the size of the machine, so it is none of the cgroup.
 * Return: 0; -errno with a message.
 */
int vm_cgroup_enter(struct engine *e, const char *id, const struct oci_spec *spec, struct err *err);

/** vm_cgroup_open() - that of an instance; free with oci_cgroup_free(); -ENOENT it has none */
int vm_cgroup_open(struct engine *e, const char *id, struct oci_cgroup **ret, struct err *err);

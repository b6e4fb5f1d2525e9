/* SPDX-License-Identifier: MIT */
#pragma once

struct engine;
struct err;
struct oci_cgroup;
struct oci_spec;

/**
 * vm_cgroup_enter() - make a cgroup for an instance, with its limits, and move this process there
 * The limit of memory is the size of the machine, so it is none of the cgroup.
 * Return: 0; -errno with a message.
 */
int vm_cgroup_enter(struct engine *e, const char *id, struct oci_spec *spec, struct err *err);

/** vm_cgroup_open() - that of an instance; free with oci_cgroup_free(); -ENOENT it has none */
int vm_cgroup_open(struct engine *e, const char *id, struct oci_cgroup **ret, struct err *err);

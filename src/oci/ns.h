/* SPDX-License-Identifier: MIT */
#pragma once

#include "oci/spec.h"

/** struct oci_ns_info - names and clone flag of a namespace kind */
struct oci_ns_info {
	const char *name; /* in config.json */
	const char *proc; /* file in /proc/<pid>/ns */
	unsigned long clone_flag; /* CLONE_NEW* */
};

extern const struct oci_ns_info oci_ns_infos[OCI_NS_N_];

/** oci_ns_is_new() - the container gets its own new namespace of this kind */
static inline bool oci_ns_is_new(const struct oci_spec *spec, enum oci_ns ns)
{
	return spec->linux.namespaces[ns].set && spec->linux.namespaces[ns].path == NULL;
}

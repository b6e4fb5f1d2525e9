/* SPDX-License-Identifier: MIT */
/*
 * Names of config.json that stand for a number of the kernel or of libseccomp.  The parser reads them
 * and the "features" verb lists them, so that nothing is claimed which is not read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct oci_name - one name; rows are in the order "features" prints them */
struct oci_name {
	const char *name;
	uint32_t value;
};

/** struct oci_names - a table of @n rows */
struct oci_names {
	const struct oci_name *v;
	size_t n;
};

extern const struct oci_names oci_hook_names; /* enum oci_hook_kind */
extern const struct oci_names oci_rlimit_names; /* RLIMIT_* */
extern const struct oci_names oci_sched_names; /* SCHED_* */
extern const struct oci_names oci_sched_flag_names; /* SCHED_FLAG_* */
extern const struct oci_names oci_ioprio_names; /* IOPRIO_CLASS_* */
extern const struct oci_names oci_mpol_names; /* MPOL_* */
extern const struct oci_names oci_mpol_flag_names; /* MPOL_F_* */
extern const struct oci_names oci_propagation_names; /* MS_*, without MS_REC */
extern const struct oci_names oci_seccomp_action_names; /* SECCOMP_RET_* */
extern const struct oci_names oci_seccomp_op_names; /* enum scmp_compare */
extern const struct oci_names oci_seccomp_arch_names; /* SCMP_ARCH_* */
extern const struct oci_names oci_seccomp_flag_names; /* SECCOMP_FILTER_FLAG_*; 0: no effect */

/**
 * oci_name_find() - number of a name
 * @ret: untouched when unknown
 * Return: true when known.
 */
bool oci_name_find(const struct oci_names *names, const char *name, uint32_t *ret);

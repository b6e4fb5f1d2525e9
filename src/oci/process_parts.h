/* SPDX-License-Identifier: MIT */
/* The steps of oci_process_limits() and oci_process_identity(); included by the process files only. */
#pragma once

#include <stdbool.h>

struct err;
struct oci_init;
struct oci_memory_policy;
struct oci_process;

/** oci_scheduler_set() - process.scheduler; @cpus_limited words the EPERM of a restricted cpuset */
int oci_scheduler_set(const struct oci_process *process, bool cpus_limited, struct err *err);

/** oci_ioprio_set() - process.ioPriority */
int oci_ioprio_set(const struct oci_process *process, struct err *err);

/** oci_affinity_final() - affinity the process runs with; without any list every CPU */
int oci_affinity_final(const struct oci_init *init, struct err *err);

/** oci_mempolicy_set() - linux.memoryPolicy, which children inherit */
int oci_mempolicy_set(const struct oci_memory_policy *policy, struct err *err);

/** oci_keyring_join() - session keyring "_ses.<id>", labelled and searchable for a later exec */
int oci_keyring_join(const struct oci_init *init, struct err *err);

/**
 * oci_rdt_matches() - do the schemata of a group contain every value of one line?
 * @have: content of a schemata file, "L3:0=7ff;1=7ff\nMB:0=100\n"
 * @want: a line such as "L3:1=7ff"; zeros in front and case of digits do not matter
 * Return: true when it does.
 */
bool oci_rdt_matches(const char *have, const char *want);

/** oci_attr_write() - write @text to attr file @name of the calling thread; -errno without message */
int oci_attr_write(int proc_fd, const char *name, const char *text);

/**
 * oci_proc_open() - open a file of the host's procfs
 * @path: "self/..." and "thread-self/..." are followed, nothing else may be a link or a mount
 * Return: descriptor; -errno of openat2(2).
 */
int oci_proc_open(int proc_fd, const char *path, int flags);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct oci_cgroup;

/**
 * struct oci_usage - what a container uses now; what cannot be told is 0
 * @cpu_ns: processor time so far
 * @memory: bytes, without file pages that the kernel can drop at once
 * @memory_limit: bytes, UINT64_MAX without one
 * @pids: processes and threads
 * @read, @written: bytes of block devices so far
 */
struct oci_usage {
	uint64_t cpu_ns, memory, memory_limit, pids, read, written;
};

/** oci_cgroup_usage() - read the counters that `stats` shows, and no more */
void oci_cgroup_usage(const struct oci_cgroup *cg, struct oci_usage *ret);

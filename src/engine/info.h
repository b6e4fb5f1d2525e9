/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct engine;
struct err;
struct str;

/**
 * struct eng_info - the store and the host
 * Strings live in the arena that was given.
 * @filesystem: that holds the store, as Docker names it: "extfs", "xfs", ...
 * @security: "name=seccomp,profile=builtin", ...
 */
struct eng_info {
	size_t instances, running, paused, images;
	const char *root, *filesystem, *hostname, *system, *system_version, *kernel, *machine;
	bool memory, swap, cpu_quota, cpu_shares, cpuset, pids, oom_kill_disable, forwarding;
	int cgroup_version;
	long cpus;
	uint64_t memory_bytes;
	const char *security[6];
	size_t nr_security;
};

/** eng_info_read() - 0 or -errno with a message */
int eng_info_read(struct engine *e, struct arena *arena, struct eng_info *ret, struct err *err);

/**
 * eng_info_json() - append it as a JSON object in the shape of Docker's
 * Spec: Docker Engine API 1.43, SystemInfo.
 */
void eng_info_json(const struct eng_info *info, struct str *ret);

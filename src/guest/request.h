/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest/proto/proto.h"

#define REQUEST_RLIMITS_MAX 16

/** struct request_rlimit - as of prlimit(2) */
struct request_rlimit {
	uint64_t resource, limit[2];
};

/**
 * struct request - a program to run; points into its message
 * @argv, @envp: end with NULL
 * @fields: all of them, for those that are used one by one
 */
struct request {
	const char **argv, **envp;
	uint32_t argc, envc;
	const char *cwd, *hostname, *domainname;
	uint64_t uid, gid, umask, caps, caps_bound, flags, oom_score, rows, columns, time, pids_max, number;
	uint32_t groups[GUEST_GROUPS_MAX];
	uint32_t nr_groups, nr_rlimits;
	struct request_rlimit rlimits[REQUEST_RLIMITS_MAX];
	struct guest_field filter, entropy;
	struct guest_in fields;
	void *memory;
	size_t size;
};

/**
 * request_parse() - read a message
 * @in: its fields; kept until request_fini()
 * Return: 0; -EPROTO, -E2BIG it makes no sense; -ENOMEM.
 */
int request_parse(const struct guest_in *in, struct request *ret);

/** request_fini() - release */
void request_fini(struct request *r);

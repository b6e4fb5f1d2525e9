/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "oci/spec.h"

struct err;
struct str;

enum oci_status {
	OCI_STATUS_CREATING,
	OCI_STATUS_CREATED,
	OCI_STATUS_RUNNING,
	OCI_STATUS_PAUSED,
	OCI_STATUS_STOPPED,
};

/**
 * struct oci_state - what is remembered about a container, state.json of its directory
 * @arena: owns the strings
 * @pid: its first process; @start_time tells it from a later process with the same pid
 * @created: RFC 3339, UTC
 * @owner: uid of the creator
 * @cgroup: text for oci_cgroup_open(), NULL without a cgroup
 */
struct oci_state {
	struct arena arena;
	char *version, *id, *bundle, *rootfs, *created;
	pid_t pid;
	uint64_t start_time;
	uid_t owner;
	char *cgroup;
	struct oci_pairs annotations;
};

/** oci_status_name() - the word of the spec; "paused" is runc's addition */
const char *oci_status_name(enum oci_status status);

/** oci_state_save() - write state.json atomically; 0 or -errno with a message */
int oci_state_save(int dir_fd, const struct oci_state *state, struct err *err);

/**
 * oci_state_load() - read state.json
 * @ret: filled; release with oci_state_fini()
 * Return: 0; -ENOENT there is none; -EINVAL damaged, with a message.
 */
int oci_state_load(int dir_fd, struct oci_state *ret, struct err *err);

/**
 * oci_state_json() - append the state object of the spec
 * @owner: add runc's fields rootfs, created and owner, this being the owner's name; NULL for none
 * @indent: pretty-print as `state` does
 * Spec: runtime-spec 1.3 runtime.md "State".
 */
void oci_state_json(const struct oci_state *state, enum oci_status status, const char *owner,
		    bool indent, struct str *ret);

/** oci_state_fini() - release */
void oci_state_fini(struct oci_state *state);

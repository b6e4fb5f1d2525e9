/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "oci/spec.h"

struct err;

/**
 * oci_userns_map() - write the id maps of a new user namespace
 * @pid: a process in it
 * @uids: borrows
 * @gids: borrows
 *
 * Writes the maps itself where the kernel lets it; an unprivileged caller that needs more than its
 * own id runs newuidmap and newgidmap.
 * Context: parent; may fork.
 * Return: 0; -errno with a message.
 * Spec: user_namespaces(7).
 */
int oci_userns_map(pid_t pid, const struct oci_idmaps *uids, const struct oci_idmaps *gids,
		   struct err *err);

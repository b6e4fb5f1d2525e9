/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct err;
struct oci_idmaps;
struct oci_init;
struct oci_mount;
struct oci_mount_opts;

/**
 * oci_idmap_userns() - a user namespace that has these mappings and nobody in it
 * @proc_fd: procfs
 *
 * Made by a child that lives only until the mappings are written.
 * Context: single thread; blocks.
 * Return: descriptor of the namespace; -errno with a message.
 */
int oci_idmap_userns(int proc_fd, const struct oci_idmaps *uids, const struct oci_idmaps *gids,
		     struct err *err);

/**
 * oci_idmap_for_mount() - the user namespace that maps a mount
 * @m: its own mappings are used if it has any
 * @o: then those of "idmap=uids=...;gids=..."; without, those of the container
 * Return: descriptor of the namespace; -EINVAL there are none; -errno with a message.
 */
int oci_idmap_for_mount(const struct oci_init *init, const struct oci_mount *m,
			const struct oci_mount_opts *o, struct err *err);

/**
 * oci_idmap_apply() - map a detached mount
 * Return: 0; -errno with a message.
 */
int oci_idmap_apply(int mnt, bool recursive, int userns_fd, struct err *err);

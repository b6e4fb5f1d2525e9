/* SPDX-License-Identifier: MIT */
/*
 * The first process of a container, between its clone3() and its execve().
 *
 * Two processes share this work.  The parent (the runtime) opens whatever needs the host's view
 * and privileges: the root file system, bind sources, the cgroup, host /proc.  The child, already in
 * its new namespaces, does the rest and never opens a host path after pivot_root.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "oci/spec.h"

struct err;
struct oci_cgroup;
struct oci_rootfs;

/**
 * struct oci_init - what the child works with; filled by the parent before the clone
 * @spec: borrows; the container's configuration
 * @process: borrows; spec->process, or the process of an exec
 * @id: container id
 * @bundle: absolute path of the bundle
 * @proc_fd: the host's procfs root, O_PATH, verified; "self" in it is the caller
 * @rootfs_fd: detached clone of the root file system tree (O_PATH); once mounted, the container's root
 * @rootfs_given: the caller of oci_create() made rootfs_fd, root.path is only where it is attached
 * @mount_fds: per spec->mounts: detached clone of a bind source (already id-mapped where asked),
 *             or -EBADF; NULL if none was needed
 * @rootfs: NULL; what oci_rootfs_mount() leaves for oci_rootfs_enter()
 * @cgroup: borrows; NULL when the container has none
 * @exec: the process joins a running container
 * @no_pivot: --no-pivot: MS_MOVE and chroot instead of pivot_root
 * @in_userns: the container has a user namespace of its own or joins one
 * @rootless: the runtime itself lacks CAP_SYS_ADMIN in the initial user namespace
 */
struct oci_init {
	const struct oci_spec *spec;
	const struct oci_process *process;
	const char *id;
	const char *bundle;
	int proc_fd;
	int rootfs_fd;
	bool rootfs_given;
	int *mount_fds;
	struct oci_rootfs *rootfs;
	struct oci_cgroup *cgroup;
	bool exec;
	bool no_pivot;
	bool in_userns;
	bool rootless;
};

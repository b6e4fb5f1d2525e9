/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct oci_init;

/**
 * oci_rootfs_open() - in the parent: open what needs the host's privileges
 * @init: borrows; rootfs_fd and mount_fds are set
 * @userns_fd: the container's user namespace for id-mapped mounts without own mappings, or -EBADF
 *
 * Clones the root file system's mount tree and, for a container in a user namespace or with
 * id-mapped mounts, every bind source, so that the child needs no access to host paths.
 * Context: parent, before the child exists or while it waits; single thread.
 * Return: 0; -errno with a message naming the mount.
 */
int oci_rootfs_open(struct oci_init *init, int userns_fd, struct err *err);

/** oci_rootfs_close() - in the parent: close what oci_rootfs_open() opened */
void oci_rootfs_close(struct oci_init *init);

/**
 * oci_rootfs_mount() - in the child: make the container's mount tree
 * @init: borrows
 *
 * Makes the copy of the host's mounts private or slave (linux.rootfsPropagation), attaches the root
 * file system, performs spec->mounts in order (each destination resolved inside the root, created
 * where missing), default and configured devices, /dev symlinks, /dev/ptmx.
 * The cgroup must have been joined already (cgroup mounts show it).
 * Context: child, in its mount namespace, still seeing host paths.
 * Return: 0; -errno with a message naming the mount, destination and what failed.
 * Spec: runtime-spec 1.3 config.md "Mounts", config-linux.md "Default Filesystems", "Devices".
 */
int oci_rootfs_mount(struct oci_init *init, struct err *err);

/**
 * oci_rootfs_enter() - in the child: make that tree the root, without a way back
 *
 * pivot_root (MS_MOVE with init->no_pivot), detaches the host's tree, applies read-only root,
 * propagation, sysctls, read-only and masked paths.  Afterwards the working directory is "/".
 * Return: 0; -errno with a message.
 */
int oci_rootfs_enter(struct oci_init *init, struct err *err);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct oci_init;
struct oci_mount;
struct oci_mount_opts;

/**
 * struct oci_rootfs - what the steps of building the tree tell each other
 * @root: absolute and clean host path of the root file system
 * @dev_fd: the container's /dev where it is ours to fill, else -EBADF
 * @null_mnt: of oci_device_clone_null(), for masks; -EBADF without masks
 * @late_ro: mounts that become read-only after everything in them was made
 * @nr_late_ro: number of @late_ro; there is room for one per mount of the configuration
 */
struct oci_rootfs {
	char root[PATH_MAX];
	int dev_fd;
	int null_mnt;
	int *late_ro;
	size_t nr_late_ro;
};

/**
 * oci_mount_do() - perform spec->mounts[@i]
 *
 * Context: child; umask 0; init->rootfs_fd is attached.
 * Return: 0; -errno with a message.
 */
int oci_mount_do(struct oci_init *init, size_t i, struct err *err);

/**
 * struct oci_mount_dest - where a mount goes
 * @clean: path below the container's root, as text
 * @existed: it was there already
 */
struct oci_mount_dest {
	char clean[PATH_MAX];
	bool existed;
};

/**
 * oci_mount_dest_open() - open a mount's destination, made if it is missing
 * @mnt: bind source, whose kind decides what is made; -EBADF for a new file system
 * @d: filled
 *
 * Return: O_PATH descriptor; -EPERM not a place to mount this; -errno, all with a message.
 */
int oci_mount_dest_open(const struct oci_init *init, const struct oci_mount *m,
			const struct oci_mount_opts *o, int mnt, struct oci_mount_dest *d,
			struct err *err);

/**
 * oci_mount_cgroup() - a mount of type "cgroup" or "cgroup2"
 * @o: its parsed options
 * @dest: what it covers
 * Return: 0; -errno with a message.
 */
int oci_mount_cgroup(struct oci_init *init, const struct oci_mount *m,
		     const struct oci_mount_opts *o, int dest, struct err *err);

/**
 * oci_mount_new() - detached mount of a new file system instance
 * @m: type, source and data options
 * @o: its parsed options
 * @mode: permission bits of a tmpfs root, -1 for the default
 * @ro: honour "ro" now
 * Return: descriptor; -errno with a message.
 */
int oci_mount_new(struct oci_init *init, const struct oci_mount *m, const struct oci_mount_opts *o,
		  int mode, bool ro, struct err *err);

/**
 * oci_mount_apply() - propagation and recursive attributes of a detached or attached mount
 * Return: 0; -errno with a message.
 */
int oci_mount_apply(int mnt, const struct oci_mount_opts *o, struct err *err);

/**
 * oci_mount_source() - absolute path of a bind source
 * @ret: PATH_MAX bytes
 * Return: 0; -ENAMETOOLONG.
 */
int oci_mount_source(const struct oci_init *init, const struct oci_mount *m, char *ret);

/**
 * oci_mount_flags() - give a bind mount the flags that were asked for
 * @mnt: the clone
 * @locked: flags of the source may not be cleared although the kernel would do it
 * Return: 0; -errno with a message.
 */
int oci_mount_flags(const struct oci_init *init, int mnt, const struct oci_mount_opts *o,
		    bool locked, struct err *err);

/** oci_mount_copy_up() - copy what is below directory @from into directory @to; tmpcopyup */
int oci_mount_copy_up(int from, int to, struct err *err);

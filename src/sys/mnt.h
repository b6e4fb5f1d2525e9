/* SPDX-License-Identifier: MIT */
/*
 * Mounts as descriptors: made or cloned detached, given their attributes, then attached once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct err;

#define MNT_VALUE_MAX 255 /* bytes of a parameter's value that fsconfig(2) takes */

/**
 * mnt_fs_open() - start a new file system instance
 * @type: name of the file system
 * Return: descriptor of the context; -errno with a message (-ENODEV the kernel does not have it).
 */
int mnt_fs_open(const char *type, struct err *err);

/**
 * mnt_fs_set() - give one parameter
 * @fs: of mnt_fs_open()
 * @value: NULL for a flag; at most MNT_VALUE_MAX bytes
 * Return: 0; -errno with the kernel's message.
 */
int mnt_fs_set(int fs, const char *key, const char *value, struct err *err);

/**
 * mnt_fs_mount() - create the instance and a detached mount of it
 * @attrs: MOUNT_ATTR_*
 * Return: O_PATH descriptor of the mount's root; -errno with the kernel's message.
 */
int mnt_fs_mount(int fs, uint64_t attrs, struct err *err);

/**
 * mnt_fs_reconfigure() - change the instance that is mounted at a place
 * @target: O_PATH descriptor of a mount's root
 * @set: gives the parameters with mnt_fs_set()
 * @arg: handed to @set
 * Return: 0; -errno with the kernel's message.
 */
int mnt_fs_reconfigure(int target, int (*set)(int fs, const void *arg, struct err *err),
		       const void *arg, struct err *err);

/**
 * mnt_clone() - detached copy of a mount tree
 * @dirfd, @path: as for openat(2); "" means @dirfd itself
 * @flags: AT_RECURSIVE, AT_SYMLINK_NOFOLLOW
 * Return: O_PATH descriptor; -errno.
 */
int mnt_clone(int dirfd, const char *path, unsigned flags);

/**
 * mnt_move() - attach a detached mount, or move an attached one
 * @target: O_PATH descriptor of what it covers
 * Return: 0; -errno.
 */
int mnt_move(int mnt, int target);

/**
 * mnt_attr() - change attributes
 * @mnt: root of a mount
 * @recursive: the whole tree
 * @set, @clr: MOUNT_ATTR_*
 * @propagation: MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE or 0
 * Return: 0; -errno.
 */
int mnt_attr(int mnt, bool recursive, uint64_t set, uint64_t clr, uint64_t propagation);

/**
 * mnt_idmap() - map the owners of files through a user namespace
 * @mnt: detached mount
 * Return: 0; -errno (-EINVAL also if the file system cannot).
 */
int mnt_idmap(int mnt, bool recursive, int userns_fd);

#define MNT_INFO_MAX (64u << 20) /* bytes of /proc/PID/mountinfo */

/** mnt_unescape() - a field of mountinfo in place: "\040" becomes a space; proc_pid_mountinfo(5) */
void mnt_unescape(char *field);

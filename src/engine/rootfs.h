/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct eng_config;
struct eng_instance;
struct engine;
struct err;

/**
 * struct eng_rootfs - the files of an instance, from outside
 * @root: its root directory as its processes see it, or would
 * @upper: its writable layer, -EBADF if it has none
 * @lower: what lies below that, only with ENG_ROOTFS_LOWER
 * @own: it runs, and its own kernel puts its files together: @root is how they were, and cannot be written
 * @attached: its volumes are mounted in @root
 * @running: else nobody can start it before this is released
 */
struct eng_rootfs {
	int root, upper, lower;
	bool running, own, attached;
	int lock;
	struct engine *e;
	char id[65];
};

#define ENG_ROOTFS_NONE { -EBADF, -EBADF, -EBADF, false, false, false, -EBADF, NULL, "" }
#define ENG_ROOTFS_LOWER 1u
#define ENG_ROOTFS_MOUNTS 2u /* with volumes, also of one that does not run; after eng_rootfs_unshare() */

/**
 * eng_rootfs_open() - reach the files of an instance
 * @ret: filled; release with eng_rootfs_fini()
 * Return: 0; -EBUSY somebody is starting or stopping it; -errno; with a message.
 */
int eng_rootfs_open(struct engine *e, const struct eng_instance *i, const struct eng_config *config,
		    unsigned flags, struct eng_rootfs *ret, struct err *err);

/**
 * eng_rootfs_unshare() - a mount namespace for this process, in which it can mount what nobody else sees
 * Once: mounts of a namespace that was left are gone.
 * Return: 0; -EPERM; -errno; with a message.
 */
int eng_rootfs_unshare(struct err *err);

/** eng_rootfs_fini() - release */
void eng_rootfs_fini(struct eng_rootfs *fs);

/**
 * eng_rootfs_path() - open something inside
 * @path: links are followed as if @root were "/"; the last one too unless @flags has O_NOFOLLOW
 * Return: descriptor; -errno.
 */
int eng_rootfs_path(const struct eng_rootfs *fs, const char *path, int flags);

/* SPDX-License-Identifier: MIT */
/* What rootfs.c and rootfs_mounts.c share. */
#pragma once

struct eng_config;
struct engine;
struct err;

/**
 * eng_rootfs_attach() - mount what an instance would have mounted, after eng_rootfs_unshare()
 * @root: detached mount of its root file system; read-only afterwards if it is to be
 * Return: 0; -errno with a message.
 */
int eng_rootfs_attach(struct engine *e, const struct eng_config *c, int root, struct err *err);

/** eng_rootfs_detach() - unmount it with all that is in it */
void eng_rootfs_detach(int root);

/* SPDX-License-Identifier: MIT */
#pragma once

#include "vmm/dev/share/share.h"

struct err;
struct fs;
struct pci_bus;
struct vm;

#define FS_TAG_MAX 36 /* bytes */

/**
 * struct fs_config - a directory that the guest mounts
 * @dir: descriptor of it; borrowed
 * @proc: descriptor of /proc/self/fd; borrowed
 * @tag: what the guest mounts it by, at most FS_TAG_MAX bytes
 * @kind: what it is for the guest
 */
struct fs_config {
	int dir, proc;
	const char *tag;
	enum share_kind kind;
};

/**
 * fs_add() - a directory of the host for the guest
 * @ret: returns; owned by the machine
 * Return: 0; -errno with a message.
 */
int fs_add(struct vm *vm, struct pci_bus *bus, const struct fs_config *conf, struct fs **ret, struct err *err);

/**
 * fs_start() - start the thread that serves it, which keeps those capabilities of the caller that files need
 * @confine: called on the thread before it serves; -errno with a message when it cannot; may be NULL
 * Context: with the machine's lock; as the machine has not run yet.
 * Return: 0; -errno with a message.
 */
int fs_start(struct fs *f, int (*confine)(struct err *err), struct err *err);

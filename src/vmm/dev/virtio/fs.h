/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct err;
struct pci_bus;
struct vm;

#define FS_TAG_MAX 36 /* bytes */

/**
 * struct fs_config - a directory that the guest mounts
 * @dir: descriptor of it; borrowed
 * @proc: descriptor of /proc/self/fd; borrowed
 * @tag: what the guest mounts it by, at most FS_TAG_MAX bytes
 */
struct fs_config {
	int dir, proc;
	const char *tag;
	bool readonly;
};

/**
 * fs_add() - a directory of the host for the guest
 *
 * Starts a thread that keeps the capabilities which files need; called before the process loses them, with
 * the machine's lock.
 * Return: 0; -errno with a message.
 */
int fs_add(struct vm *vm, struct pci_bus *bus, const struct fs_config *conf, struct err *err);

/* SPDX-License-Identifier: MIT */
#pragma once

struct err;

/**
 * vm_initramfs_make() - the archive that a kernel starts with: our program, and the modules that it loads
 * @kernel: directory of the kernel in the store
 * @names: modules that are wanted, ending with NULL; those that are built in are left out
 *
 * Modules lose their signatures: checking them takes the guest longer than all the rest of loading.
 * Return: descriptor of a file in memory; -ENOENT a module is missing; -errno; with a message.
 */
int vm_initramfs_make(const char *kernel, const char *const *names, struct err *err);

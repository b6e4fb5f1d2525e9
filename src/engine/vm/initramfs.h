/* SPDX-License-Identifier: MIT */
#pragma once

struct err;

/**
 * vm_initramfs_make() - the archive that a kernel starts with: our program, and the modules that it loads
 * @modules: directory of the kernel's modules
 * @names: modules that are wanted, ending with NULL; those that are built in are left out
 *
 * Modules lose their signatures: checking them takes the guest longer than all the rest of loading.
 * Return: descriptor of a file in memory; -ENOENT a module is missing; -errno; with a message.
 */
int vm_initramfs_make(int modules, const char *const *names, struct err *err);

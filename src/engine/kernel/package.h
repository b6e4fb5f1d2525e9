/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct err;
struct kernel_modules;

/** kernel_package_matches() - it begins like a Debian package */
bool kernel_package_matches(int fd);

/**
 * kernel_package_unpack() - take the kernel and its modules out of a Debian package
 * @fd: borrows
 * @name: of it, for messages
 * @kernel: borrows; empty; gets the kernel file
 * @modules: gets the modules
 * Nothing else of the package is looked at, none of its scripts run.
 * Return: 0; -ENOEXEC there is no kernel in it; -EBADMSG damaged; -errno with a message.
 */
int kernel_package_unpack(int fd, const char *name, int kernel, struct kernel_modules *modules, struct err *err);

/* SPDX-License-Identifier: MIT */
#pragma once

struct err;

/**
 * kernel_depend_write() - make modules.dep and modules.alias, unless they came with the modules
 * @dir: directory of the modules
 * Packages do not have these files: they are made where they are installed.
 * Return: 0; -errno with a message.
 */
int kernel_depend_write(int dir, struct err *err);

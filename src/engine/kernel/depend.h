/* SPDX-License-Identifier: MIT */
#pragma once

struct err;

/**
 * kernel_depend_write() - make modules.dep, unless it came with the modules
 * @dir: directory of the modules
 * Packages do not have the file: it is made where they are installed.
 * Return: 0; -errno with a message.
 */
int kernel_depend_write(int dir, struct err *err);

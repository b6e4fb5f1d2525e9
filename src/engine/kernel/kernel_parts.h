/* SPDX-License-Identifier: MIT */
#pragma once

struct engine;
struct err;

#define KERNEL_JSON_MAX 65536 /* bytes */

/** kernel_name_check() - 0 or -EINVAL with a message */
int kernel_name_check(const char *name, struct err *err);

/** kernel_dir_open() - directory of the kernels, made when missing: descriptor; -errno with a message */
int kernel_dir_open(const struct engine *e, struct err *err);

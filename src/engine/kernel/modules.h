/* SPDX-License-Identifier: MIT */
/*
 * The modules of a kernel, while they are being collected.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct err;

/**
 * struct kernel_modules - modules that were collected so far
 * @dir: borrows; directory they go to
 * @files, @modules, @size: number of all files, of modules among them, and bytes
 */
struct kernel_modules {
	int dir;
	uint64_t files, modules, size;
};

/** kernel_modules_wants() - whether a file of such a name belongs to what is collected */
bool kernel_modules_wants(const char *name);

/**
 * kernel_modules_create() - make one more file
 * @path: below the modules' directory; hostile
 * @size: bytes it is going to have
 * Return: descriptor to write it; -EINVAL, -EFBIG, -errno with a message.
 */
int kernel_modules_create(struct kernel_modules *m, const char *path, uint64_t size, struct err *err);

/**
 * kernel_modules_copy() - collect those of a directory like lib/modules/<release>
 * Links are not followed.
 * Return: 0; -errno with a message.
 */
int kernel_modules_copy(struct kernel_modules *m, const char *from, struct err *err);

/* SPDX-License-Identifier: MIT */
/* What mount_parse.c and mount_long.c share. */
#pragma once

#include <stddef.h>

struct arena;
struct eng_mount;
struct err;

/** eng_mount_propagation() - "rslave" and its like; a constant in *ret; 0 or -EINVAL */
int eng_mount_propagation(const char *text, size_t n, const char **ret);

/**
 * eng_mount_destination() - check and clean a path inside an instance
 * @option: for messages
 * Return: 0; -EINVAL with a message.
 */
int eng_mount_destination(struct arena *a, const char *option, const char *path, const char **ret,
			  struct err *err);

/** eng_mount_random() - make it a volume that nobody named; 0 or -errno with a message */
int eng_mount_random(struct arena *a, struct eng_mount *ret, struct err *err);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct arena;
struct eng_mount;
struct err;

#define ENG_MOUNT_TEXT_MAX 8192 /* bytes of one option */

/**
 * eng_mount_parse() - [SOURCE:]DESTINATION[:OPTIONS] as of -v
 * @a: owns the strings of @ret
 *
 * SOURCE is the name of a volume, an absolute path, or a path that begins with "." and is taken below
 * the working directory.  Without SOURCE: a volume with a random name.
 * Return: 0; -EINVAL, -errno of finding the working directory; with a message.
 */
int eng_mount_parse(struct arena *a, const char *text, struct eng_mount *ret, struct err *err);

/**
 * eng_mount_parse_long() - type=...,source=...,target=... as of --mount
 * Return: 0; -EINVAL, -ENOENT the source does not exist; with a message.
 */
int eng_mount_parse_long(struct arena *a, const char *text, struct eng_mount *ret, struct err *err);

/** eng_mount_parse_tmpfs() - DESTINATION[:OPTIONS] as of --tmpfs; 0 or -EINVAL with a message */
int eng_mount_parse_tmpfs(struct arena *a, const char *text, struct eng_mount *ret,
			  struct err *err);

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

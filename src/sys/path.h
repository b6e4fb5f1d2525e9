/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

struct err;

/**
 * path_open() - open a path that never leaves a root
 * @rootfd: the root; absolute paths, absolute links and ".." stay inside it
 * @path: borrows
 * @flags: of open(2); O_CLOEXEC is added
 *
 * Magic links are refused.  The result is verified by the kernel, so a directory swapped for a link
 * meanwhile cannot lead outside.
 * Return: descriptor; -errno of openat2(2).
 */
int path_open(int rootfd, const char *path, int flags);

/**
 * path_make() - open a path inside a root, creating what is missing
 * @mode: S_IFDIR: a directory is made at the end, S_IFREG: an empty file
 *
 * Missing parents become directories with mode 0755; the file gets 0644, a directory 0755.  A
 * dangling link inside the root is followed inside it.
 * Return: O_PATH descriptor; -errno; -ELOOP too many links.
 */
int path_make(int rootfd, const char *path, mode_t mode);

/**
 * path_verify_fs() - check what kind of file system a descriptor is on
 * @magic: as in linux/magic.h, e.g. PROC_SUPER_MAGIC
 * Return: 0; -EXDEV another file system; -errno.
 */
int path_verify_fs(int fd, long magic);

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
 * path_open_plain() - path_open() that refuses symbolic links anywhere in @path
 * Return: descriptor; -ELOOP there is a link; -errno of openat2(2).
 */
int path_open_plain(int rootfd, const char *path, int flags);

/**
 * path_open_own() - open a path in the caller's own root, refusing magic links
 * @path: whoever writes the file system decides what it leads to, but /proc/self/fd/N leads nowhere
 * Return: descriptor; -ELOOP there is a magic link; -errno of openat2(2).
 */
int path_open_own(const char *path, int flags);

/**
 * path_clean() - make a path absolute and remove empty, "." and ".." parts, as text
 * @ret: @size bytes
 * Return: length; -ENAMETOOLONG.
 */
int path_clean(const char *path, char *ret, size_t size);

/**
 * path_below() - what follows a directory in a path, as text
 * @dir, @path: absolute and clean
 * Return: points into @path, "" when both are equal; NULL when @path is not below @dir or @dir is
 * "/".
 */
const char *path_below(const char *dir, const char *path);

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
 * path_create() - path_make() for a path that was just seen to be missing
 *
 * One lookup less; correct for every path.
 * Return: as path_make().
 */
int path_create(int rootfd, const char *path, mode_t mode);

/**
 * path_make_parent() - open the directory that a path's last part is in, creating what is missing
 * @name: NAME_MAX + 1 bytes; filled with the last part
 *
 * Return: O_PATH descriptor; -EINVAL @path has no last part ("/", "..").  Else as path_make().
 */
int path_make_parent(int rootfd, const char *path, char *name);

/**
 * path_verify_fs() - check what kind of file system a descriptor is on
 * @magic: as in linux/magic.h, e.g. PROC_SUPER_MAGIC
 * Return: 0; -EXDEV another file system; -errno.
 */
int path_verify_fs(int fd, long magic);

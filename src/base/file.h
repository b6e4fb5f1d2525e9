/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct arena;
struct str;

/**
 * fd_read_full() - read until @n bytes or end of file
 * Context: blocks; restarts after signals.
 * Return: bytes read; -errno of read(2).
 */
ssize_t fd_read_full(int fd, void *buf, size_t n);

/**
 * fd_write_full() - write all @n bytes
 * Return: 0; -errno of write(2).
 */
int fd_write_full(int fd, const void *buf, size_t n);

/**
 * fd_read_str() - append everything up to the end of file
 * @fd: borrows
 * @max: bytes; a longer file is refused
 * @ret: appended to
 *
 * Return: 0; -EFBIG over @max; -ENOMEM; -errno of read(2).
 */
int fd_read_str(int fd, size_t max, struct str *ret);

/**
 * file_read() - append the content of a file
 * @dirfd: directory or AT_FDCWD
 * @path: borrows; opened O_RDONLY|O_CLOEXEC
 *
 * Return: codes of open(2) and fd_read_str().
 */
int file_read(int dirfd, const char *path, size_t max, struct str *ret);

/**
 * file_write() - one write(2) of @text to an existing file
 * For control files (cgroup, procfs, sysfs) that take a value per write.
 * Return: 0; -errno of open(2) or write(2).
 */
int file_write(int dirfd, const char *path, const char *text);

/**
 * file_replace() - atomically create or replace a file
 * @dirfd: directory
 * @name: plain file name in it
 * @mode: permission bits
 *
 * A reader sees the old or the new content, also when the writer is killed.
 * Return: 0; -errno.
 */
int file_replace(int dirfd, const char *name, const void *data, size_t n, mode_t mode);

/**
 * dir_make_all() - mkdir -p
 * @path: absolute or relative to the working directory
 * @mode: of every directory created
 * Return: 0 also if it exists; -errno.
 */
int dir_make_all(const char *path, mode_t mode);

/**
 * dir_remove() - remove a directory and everything in it; does not follow links
 * Return: 0 also if it is not there; -errno of the first failure.
 */
int dir_remove(int dirfd, const char *path);

/**
 * dir_names() - what is in a directory, but for "." and "..", in the order of bytes
 * @arena: takes the names
 * @ret: list of @ret_n, to be freed; NULL when there are none
 * No descriptor stays open, so that a walk needs one for each level.
 * Return: 0; -errno.
 */
int dir_names(int dir, struct arena *arena, const char ***ret, size_t *ret_n);

/** dir_is_empty() - there is nothing in a directory, or there is none; false when it cannot be read */
bool dir_is_empty(int dirfd, const char *path);

/**
 * dir_size() - bytes of the regular files in a directory and below, or of one file; does not follow links
 * Return: the sum; what cannot be read counts as nothing.
 */
uint64_t dir_size(int dirfd, const char *path);

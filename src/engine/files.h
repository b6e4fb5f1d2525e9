/* SPDX-License-Identifier: MIT */
/*
 * Files below a root that somebody else writes to: the root directory of an instance, or "/".
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct err;
struct img_copy;
struct img_sink;
struct img_tree_opts;

/**
 * struct eng_file - what a path leads to
 * @parent: the directory that it is in; itself when @name is "."
 * @dir: path of @parent
 * @name: "." for the root, and for a path that ends in "." or ".."
 * @exists: else @st is empty
 * @st: of a link itself, unless it was to be followed
 */
struct eng_file {
	int parent;
	char dir[PATH_MAX];
	char name[NAME_MAX + 1];
	bool exists;
	struct stat st;
};

#define ENG_FILE_NONE { .parent = -EBADF }

/**
 * eng_file_find() - look a path up
 * @root: links and ".." do not lead out of it
 * @follow: also a link at the end; one with "/" behind is always followed
 * @ret: filled; release with eng_file_fini()
 * Return: 0 also when only the last part does not exist; -ENOENT; -ENOTDIR; -ELOOP; -errno.
 */
int eng_file_find(int root, const char *path, bool follow, struct eng_file *ret);

/** eng_file_fini() - release */
void eng_file_fini(struct eng_file *f);

/**
 * eng_file_unpack() - unpack an archive into a directory in use, to the end of what @fd has
 * @to: as of img_layer_copy()
 * @ret_bytes: of the archive, uncompressed
 * Return: 0; that of img_layer_copy(); with a message.
 */
int eng_file_unpack(int fd, const struct img_copy *to, uint64_t *ret_bytes, struct err *err);

/**
 * eng_file_pack() - write a file, or a directory with all that is in it, as members of a tar
 * @as: its name there, "." for the content of a directory
 * @opts: as of img_tree_write(); of /proc, /sys and /dev of @root only the mount points are written,
 *        unless the tree begins there
 * Return: 0; -ENOENT; -errno; with a message.
 */
int eng_file_pack(int root, const struct eng_file *f, const char *as,
		  const struct img_tree_opts *opts, struct img_sink *sink, struct err *err);

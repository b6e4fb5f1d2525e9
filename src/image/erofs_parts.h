/* SPDX-License-Identifier: MIT */
/* What erofs.c and erofs_tree.c share: a tree in memory, whose data is written already. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct err;

#define EROFS_BLOCK 4096u /* bytes */
#define EROFS_NODES_MAX (1u << 26)

/** struct erofs_entry - a name in a directory */
struct erofs_entry {
	const char *name;
	uint32_t node;
};

/**
 * struct erofs_node - a file, whatever it is called
 * @where: first block of its data; of a device its number
 * @place: where it will lie, in units of 32 bytes
 * @xattrs: as they will lie there, @nr_xattr_bytes of them
 * @link: text of a symbolic link, @size bytes
 * @entries: sorted by name, "." and ".." are among them; @nr_entries
 */
struct erofs_node {
	uint64_t size;
	int64_t mtime;
	uint32_t mtime_ns, uid, gid, nlink, where, place;
	uint32_t nr_xattr_bytes, nr_entries;
	uint16_t mode;
	const void *xattrs;
	const char *link;
	struct erofs_entry *entries;
};

/** struct erofs_file - a file of the host that may have other names */
struct erofs_file {
	uint64_t dev, ino;
	uint32_t node; /* 0: none */
};

/**
 * struct erofs_tree - all nodes; the root is the first
 * @fd: gets the data; @blocks: of it that are taken; @max: that there may be
 * @files: a table by number, with room for @nr_files, a power of two
 */
struct erofs_tree {
	struct arena arena;
	struct erofs_node *nodes;
	size_t n, room;
	struct erofs_file *files;
	size_t nr_files, used_files;
	int fd;
	uint64_t blocks, max;
};

/**
 * erofs_tree_read() - read a directory with all that is in it, and write what its files hold
 * @t: @fd, @blocks and @max are set; erofs_tree_fini()
 * Return: 0; -EFBIG over @max; -errno; with a message.
 */
int erofs_tree_read(struct erofs_tree *t, int dir, struct err *err);

/** erofs_tree_fini() - release */
void erofs_tree_fini(struct erofs_tree *t);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct err;
struct img_sink;

#define IMG_TREE_SKIP 3 /* file systems */

/* How a tree is written */
enum {
	IMG_TREE_CHANGES = 1 << 0, /* it is a writable layer: marks of the overlay become whiteouts */
	IMG_TREE_ONE_FS = 1 << 1, /* of what is mounted in it only the mount points */
	IMG_TREE_OWNER = 1 << 2, /* everything belongs to @uid and @gid */
};

/**
 * struct img_tree_opts - how to write a tree
 * @prefix: in front of all names, "" or ending with "/"
 * @flags: IMG_TREE_...
 * @skip: file systems of which only the mount points are written, unless the tree begins there
 * @id_start, @id_size: owners of this range are written as if it began at 0; size 0: as they are
 */
struct img_tree_opts {
	const char *prefix;
	unsigned flags;
	uint32_t id_start, id_size;
	uint32_t uid, gid;
	dev_t skip[IMG_TREE_SKIP];
};

/**
 * img_tree_write() - write what is in a directory as members of a tar
 * @dir: borrows; itself is not written
 *
 * In the order of names, so that the same tree gives the same bytes.  Sockets are left out.
 * Return: 0; -EOPNOTSUPP a renamed directory of an overlay; -errno; with a message.
 */
int img_tree_write(struct img_sink *s, int dir, const struct img_tree_opts *opts, struct err *err);

/**
 * img_tree_write_one() - write one file or directory with all that is in it
 * @dir, @name: where it is
 * @as: its name in the archive
 * Return: as of img_tree_write().
 */
int img_tree_write_one(struct img_sink *s, int dir, const char *name, const char *as,
		       const struct img_tree_opts *opts, struct err *err);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct err;
struct img_stream;

#define IMG_ENTRIES_MAX (4u << 20) /* members of one archive */

/* What an archive may hold */
enum img_layer_kind {
	IMG_LAYER_ROOT, /* a whole root file system */
	IMG_LAYER_CHANGES, /* a layer: whiteouts become those of the overlay file system */
	IMG_LAYER_COPY, /* files for a directory that has some: no directory replaces a file or is replaced */
};

/**
 * img_layer_unpack() - unpack an archive into an empty directory
 * @s: borrows; read up to the end of the tar, not of the stream
 * @dir_fd: that directory
 * @ret_size: bytes of regular files
 *
 * Names that begin with "/" are below the directory, too.
 * Refused: "..", names and hard links that lead outside through a link, overlay
 * markers, whiteouts in a root file system, more than IMG_ENTRIES_MAX members.  Owners are kept when run as root.
 * Context: nobody else writes to @dir_fd; umask 0.
 * Return: 0; -EINVAL refused, with a message naming the member; codes of img_tar_next(); -errno.
 * Spec: image-spec 1.1, layer.md.
 */
int img_layer_unpack(struct img_stream *s, int dir_fd, enum img_layer_kind kind, uint64_t *ret_size,
		     struct err *err);

/**
 * struct img_copy - where files go that are put into a directory in use
 * @root: links are followed as if this directory were "/"
 * @dir: directory in it
 * @owned: everything belongs to @uid and @gid; else to whom the archive says
 * @id_start, @id_size: owners are numbers of this range; size 0: as they are
 */
struct img_copy {
	int root;
	const char *dir;
	bool owned;
	uint32_t uid, gid, id_start, id_size;
};

/**
 * img_layer_copy() - unpack an archive into a directory that others may write to meanwhile
 * @s: as of img_layer_unpack()
 *
 * Nothing is made or changed outside of @to->root, whatever its owner does.  A file is replaced; no
 * directory replaces a file or is replaced.  The directory itself keeps its attributes.
 * Return: 0; -EEXIST a file and a directory of the same name; -ERANGE an owner over @id_size; as
 *         img_layer_unpack().
 */
int img_layer_copy(struct img_stream *s, const struct img_copy *to, struct err *err);

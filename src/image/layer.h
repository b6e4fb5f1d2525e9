/* SPDX-License-Identifier: MIT */
#pragma once

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
 * Refused: absolute names, "..", names and hard links that lead outside through a link, overlay
 * markers, whiteouts in a root file system, more than IMG_ENTRIES_MAX members.  Owners are kept when run as root.
 * Context: nobody else writes to @dir_fd; umask 0.
 * Return: 0; -EINVAL refused, with a message naming the member; codes of img_tar_next(); -errno.
 * Spec: image-spec 1.1, layer.md.
 */
int img_layer_unpack(struct img_stream *s, int dir_fd, enum img_layer_kind kind, uint64_t *ret_size,
		     struct err *err);

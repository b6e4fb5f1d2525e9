/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct err;
struct img_stream;

#define IMG_ENTRIES_MAX (4u << 20) /* members of one archive */

/**
 * img_layer_unpack() - unpack an archive into an empty directory
 * @s: borrows; read up to the end of the tar, not of the stream
 * @dir_fd: that directory
 * @ret_size: bytes of regular files
 *
 * Refused: absolute names, "..", names and hard links that lead outside through a link, overlay
 * and whiteout markers, more than IMG_ENTRIES_MAX members.  Owners are kept when run as root.
 * Context: nobody else writes to @dir_fd; umask 0.
 * Return: 0; -EINVAL refused, with a message naming the member; codes of img_tar_next(); -errno.
 */
int img_layer_unpack(struct img_stream *s, int dir_fd, uint64_t *ret_size, struct err *err);

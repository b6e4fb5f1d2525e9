/* SPDX-License-Identifier: MIT */
/*
 * A directory as an image of the read-only file system EROFS: nothing is compressed, and what a file holds begins at a
 * block of its own, so that a machine can use the image's pages in place.
 * Spec: Linux, fs/erofs/erofs_fs.h and Documentation/filesystems/erofs.rst.
 */
#pragma once

#include <stdint.h>

struct err;

#define IMG_EROFS_NAME "erofs" /* in the directory of a layer: of all layers up to it; empty: it cannot be made */
#define IMG_EROFS_ALIGN (2ull << 20) /* bytes that an image is a multiple of */

/**
 * img_erofs_write() - write the image of a directory
 * @dir: borrows; nobody changes what is in it meanwhile
 * @fd: borrows; a new file
 * @max: bytes that the image may have; the holes of files are holes of the image
 * Context: blocks; allocates some 200 bytes for each file.
 * Return: 0; -EFBIG over @max; -errno; with a message.
 */
int img_erofs_write(int dir, int fd, uint64_t max, struct err *err);

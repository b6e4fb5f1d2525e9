/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct err;
struct img_store;

enum img_save_format {
	IMG_SAVE_DOCKER, /* tar: Docker's format, and an OCI image layout at once */
	IMG_SAVE_OCI, /* tar: an OCI image layout */
	IMG_SAVE_OCI_DIR,
};

/**
 * img_save() - write images to an archive
 * @names: @n references or ids; several may be of one image; without a tag: all tags of the repository
 * @fd: borrows; file or pipe, or an empty directory
 * The same images give the same bytes.
 * Return: 0; -ENOENT no such image; -errno with a message.
 */
int img_save(struct img_store *store, const char *const *names, size_t n,
	     enum img_save_format format, int fd, struct err *err);

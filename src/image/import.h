/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct img_edit;
struct img_store;

/**
 * img_import() - make an image of one layer from a tarball of a root file system
 * @fd: borrows; the tarball, plain or compressed with gzip, zstd or xz
 * @name: reference the image gets, taken from another image if that has it; NULL for none
 * @edit: what to say about running it
 * @ret_id: 65 bytes; hexadecimal image id
 * Return: 0; -EINVAL a bad name or a refused archive; -errno with a message; the store is unchanged then.
 */
int img_import(struct img_store *store, int fd, const char *name, const struct img_edit *edit,
	       char *ret_id, struct err *err);

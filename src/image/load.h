/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct img_remote;
struct img_store;

/**
 * img_load() - take images out of an archive
 * @fd: borrows; docker-archive, oci-archive (plain or compressed, may be a pipe), or the directory of
 *      an OCI image layout
 * @loaded: called for every name an image got, or once with NULL for one without a name; @id is
 *          hexadecimal
 * All of them appear at once, or none.
 * Return: 0; 1 an image was here in another packing, and what came for it is for img_collect(); -EINVAL, -EBADMSG refused; -errno; with a message; the store is unchanged then.
 */
int img_load(struct img_store *store, int fd,
	     void (*loaded)(void *data, const char *name, const char *id), void *data,
	     struct err *err);

/** img_load_remote() - take images out of a layout that is somewhere else; as img_load(), but never 1 */
int img_load_remote(struct img_store *store, const struct img_remote *remote,
		    void (*loaded)(void *data, const char *name, const char *id), void *data,
		    struct err *err);

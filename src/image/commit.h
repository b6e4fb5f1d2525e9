/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "image/store.h"

struct err;
struct img_edit;
struct img_meter;
struct img_stream_sum;
struct img_tree_opts;

/**
 * img_layer_pack() - write a writable layer as a layer tar, compressed with zstd
 * @upper: its directory
 * @fd: file that gets it
 * @meter: counts the bytes of the tar; NULL for none
 * @ret: digests, size and type
 * Return: 0; codes of img_tree_write().
 */
int img_layer_pack(int upper, const struct img_tree_opts *opts, int fd, struct img_meter *meter,
		   struct img_stream_sum *ret, struct err *err);

/**
 * img_make() - an image of "blob" and "layer" in a work directory, above another image
 * @base: NULL for none
 * @sum, @size: of the layer
 * @ref: its name, NULL for none
 * @ret_id: 65 bytes; hexadecimal image id
 * Return: 0; codes of img_edit_config(); -errno with a message, the store shows no image then.
 */
int img_make(struct img_store *store, const struct img_work *work, const struct img_image *base,
	     const struct img_stream_sum *sum, uint64_t size, const struct img_edit *edit,
	     const struct img_reference *ref, char *ret_id, struct err *err);

/**
 * img_commit() - an image with one more layer, made from a writable layer
 * @upper: its directory; nobody changes it meanwhile
 * @id_start, @id_size: range of ids its owners have, size 0: the host's
 * Return: as img_make() and img_layer_pack().
 */
int img_commit(struct img_store *store, const struct img_image *base, int upper, uint32_t id_start,
	       uint32_t id_size, const struct img_edit *edit, const struct img_reference *ref,
	       char *ret_id, struct err *err);

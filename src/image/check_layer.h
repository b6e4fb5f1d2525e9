/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct err;
struct img_store;

#define IMG_WHY_MAX 512 /* bytes */

/**
 * img_blob_verify() - is a blob what its name says?
 * @hex: its digest
 * @size: bytes it must have; 0: any number
 * @quick: look at the size only
 * Return: 0; -ENOENT; -EBADMSG it is damaged; -errno of reading.
 */
int img_blob_verify(struct img_store *store, const char *hex, uint64_t size, bool quick);

/**
 * img_layer_verify() - does an unpacked layer have what its archive has?
 * @blob: digest of the archive, hexadecimal, which is known to be good
 * @chain: of the layer
 * @diff_id: "sha256:<hex>" that the archive must unpack to; "" if not known
 * @why: filled after 1: what is different
 *
 * Compared are kinds, modes, owners, targets, devices and content, not times and attributes.
 * Return: 0; 1 it is different; -EBADMSG the archive is not what the image says; -errno; with a message.
 */
int img_layer_verify(struct img_store *store, const char *blob, const char *chain,
		     const char *diff_id, char why[IMG_WHY_MAX], struct err *err);

/**
 * img_layer_renew() - unpack a layer again; what is there is replaced
 * Context: no instance that runs has it.
 * Return: 0; -errno with a message, the layer is as it was then.
 */
int img_layer_renew(struct img_store *store, const char *blob, const char *chain, struct err *err);

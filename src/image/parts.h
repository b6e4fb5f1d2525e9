/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct img_image;
struct img_manifest;
struct img_store;

/** enum img_part_kind - where a part of an image is */
enum img_part_kind {
	IMG_PART_BLOB, /* images/blobs/sha256/<hex> */
	IMG_PART_LAYER, /* layers/<hex>/fs */
};

/**
 * struct img_part - something of the store that an image needs
 * @hex: digest of a blob, chain id of a layer; 64 digits
 */
struct img_part {
	enum img_part_kind kind;
	const char *hex;
};

/**
 * img_manifest_read() - read the manifest of an image of the store
 * @arena: owns what is returned
 * Return: 0; -ENOENT; -errno; with a message.
 */
int img_manifest_read(struct img_store *store, const struct img_image *image, struct arena *arena,
		      struct img_manifest *ret, struct err *err);

/**
 * img_parts() - all that an image needs: manifest, configuration, blobs of layers, layers
 * @ret: array in @arena; parts may be missing on disk
 * What a manifest that cannot be read names is left out.
 * Return: number; -ENOMEM with a message.
 */
int img_parts(struct img_store *store, const struct img_image *image, struct arena *arena,
	      struct img_part **ret, struct err *err);

/** img_part_bytes() - of the disk; 0 when it is missing */
uint64_t img_part_bytes(struct img_store *store, const struct img_part *part);

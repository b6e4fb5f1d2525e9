/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "image/config.h"

struct err;

#define IMG_INDEX_MAX 1024 /* images in one archive */

#define IMG_MEDIA_INDEX "application/vnd.oci.image.index.v1+json"
#define IMG_MEDIA_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define IMG_MEDIA_CONFIG "application/vnd.oci.image.config.v1+json"

/** struct img_manifest - what an image is made of; strings in the arena of who asked */
struct img_manifest {
	const char *media_type;
	struct img_descriptor config, *layers;
	size_t nr_layers;
};

/**
 * struct img_index_entry - a manifest or another index
 * @is_index: it is an index
 * @usable: it is for this kind of machine, or does not say
 * @name: annotation, NULL without
 * @os, @arch, @variant: platform, "" when it does not say
 */
struct img_index_entry {
	struct img_descriptor d;
	bool is_index, usable;
	const char *name, *os, *arch, *variant;
};

/** struct img_index - an index.json */
struct img_index {
	struct img_index_entry *v;
	size_t n;
};

/** struct img_saved - an image of Docker's manifest.json: members of the archive, and names */
struct img_saved {
	const char *config;
	struct img_words tags, layers;
};

/**
 * img_manifest_parse() - read the manifest of an image
 * @name: used in messages
 * @arena: owns what is returned
 * Return: 0; -EINVAL, -EOPNOTSUPP with a message naming the field; -ENOMEM.
 * Spec: image-spec 1.1, manifest.md; Docker Image Manifest V2, Schema 2.
 */
int img_manifest_parse(const char *name, struct arena *arena, const char *text, size_t len,
		       struct img_manifest *ret, struct err *err);

/** img_index_parse() - read an index or Docker's manifest list; as img_manifest_parse() */
int img_index_parse(const char *name, struct arena *arena, const char *text, size_t len,
		    struct img_index *ret, struct err *err);

/**
 * img_saved_parse() - read Docker's manifest.json
 * @ret: array in @arena
 * Return: number; as img_manifest_parse().
 */
int img_saved_parse(struct arena *arena, const char *text, size_t len, struct img_saved **ret,
		    struct err *err);

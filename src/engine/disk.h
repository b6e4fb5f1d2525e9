/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/instance.h"
#include "engine/volume.h"
#include "image/store.h"

struct arena;
struct engine;
struct err;

/**
 * struct eng_disk_image - an image and its bytes: layers, and the blobs that they came from
 * @image: with one of its names
 * @shared: bytes of what other images have, too
 * @instances: made from it
 */
struct eng_disk_image {
	struct img_image image;
	uint64_t bytes, shared;
	size_t instances;
};

/** struct eng_disk_instance - an instance and the bytes of its writable layer */
struct eng_disk_instance {
	struct eng_instance i;
	uint64_t bytes;
};

/** struct eng_disk_volume - a volume and its bytes */
struct eng_disk_volume {
	struct eng_volume v;
	uint64_t bytes;
};

/**
 * struct eng_disk - what the store holds
 * @image_bytes: of all images, what several have counted once
 * @image_used: of those that instances were made from
 */
struct eng_disk {
	struct eng_disk_image *images;
	struct eng_disk_instance *instances;
	struct eng_disk_volume *volumes;
	size_t nr_images, nr_instances, nr_volumes;
	uint64_t image_bytes, image_used;
};

/** eng_disk_read() - @ret is filled, in @arena; 0 or -errno with a message */
int eng_disk_read(struct engine *e, struct arena *arena, struct eng_disk *ret, struct err *err);

/** eng_disk_writable() - bytes of the files in the writable layer of an instance */
uint64_t eng_disk_writable(struct engine *e, const char *id);

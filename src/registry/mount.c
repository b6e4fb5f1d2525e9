/* SPDX-License-Identifier: MIT */
#include "registry/mount.h"

#include <string.h>

#include "base/arena.h"
#include "image/config.h"
#include "image/manifest.h"
#include "image/parts.h"
#include "image/store.h"
#include "registry/place.h"
#include "registry/settings.h"
#include "registry/watch.h"

#define IMAGES_MAX 256 /* that are looked at */

/* It is on the registry under one of the names that it was pulled or pushed by */
static const char *known_as(struct img_store *store, const struct reg_settings *settings,
			    const struct reg_place *place, const struct img_image *image, struct arena *arena)
{
	struct img_words names = { 0 };

	if (img_store_digests(store, image->id, arena, &names, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < names.n; i++) {
		struct img_reference ref;
		struct reg_place other;

		if (img_reference_parse(names.v[i], &ref, NULL) == 0 &&
		    reg_place_of(settings, &ref, &other, NULL) == 0 &&
		    strcmp(other.address, place->address) == 0 && strcmp(other.path, place->path) != 0)
			return arena_strdup(arena, other.path);
	}
	return NULL;
}

static void note(const char *digest, const char *from, struct reg_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].from == NULL && strcmp(parts[i].digest, digest) == 0)
			parts[i].from = from;
}

void reg_mounts(struct img_store *store, const struct reg_settings *settings, const struct reg_place *place,
		struct reg_part *parts, size_t n, struct arena *arena)
{
	struct img_image *list;
	int images = img_store_list(store, arena, &list, NULL);

	for (int i = 0; i < images && i < IMAGES_MAX; i++) {
		const char *from = known_as(store, settings, place, &list[i], arena);
		struct img_manifest m;

		if (from == NULL || img_manifest_read(store, &list[i], arena, &m, NULL) < 0)
			continue;
		note(m.config.digest, from, parts, n);
		for (size_t k = 0; k < m.nr_layers; k++)
			note(m.layers[k].digest, from, parts, n);
	}
}

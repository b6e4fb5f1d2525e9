/* SPDX-License-Identifier: MIT */
#include "registry/mount.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "image/config.h"
#include "image/manifest.h"
#include "image/parts.h"
#include "image/store.h"
#include "registry/place.h"
#include "registry/settings.h"

#define IMAGES_MAX 256 /* that are looked at */

static bool has_layer(struct img_store *store, const struct img_image *image, const char *digest)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_manifest m;

	if (img_manifest_read(store, image, &arena, &m, NULL) < 0)
		return false;
	for (size_t i = 0; i < m.nr_layers; i++)
		if (strcmp(m.layers[i].digest, digest) == 0)
			return true;
	return false;
}

/* It is on the registry under one of the names that it was pulled by */
static const char *pulled_from(struct img_store *store, const struct reg_settings *settings,
			       const struct reg_place *place, const struct img_image *image,
			       struct arena *arena)
{
	struct img_words names = { 0 };

	if (img_store_digests(store, image->id, arena, &names, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < names.n; i++) {
		char repository[IMG_NAME_MAX + 1];
		struct reg_place other;

		(void) snprintf(repository, sizeof(repository), "%.*s", (int) strcspn(names.v[i], "@"),
				names.v[i]); /* fits: it was read as a reference */
		if (reg_place_of(settings, repository, &other, NULL) == 0 &&
		    strcmp(other.address, place->address) == 0 && strcmp(other.path, place->path) != 0)
			return arena_strdup(arena, other.path);
	}
	return NULL;
}

const char *mount_source(struct img_store *store, const struct reg_settings *settings,
			 const struct reg_place *place, const char *digest, struct arena *arena)
{
	struct img_image *list;
	int n = img_store_list(store, arena, &list, NULL);

	for (int i = 0; i < n && i < IMAGES_MAX; i++) {
		const char *path = pulled_from(store, settings, place, &list[i], arena);

		if (path != NULL && has_layer(store, &list[i], digest))
			return path;
	}
	return NULL;
}

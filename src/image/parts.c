/* SPDX-License-Identifier: MIT */
#include "image/parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "image/config.h"
#include "image/erofs.h"
#include "image/internal.h"
#include "image/manifest.h"
#include "image/remove.h"
#include "image/store.h"

#define HEX_LEN 64

int img_manifest_read(struct img_store *store, const struct img_image *image, struct arena *arena,
		      struct img_manifest *ret, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[IMG_BLOB_PATH_SIZE];
	int r;

	if (!str_starts(image->manifest, "sha256:"))
		return err_msg(err, -EINVAL, "image %.12s has the unknown manifest '%.80s'",
			       image->id, image->manifest);
	img_blob_path(image->manifest, path);
	r = file_read(store->root, path, IMG_CONFIG_SIZE_MAX, &text);
	if (r < 0)
		return err_set(err, r, "read the manifest of image %.12s", image->id);
	return img_manifest_parse("manifest", arena, text.p != NULL ? text.p : "", text.len, ret,
				  err);
}

static size_t count_words(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text += strcspn(text, " "), text += strspn(text, " "))
		n++;
	return n;
}

/* Return: false without memory. */
static bool add(struct img_part *list, size_t *n, enum img_part_kind kind, const char *hex,
		struct arena *arena)
{
	list[*n].kind = kind;
	list[*n].hex = arena_strndup(arena, hex, HEX_LEN);
	return list[(*n)++].hex != NULL;
}

int img_parts(struct img_store *store, const struct img_image *image, struct arena *arena,
	      struct img_part **ret, struct err *err)
{
	struct img_manifest m = { 0 };
	struct img_part *list;
	size_t n = 0;
	bool ok;

	if (img_manifest_read(store, image, arena, &m, NULL) < 0)
		m.nr_layers = 0;
	list = arena_alloc(arena, 2 + m.nr_layers + count_words(image->chain), sizeof(*list));
	ok = list != NULL && add(list, &n, IMG_PART_BLOB, image->id, arena);
	if (ok && str_starts(image->manifest, "sha256:"))
		ok = add(list, &n, IMG_PART_BLOB, image->manifest + 7, arena);
	for (size_t i = 0; ok && i < m.nr_layers; i++)
		ok = add(list, &n, IMG_PART_BLOB, m.layers[i].digest + 7, arena);
	for (const char *p = image->chain; ok && *p != '\0';
	     p += strcspn(p, " "), p += strspn(p, " "))
		ok = add(list, &n, IMG_PART_LAYER, p, arena);
	if (!ok)
		return err_set(err, -ENOMEM, "list the parts of image %.12s", image->id);
	*ret = list;
	return (int) n;
}

uint64_t img_part_bytes(struct img_store *store, const struct img_part *part)
{
	char path[IMG_BLOB_PATH_SIZE];

	if (part->kind == IMG_PART_LAYER) {
		(void) snprintf(path, sizeof(path), "%.64s/" IMG_EROFS_NAME, part->hex);
		return img_layer_bytes(store, part->hex) + dir_size(store->layers, path);
	}
	img_blob_path(part->hex, path);
	return dir_size(store->root, path);
}

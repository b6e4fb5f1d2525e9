/* SPDX-License-Identifier: MIT */
#include "engine/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "engine/engine.h"
#include "engine/overlay.h"
#include "image/parts.h"

/* A part of an image; the same part of several images is found by sorting. */
struct use {
	const struct img_part *part;
	struct eng_disk_image *image;
};

struct uses {
	struct use *v;
	size_t n, room;
};

uint64_t eng_disk_writable(struct engine *e, const char *id)
{
	char path[ENG_ID_LEN + 32];

	(void) snprintf(path, sizeof(path), "instances/%.64s/" ENG_OVERLAY_UPPER, id);
	return dir_size(e->root_fd, path);
}

static int nomem(struct err *err)
{
	return err_set(err, -ENOMEM, "read what the store holds");
}

static int same_part(const struct use *a, const struct use *b)
{
	int r = strcmp(a->part->hex, b->part->hex);

	return r != 0 ? r : (int) a->part->kind - (int) b->part->kind;
}

static int compare(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	int r = same_part(x, y);

	return r != 0 ? r : strcmp(x->image->image.id, y->image->image.id);
}

static int add_uses(struct engine *e, struct eng_disk_image *image, struct arena *arena,
		    struct uses *u, struct err *err)
{
	struct img_part *parts;
	int n = img_parts(e->images, &image->image, arena, &parts, err);

	for (int i = 0; i < n; i++) {
		if (u->n == u->room) {
			struct use *v = reallocarray(u->v, u->room = u->room * 2 + 64, sizeof(*v));

			if (v == NULL)
				return nomem(err);
			u->v = v;
		}
		u->v[u->n++] = (struct use) { &parts[i], image };
	}
	return n < 0 ? n : 0;
}

/* Every part is measured once, however many have it. */
static void add_bytes(struct engine *e, struct eng_disk *d, const struct uses *u)
{
	for (size_t i = 0, next; i < u->n; i = next) {
		uint64_t bytes = img_part_bytes(e->images, u->v[i].part);
		const struct eng_disk_image *last = NULL;
		size_t images = 0;
		bool used = false;

		for (next = i; next < u->n && same_part(&u->v[next], &u->v[i]) == 0; next++) {
			images += u->v[next].image != last; /* one image may have it twice */
			last = u->v[next].image;
			used = used || last->instances > 0;
		}
		d->image_bytes += bytes;
		d->image_used += used ? bytes : 0;
		last = NULL;
		for (size_t k = i; k < next; k++) {
			if (u->v[k].image == last)
				continue;
			last = u->v[k].image;
			u->v[k].image->bytes += bytes;
			u->v[k].image->shared += images > 1 ? bytes : 0;
		}
	}
}

static int read_images(struct engine *e, struct arena *arena, struct eng_disk *d, struct err *err)
{
	struct img_image *list = NULL;
	struct uses uses = { 0 };
	int n = img_store_list(e->images, arena, &list, err), r = 0;

	if (n < 0)
		return n;
	d->images = arena_alloc(arena, (size_t) n + 1, sizeof(*d->images));
	if (d->images == NULL)
		return nomem(err);
	for (int i = 0; r == 0 && i < n; i++) {
		struct eng_disk_image *image = &d->images[d->nr_images];
		bool seen = false;

		for (size_t k = 0; k < d->nr_images; k++) /* by another name */
			seen = seen || strcmp(d->images[k].image.id, list[i].id) == 0;
		if (seen)
			continue;
		*image = (struct eng_disk_image) { .image = list[i] };
		for (size_t k = 0; k < d->nr_instances; k++)
			image->instances += strcmp(d->instances[k].i.image_id, list[i].id) == 0;
		d->nr_images++;
		r = add_uses(e, image, arena, &uses, err);
	}
	if (r == 0 && uses.n > 0)
		qsort(uses.v, uses.n, sizeof(*uses.v), compare);
	if (r == 0)
		add_bytes(e, d, &uses);
	free(uses.v);
	return r;
}

static int read_instances(struct engine *e, struct arena *arena, struct eng_disk *d,
			  struct err *err)
{
	struct eng_instance *list = NULL;
	int n = eng_instance_list(e, arena, &list, err);

	if (n < 0)
		return n;
	d->instances = arena_alloc(arena, (size_t) n + 1, sizeof(*d->instances));
	if (d->instances == NULL)
		return nomem(err);
	for (int i = 0; i < n; i++)
		d->instances[d->nr_instances++] = (struct eng_disk_instance) {
			list[i], eng_disk_writable(e, list[i].id) };
	return 0;
}

static int read_volumes(struct engine *e, struct arena *arena, struct eng_disk *d, struct err *err)
{
	struct eng_volume *list = NULL;
	int n = eng_volume_list(e, arena, &list, err);

	if (n < 0)
		return n;
	d->volumes = arena_alloc(arena, (size_t) n + 1, sizeof(*d->volumes));
	if (d->volumes == NULL)
		return nomem(err);
	for (int i = 0; i < n; i++) {
		const char *path = eng_volume_path(e, list[i].name, arena);

		if (path == NULL)
			return nomem(err);
		d->volumes[d->nr_volumes++] =
			(struct eng_disk_volume) { list[i], dir_size(AT_FDCWD, path) };
	}
	return 0;
}

int eng_disk_read(struct engine *e, struct arena *arena, struct eng_disk *ret, struct err *err)
{
	struct eng_disk d = { 0 };
	int r = read_instances(e, arena, &d, err);

	if (r == 0)
		r = read_images(e, arena, &d, err);
	if (r == 0)
		r = read_volumes(e, arena, &d, err);
	*ret = d;
	return r;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: what need not be received
 *
 * Files of a layer that are compressed one by one are the same bytes in every layer that the same program has made of
 * them.  So a layer is put together of pieces of others and of what the registry sends, in its order.  Whether that is
 * right its digest tells, as always: a table of contents that lies costs time, and nothing else.
 */
#include "registry/reuse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "image/config.h"
#include "image/store.h"
#include "registry/toc.h"

#define SOURCES_MAX 64 /* layers that are looked into */
#define RUN_MIN (64u << 10) /* bytes at a stretch that are worth a request of their own */

struct reg_plan {
	struct reg_piece *v;
	size_t n;
	int fds[SOURCES_MAX + 1];
	size_t nr_fds;
};

/* A chunk that is wanted, and where it is; @fd -1: not found yet */
struct wanted {
	struct reg_chunk c;
	uint64_t from;
	int fd;
};

static int read_manifest(struct img_store *store, const struct img_image *image, struct arena *arena, struct reg_toc **ret)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[IMG_BLOB_PATH_SIZE];

	img_blob_path(image->manifest, path);
	if (file_read(img_store_root_fd(store), path, IMG_CONFIG_SIZE_MAX, &text) < 0 || text.p == NULL)
		return 0; /* `system check` tells of it */
	return reg_tocs_find(text.p, text.len, arena, ret);
}

static bool has(const struct reg_toc *v, size_t n, const char *layer)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].layer, layer) == 0)
			return true;
	return false;
}

int reg_sources(struct img_store *store, const char *repository, struct arena *arena, struct reg_toc **ret, struct err *err)
{
	struct reg_toc *v = arena_alloc(arena, SOURCES_MAX, sizeof(*v)), *of = NULL;
	struct img_image *images = NULL;
	int n = img_store_list(store, arena, &images, err);
	size_t count = 0;

	if (n < 0 || v == NULL)
		return n < 0 ? n : err_set(err, -ENOMEM, "look for layers that are here");
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < n && count < SOURCES_MAX; i++) {
			if ((strcmp(images[i].repository, repository) == 0) != (pass == 0))
				continue;
			int found = read_manifest(store, &images[i], arena, &of);
			for (int k = 0; k < found && count < SOURCES_MAX; k++)
				if (!has(v, count, of[k].layer))
					v[count++] = of[k];
		}
	*ret = v;
	return (int) count;
}

static int compare_keys(const void *a, const void *b)
{
	const struct reg_chunk *x = &((const struct wanted *) a)->c, *y = &((const struct wanted *) b)->c;
	int r = memcmp(x->key, y->key, sizeof(x->key));

	return r != 0 ? r : (x->size > y->size) - (x->size < y->size);
}

static int compare_places(const void *a, const void *b)
{
	const struct reg_chunk *x = &((const struct wanted *) a)->c, *y = &((const struct wanted *) b)->c;

	return (x->at > y->at) - (x->at < y->at);
}

/* All that are wanted and are like this one of @fd; @v is in the order of keys */
static void found(struct wanted *v, size_t n, const struct reg_chunk *c, int fd)
{
	const struct wanted key = { .c = *c };
	struct wanted *w = bsearch(&key, v, n, sizeof(*v), compare_keys);

	while (w != NULL && w > v && compare_keys(w - 1, &key) == 0)
		w--;
	for (; w != NULL && w < v + n && compare_keys(w, &key) == 0; w++)
		if (w->fd < 0) {
			w->fd = fd;
			w->from = c->at;
		}
}

/* What a layer of the store has; nothing, when it cannot be read */
static void search_in(int root, const struct reg_toc *t, struct wanted *v, size_t n, struct reg_plan *plan)
{
	static const unsigned char none[REG_TOC_KEY];
	_cleanup_free_ void *packed = malloc(t->size);
	_cleanup_free_ struct reg_chunk *chunks = NULL;
	char path[IMG_BLOB_PATH_SIZE];
	size_t count = 0;

	img_blob_path(t->layer, path);
	_cleanup_close_ int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || packed == NULL || pread(fd, packed, t->size, (off_t) t->at) != (ssize_t) t->size ||
	    reg_toc_read(t, packed, &chunks, &count, NULL) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (memcmp(chunks[i].key, none, sizeof(none)) != 0)
			found(v, n, &chunks[i], fd);
	plan->fds[plan->nr_fds++] = take_fd(fd);
}

/* The table itself came first. */
static void add_table(struct reg_plan *plan, const struct reg_toc *t, const void *packed)
{
	_cleanup_close_ int fd = memfd_create("table", MFD_CLOEXEC);

	if (fd < 0 || fd_write_full(fd, packed, t->size) < 0)
		return; /* then it comes again */
	plan->v[plan->n++] = (struct reg_piece) { .at = t->at, .size = t->size, .fd = fd };
	plan->fds[plan->nr_fds++] = take_fd(fd);
}

/* Pieces of what was found, in its order; those too short to be worth it are left out. */
static void add_pieces(struct reg_plan *plan, const struct wanted *v, size_t n)
{
	for (size_t i = 0, next; i < n; i = next) {
		uint64_t end = v[i].c.at;
		size_t first = plan->n;

		for (next = i; next < n && v[next].fd >= 0 && v[next].c.at == end; next++) {
			struct reg_piece *last = plan->n > first ? &plan->v[plan->n - 1] : NULL;

			if (last != NULL && last->fd == v[next].fd && last->from + last->size == v[next].from)
				last->size += v[next].c.size;
			else
				plan->v[plan->n++] = (struct reg_piece) { end, v[next].c.size, v[next].from, v[next].fd };
			end += v[next].c.size;
		}
		if (end - v[i].c.at < RUN_MIN)
			plan->n = first;
		next += next == i;
	}
}

int reg_plan_make(int root, const struct reg_toc *t, const void *packed, const struct reg_toc *sources, size_t n,
		  struct reg_plan **ret, struct err *err)
{
	_cleanup_(reg_plan_freep) struct reg_plan *plan = calloc(1, sizeof(*plan));
	_cleanup_free_ struct reg_chunk *chunks = NULL;
	size_t count = 0;
	int r = plan == NULL ? err_set(err, -ENOMEM, "look for files that are here") : reg_toc_read(t, packed, &chunks, &count, err);
	_cleanup_free_ struct wanted *v = r == 0 ? calloc(count + 1, sizeof(*v)) : NULL;

	if (r < 0)
		return r;
	plan->v = calloc(count + 1, sizeof(*plan->v));
	if (v == NULL || plan->v == NULL)
		return err_set(err, -ENOMEM, "look for files that are here");
	for (size_t i = 0; i < count; i++)
		v[i] = (struct wanted) { .c = chunks[i], .fd = -1 };
	qsort(v, count, sizeof(*v), compare_keys);
	for (size_t i = 0; i < n && i < SOURCES_MAX; i++)
		search_in(root, &sources[i], v, count, plan);
	qsort(v, count, sizeof(*v), compare_places);
	add_pieces(plan, v, count);
	add_table(plan, t, packed);
	*ret = take_ptr(plan);
	return 0;
}

const struct reg_piece *reg_plan_next(const struct reg_plan *plan, uint64_t at)
{
	size_t low = 0, high = plan != NULL ? plan->n : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (plan->v[middle].at + plan->v[middle].size <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return plan != NULL && low < plan->n ? &plan->v[low] : NULL;
}

void reg_plan_free(struct reg_plan *plan)
{
	if (plan == NULL)
		return;
	for (size_t i = 0; i < plan->nr_fds; i++)
		(void) close(plan->fds[i]); /* read-only, or in memory */
	free(plan->v);
	free(plan);
}

/* SPDX-License-Identifier: MIT */
/*
 * How it works: a region is the unit of eviction.  Inside of one, code is only appended, so its
 * blocks are sorted by address and a look-up is a binary search.
 */
#include "vmm/accel/soft/translate/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "vmm/accel/soft/translate/block.h"

#define HEAP_ALIGN 16u

static size_t region_size(const struct cache *c)
{
	return (c->size - c->gates) / CACHE_REGIONS & ~(size_t) (CACHE_ALIGN - 1);
}

int cache_init(struct cache *c, size_t size, size_t gates)
{
	_cleanup_close_ int fd = memfd_create("code", MFD_CLOEXEC);
	void *w, *x;

	*c = (struct cache) { .size = size, .gates = gates, .pos = gates };
	if (fd < 0 || ftruncate(fd, (off_t) size) < 0)
		return -errno;
	w = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (w == MAP_FAILED)
		return -errno;
	x = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	if (x == MAP_FAILED) {
		int r = -errno;

		(void) munmap(w, size);
		return r;
	}
	c->w = w;
	c->x = x;
	c->heap = mmap(NULL, CACHE_REGIONS * region_size(c), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (c->heap == MAP_FAILED) {
		c->heap = NULL;
		return -ENOMEM;
	}
	for (unsigned r = 0; r < CACHE_REGIONS; r++) {
		c->region[r].block = calloc(region_size(c) / CACHE_ALIGN, sizeof(*c->region[r].block));
		if (c->region[r].block == NULL)
			return -ENOMEM;
	}
	return 0;
}

void cache_done(struct cache *c)
{
	for (unsigned r = 0; r < CACHE_REGIONS; r++)
		free(c->region[r].block);
	if (c->heap != NULL)
		(void) munmap(c->heap, CACHE_REGIONS * region_size(c));
	if (c->w != NULL)
		(void) munmap(c->w, c->size);
	if (c->x != NULL)
		(void) munmap((void *) (uintptr_t) c->x, c->size);
	*c = (struct cache) { 0 };
}

unsigned cache_region_of(const struct cache *c, size_t at)
{
	size_t r = at < c->gates ? CACHE_REGIONS : (at - c->gates) / region_size(c);

	return r < CACHE_REGIONS ? (unsigned) r : CACHE_REGIONS;
}

size_t cache_room(const struct cache *c)
{
	return c->gates + (c->now + 1) * region_size(c) - c->pos;
}

size_t cache_heap_room(const struct cache *c)
{
	return region_size(c) - c->heap_used;
}

void *cache_alloc(struct cache *c, size_t size)
{
	uint8_t *p = c->heap + c->now * region_size(c) + c->heap_used;

	c->heap_used += (size + HEAP_ALIGN - 1) & ~(size_t) (HEAP_ALIGN - 1);
	return p;
}

void cache_next(struct cache *c)
{
	c->heap_used = 0;
	c->now = (c->now + 1) % CACHE_REGIONS;
	c->pos = c->gates + c->now * region_size(c);
}

void cache_add(struct cache *c, struct block *b)
{
	struct cache_region *r = &c->region[c->now];

	r->block[r->nr++] = b;
	c->pos = b->end;
}

struct block *cache_find(const struct cache *c, size_t at)
{
	unsigned region = cache_region_of(c, at);
	size_t low = 0, high;

	if (region == CACHE_REGIONS)
		return NULL;
	high = c->region[region].nr;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct block *b = c->region[region].block[middle];

		if (at < b->start)
			high = middle;
		else if (at >= b->end)
			low = middle + 1;
		else
			return b;
	}
	return NULL;
}

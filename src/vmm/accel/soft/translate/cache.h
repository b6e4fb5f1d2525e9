/* SPDX-License-Identifier: MIT */
/*
 * Where translated code lives: one memfd, mapped for writing and, elsewhere, for executing.
 *
 * It is bounded.  Its room is cut into regions that are filled one after the other; when the last
 * one is full, the oldest is emptied and filled again.  What describes the code is in memory of the region, too: once
 * begun, a translator asks for no more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block;

#define CACHE_REGIONS 8u

#define CACHE_ALIGN 64u /* of blocks */

/** struct cache_region - blocks by address, oldest first */
struct cache_region {
	struct block **block;
	size_t nr;
};

/**
 * struct cache - translated code
 * @w, @x: the same bytes, writable and executable; code is named by its offset in them
 * @gates: bytes at the start that are no region's
 * @heap: for what describes code, as many bytes for each region; @heap_used: of that of @now
 * @now: region that is filled; @pos: offset where
 */
struct cache {
	uint8_t *w;
	const uint8_t *x;
	uint8_t *heap;
	size_t size, gates, heap_used;
	unsigned now;
	size_t pos;
	struct cache_region region[CACHE_REGIONS];
};

/** cache_init() - @size bytes in all, @gates of them for code that stays.  Return: 0; -errno of memfd_create() or mmap() */
int cache_init(struct cache *c, size_t size, size_t gates);

/** cache_done() - release all */
void cache_done(struct cache *c);

/** cache_region_of() - the region that the byte at offset @at belongs to; CACHE_REGIONS: none */
unsigned cache_region_of(const struct cache *c, size_t at);

/** cache_room() - bytes left in the region that is filled */
size_t cache_room(const struct cache *c);

/** cache_heap_room() - bytes left for cache_alloc() */
size_t cache_heap_room(const struct cache *c);

/** cache_alloc() - @size bytes until the region is emptied, no more than there is room for */
void *cache_alloc(struct cache *c, size_t size);

/** cache_next() - go on with the next region, which the caller has emptied */
void cache_next(struct cache *c);

/** cache_add() - @b, whose size is a multiple of CACHE_ALIGN, is what was just written at the end */
void cache_add(struct cache *c, struct block *b);

/** cache_find() - the block whose code has the byte at offset @at; NULL if there is none */
struct block *cache_find(const struct cache *c, size_t at);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct arena_chunk;

/**
 * struct arena - memory that is released in one go
 * @chunks: newest first, NULL while empty; zero-initialise to start
 */
struct arena {
	struct arena_chunk *chunks;
};

/**
 * arena_alloc() - zeroed memory that lives until arena_fini()
 * @a: borrows
 * @nmemb: number of elements
 * @size: bytes of one element
 *
 * Return: memory aligned for any type, never freed alone; NULL without memory or on overflow.
 */
void *arena_alloc(struct arena *a, size_t nmemb, size_t size);

/**
 * arena_strndup() - copy of the first @n bytes of @s, terminated
 * Return: the copy; NULL without memory.
 */
char *arena_strndup(struct arena *a, const char *s, size_t n);

/**
 * arena_grow() - room for one more element in an array
 * @a: borrows
 * @v: the array, NULL while it is empty
 * @n: how many elements it has
 * @room: how many it has room for, 0 at first; changed when it grows
 * @size: bytes of one element
 *
 * Return: the array, which may lie elsewhere now; what is behind its elements is zeroed.  NULL without memory.
 */
void *arena_grow(struct arena *a, const void *v, size_t n, size_t *room, size_t size);

/** arena_strdup() - copy of @s; NULL without memory */
char *arena_strdup(struct arena *a, const char *s);

/** arena_printf() - formatted string; NULL without memory */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** arena_fini() - release everything; the arena may be used again */
void arena_fini(struct arena *a);

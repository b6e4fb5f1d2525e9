/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE ((size_t) 16384) /* bytes; a usual config.json needs one or two */

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	_Alignas(max_align_t) unsigned char data[];
};

void *arena_alloc(struct arena *a, size_t nmemb, size_t size)
{
	struct arena_chunk *c = a->chunks;
	size_t n;

	if (__builtin_mul_overflow(nmemb, size, &n) || n > SIZE_MAX / 2)
		return NULL;
	n = (n + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (c == NULL || c->size - c->used < n) {
		size_t want = n > CHUNK_SIZE ? n : CHUNK_SIZE;

		c = calloc(1, sizeof(*c) + want);
		if (c == NULL)
			return NULL;
		c->size = want;
		c->next = a->chunks;
		a->chunks = c;
	}
	c->used += n;
	return c->data + c->used - n;
}

void *arena_grow(struct arena *a, const void *v, size_t n, size_t *room, size_t size)
{
	void *more;

	if (n < *room)
		return (void *) v;
	more = arena_alloc(a, *room * 2 + 16, size);
	if (more != NULL && n > 0)
		memcpy(more, v, n * size);
	if (more != NULL)
		*room = *room * 2 + 16;
	return more;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1, 1);

	if (p != NULL)
		memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *p = NULL;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0)
		p = arena_alloc(a, (size_t) n + 1, 1);
	if (p != NULL)
		(void) vsnprintf(p, (size_t) n + 1, fmt, again); /* same text, it fits */
	va_end(again);
	va_end(ap);
	return p;
}

void arena_fini(struct arena *a)
{
	while (a->chunks != NULL) {
		struct arena_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * How it works: a block is dropped at once for whoever looks for it, and its code and memory go when
 * their region of the cache is emptied.  A link is the only pointer from one block to another, and
 * it is on the list of the one that it enters.
 */
#include "vmm/accel/soft/translate/block.h"

#include <errno.h>
#include <stdlib.h>

#include "vmm/accel/soft/cpu/plain.h"
#include "vmm/accel/soft/translate/emit.h"

int block_set_init(struct block_set *s, struct cache *cache, uint64_t nr_pages)
{
	*s = (struct block_set) { .cache = cache, .nr_pages = nr_pages };
	s->page = calloc(nr_pages == 0 ? 1 : nr_pages, sizeof(*s->page));
	s->tail = calloc(nr_pages == 0 ? 1 : nr_pages, sizeof(*s->tail));
	return s->page == NULL || s->tail == NULL ? -ENOMEM : 0;
}

void block_set_done(struct block_set *s)
{
	free(s->page);
	free(s->tail);
	s->page = s->tail = NULL;
}

struct block *block_new(struct cache *cache, size_t nr_insns, size_t nr_links)
{
	struct block *b = cache_alloc(cache, sizeof(*b) + nr_insns * sizeof(b->insn[0]));

	plain_clear(b, sizeof(*b));
	b->nr_insns = (uint16_t) nr_insns;
	b->nr_links = (uint16_t) nr_links;
	b->link = cache_alloc(cache, nr_links * sizeof(*b->link));
	return b;
}

static struct block **bucket(struct block_set *s, uint64_t gpa, uint32_t key)
{
	return &s->hash[((gpa * 0x9E3779B97F4A7C15u) >> 44 ^ key) % BLOCKS_HASH];
}

struct block *block_find(const struct block_set *s, uint64_t gpa, uint32_t key)
{
	struct block *b = *bucket((struct block_set *) s, gpa, key);

	while (b != NULL && (b->gpa != gpa || b->key != key))
		b = b->next_hash;
	return b;
}

void block_insert(struct block_set *s, struct block *b)
{
	struct block **hash = bucket(s, b->gpa, b->key), **page = &s->page[b->gpa >> 12];

	b->next_hash = *hash;
	*hash = b;
	b->next_page = *page;
	*page = b;
	if (b->next_gpa != BLOCK_NO_NEXT) {
		b->next_tail = s->tail[b->next_gpa >> 12];
		s->tail[b->next_gpa >> 12] = b;
	}
}

void block_chain(struct block_set *s, struct link *l, struct block *to)
{
	uint8_t *w = s->cache->w;

	l->to = to;
	l->next_in = to->in;
	to->in = l;
	emit_patch(w + l->at, w + (l->to_host ? to->host_entry : to->entry));
}

static void unchain(struct link *l)
{
	struct link **p = &l->to->in;

	while (*p != l)
		p = &(*p)->next_in;
	*p = l->next_in;
	l->to = NULL;
}

void block_drop(struct block_set *s, struct block *b)
{
	uint8_t *w = s->cache->w;
	struct block **p;

	if (b->dead)
		return;
	b->dead = true;
	while (b->in != NULL) {
		struct link *l = b->in;

		unchain(l);
		emit_patch(w + l->at, w + l->gate);
	}
	for (unsigned i = 0; i < b->nr_links; i++) {
		if (b->link[i].to != NULL)
			unchain(&b->link[i]);
	}
	for (p = bucket(s, b->gpa, b->key); *p != b; p = &(*p)->next_hash) {
	}
	*p = b->next_hash;
	for (p = &s->page[b->gpa >> 12]; *p != b; p = &(*p)->next_page) {
	}
	*p = b->next_page;
	if (b->next_gpa == BLOCK_NO_NEXT)
		return;
	for (p = &s->tail[b->next_gpa >> 12]; *p != b; p = &(*p)->next_tail) {
	}
	*p = b->next_tail;
}

bool block_drop_page(struct block_set *s, uint64_t gpa)
{
	uint64_t page = gpa >> 12;
	bool any = block_in_page(s, gpa);

	while (any && s->page[page] != NULL)
		block_drop(s, s->page[page]);
	while (any && s->tail[page] != NULL)
		block_drop(s, s->tail[page]);
	return any;
}

void block_evict(struct block_set *s, unsigned region)
{
	struct cache_region *r = &s->cache->region[region];

	for (size_t i = 0; i < r->nr; i++)
		block_drop(s, r->block[i]);
	r->nr = 0;
}

const struct block_insn *block_insn_at(const struct block *b, size_t at)
{
	size_t host = at - b->start;
	unsigned low = 0, high = b->nr_insns;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (b->insn[middle].host <= host)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? NULL : &b->insn[low - 1];
}

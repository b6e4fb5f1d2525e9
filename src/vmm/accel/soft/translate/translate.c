/* SPDX-License-Identifier: MIT */
/*
 * How it works: run.c executes, this file makes and forgets.  A guest page with translated code
 * is marked in struct cpu.pages, so that the soft TLB lets nobody write to it silently; the
 * first write drops all blocks of the page and the mark.  Devices tell what they have written, and a page is compared
 * with what was translated when it comes back into the TLB.
 */
#include "vmm/accel/soft/translate/translate.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/err.h"
#include "vmm/accel/soft/cpu/pages.h"
#include "vmm/accel/soft/translate/fault.h"
#include "vmm/accel/soft/translate/gen.h"
#include "vmm/accel/soft/translate/run.h"
#include "vmm/accel/soft/translate/verify.h"

#define CACHE_DEFAULT (64u << 20)

static int init(struct cpu *c, struct translator *t, uint64_t cache_size)
{
	uint64_t pages = c->nr_pages;
	int r = cache_init(&t->cache, cache_size == 0 ? CACHE_DEFAULT : cache_size, GATE_BYTES);

	if (r == 0)
		r = block_set_init(&t->blocks, &t->cache, pages);
	if (r < 0)
		return r;
	t->jumps = calloc(JUMPS, sizeof(*t->jumps));
	t->hash = calloc(pages == 0 ? 1 : pages, sizeof(*t->hash));
	if (t->jumps == NULL || t->hash == NULL)
		return -ENOMEM;
	if (getrandom(&t->seed, sizeof(t->seed), 0) != sizeof(t->seed))
		return -errno;
	translator_new_epochs(t);
	t->ac_epoch = epoch_next(t);
	for (unsigned n = 0; n < sizeof(t->mode_epoch) / sizeof(t->mode_epoch[0]); n++)
		t->mode_epoch[n] = epoch_next(t);
	t->no_way.read = t->no_way.write = (epoch_next(t) & UINT64_MAX >> 2) | 1ull << 62; /* not canonical */
	gates_write(&t->gates, &t->cache);
	c->hot.jumps = t->jumps;
	t->owner_ops = c->ops;
	translator_hooks(t);
	c->ops = &t->ops;
	return fault_init();
}

int translate_new(struct cpu *c, uint64_t cache_size, struct err *err)
{
	struct translator *t = calloc(1, sizeof(*t));
	int r;

	if (t == NULL)
		return err_set(err, -ENOMEM, "no memory for the translator");
	c->translator = t;
	r = init(c, t, cache_size);
	if (r < 0) {
		translate_free(c);
		return err_set(err, r, "cannot set up the translator");
	}
	return 0;
}

int translate_verify(struct cpu *c)
{
	struct translator *t = translator_of(c);

	t->no_jumps = calloc(JUMPS, sizeof(*t->no_jumps));
	t->verify = t->no_jumps != NULL ? verify_new() : NULL;
	return t->verify != NULL ? 0 : -ENOMEM;
}

int translate_adopt(struct cpu *c)
{
	return fault_thread(c);
}

void translate_free(struct cpu *c)
{
	struct translator *t = translator_of(c);

	if (t == NULL)
		return;
	block_set_done(&t->blocks);
	cache_done(&t->cache);
	if (t->owner_ops != NULL)
		c->ops = t->owner_ops;
	verify_free(t->verify);
	free(t->no_jumps);
	free(t->jumps);
	free(t->hash);
	free(t);
	c->translator = NULL;
}

/* Room for a block: empties the oldest region when there is none. */
static void make_room(struct cpu *c)
{
	struct translator *t = translator_of(c);

	if (cache_room(&t->cache) >= GEN_BYTES && cache_heap_room(&t->cache) >= BLOCK_BYTES(GEN_INSNS))
		return;
	cache_next(&t->cache);
	if (t->cache.region[t->cache.now].nr == 0)
		return;
	block_evict(&t->blocks, t->cache.now);
	translator_new_epochs(t);
	t->dropped = true;
	c->stat_translated.evicted_regions++;
}

/* From now on, nobody writes to @page without a word.  False: not yet. */
static bool claim(struct cpu *c, const struct tlb_code *page)
{
	struct translator *t = translator_of(c);

	if (!page_claim(c, page->gpa)) {
		c->stat_translated.unclaimed++;
		t->unclaimed = true;
		return false;
	}
	if (!block_in_page(&t->blocks, page->gpa))
		t->hash[page->gpa >> 12] = translator_hash(page->host);
	return true;
}

static struct block *translate(struct cpu *c, const struct tlb_code *page, const struct tlb_code *next, uint32_t key)
{
	struct translator *t = translator_of(c);
	struct block *b;

	make_room(c);
	if (!claim(c, page) || (next != NULL && !claim(c, next)))
		return NULL;
	b = gen_block(c, &t->cache, &t->gates, page, next, c->reg[REG_RIP] & 0xFFF, key);
	if (b == NULL)
		return NULL;
	if (b->step.len != 0)
		insn_bind(c, &b->step);
	block_insert(&t->blocks, b);
	c->stat_translated.blocks++;
	c->stat_translated.bytes += b->end - b->start;
	return b;
}

struct block *translator_block(struct cpu *c, const struct tlb_code *page, const struct tlb_code *next, uint32_t key)
{
	uint64_t begun = __builtin_ia32_rdtsc();
	struct block *b = translate(c, page, next, key);

	c->stat_translated.ticks += __builtin_ia32_rdtsc() - begun;
	return b;
}

void translate_forget(struct cpu *c)
{
	struct translator *t = translator_of(c);

	if (t == NULL)
		return;
	for (unsigned r = 0; r < CACHE_REGIONS; r++) {
		for (size_t i = 0; i < t->cache.region[r].nr; i++)
			page_unclaim(c, t->cache.region[r].block[i]->gpa);
		block_evict(&t->blocks, r);
	}
	translator_new_epochs(t);
	t->dropped = true;
}

void translate_asked(struct cpu *c, uint64_t gpa, enum page_ask what)
{
	if (what == PAGE_GIVE_UP) {
		page_give_up(c, gpa);
		return;
	}
	page_unclaim(c, gpa);
	translate_code_write(c, gpa);
}

void translate_asked_all(struct cpu *c)
{
	translate_forget(c);
	page_give_up_all(c);
}

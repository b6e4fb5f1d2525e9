/* SPDX-License-Identifier: MIT */
/*
 * How it works: run.c executes, this file makes and forgets.  A guest page with translated code
 * is marked in struct cpu.page_flags, so that the soft TLB lets nobody write to it silently; the
 * first write drops all blocks of the page and the mark.  Devices write without asking: therefore a
 * page is compared with what was translated when it comes back into the TLB, before which nobody may expect the
 * processor to see what they wrote.
 */
#include "vmm/accel/soft/translate/translate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/translate/fault.h"
#include "vmm/accel/soft/translate/gen.h"
#include "vmm/accel/soft/translate/run.h"

#define CACHE_DEFAULT (64u << 20)

static uint64_t guest_pages(const struct cpu_ram *ram)
{
	uint64_t end = 0;

	for (unsigned r = 0; r < ram->nr; r++) {
		uint64_t e = ram->region[r].gpa + ram->region[r].size;

		end = e > end ? e : end;
	}
	return end >> 12;
}

static int init(struct cpu *c, struct translator *t, uint64_t cache_size)
{
	uint64_t pages = guest_pages(c->ram);
	int r = cache_init(&t->cache, cache_size == 0 ? CACHE_DEFAULT : cache_size, GATE_BYTES);

	if (r == 0)
		r = block_set_init(&t->blocks, &t->cache, pages);
	if (r < 0)
		return r;
	t->jumps = calloc(JUMPS, sizeof(*t->jumps));
	c->page_flags = calloc(pages == 0 ? 1 : pages, 1);
	t->hash = calloc(pages == 0 ? 1 : pages, sizeof(*t->hash));
	if (t->jumps == NULL || t->hash == NULL || c->page_flags == NULL)
		return -ENOMEM;
	c->nr_page_flags = pages;
	if (getrandom(&t->seed, sizeof(t->seed), 0) != sizeof(t->seed))
		return -errno;
	translator_new_epochs(t);
	t->ac_epoch = epoch_next(t);
	t->no_way.read = t->no_way.write = (epoch_next(t) & UINT64_MAX >> 2) | 1ull << 62; /* not canonical */
	gates_write(&t->gates, &t->cache);
	c->hot.jumps = t->jumps;
	t->ops = *c->ops;
	t->ops.apic_read = translator_apic_read;
	t->ops.apic_write = translator_apic_write;
	t->owner_ops = c->ops;
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
	free(t->jumps);
	free(t->hash);
	free(t);
	free(c->page_flags);
	c->page_flags = NULL;
	c->nr_page_flags = 0;
	c->translator = NULL;
}

/* Room for a block: empties the oldest region when there is none. */
static void make_room(struct translator *t)
{
	if (cache_room(&t->cache) >= GEN_BYTES)
		return;
	cache_next(&t->cache);
	if (t->cache.region[t->cache.now].nr == 0)
		return;
	block_evict(&t->blocks, t->cache.now);
	translator_new_epochs(t);
	t->dropped = true;
	t->stats.evicted_regions++;
}

struct block *translator_block(struct cpu *c, const struct tlb_code *page)
{
	struct translator *t = translator_of(c);
	uint64_t gpa = page->gpa | (c->reg[REG_RIP] & 0xFFF);
	uint32_t key = translator_key(c);
	struct block *b;

	if (gpa >> 12 >= c->nr_page_flags)
		return NULL;
	make_room(t);
	if (!(c->page_flags[gpa >> 12] & CPU_PAGE_CODE)) {
		c->page_flags[gpa >> 12] |= CPU_PAGE_CODE;
		mmu_protect(c, gpa);
		t->hash[gpa >> 12] = translator_hash(page->host);
	}
	b = gen_block(c, &t->cache, &t->gates, page->host, gpa, key);
	if (b == NULL)
		return NULL;
	if (b->step.len != 0)
		insn_bind(c, &b->step);
	block_insert(&t->blocks, b);
	t->stats.blocks++;
	t->stats.bytes += b->end - b->start;
	return b;
}

void translate_forget(struct cpu *c)
{
	struct translator *t = translator_of(c);

	for (unsigned r = 0; t != NULL && r < CACHE_REGIONS; r++)
		block_evict(&t->blocks, r);
	if (t == NULL)
		return;
	(void) memset(c->page_flags, 0, c->nr_page_flags);
	translator_new_epochs(t);
	t->dropped = true;
}

const struct translate_stats *translate_stats(const struct cpu *c)
{
	return &translator_of(c)->stats;
}

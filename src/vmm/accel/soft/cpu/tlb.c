/* SPDX-License-Identifier: MIT */
/**
 * DOC: the soft TLB
 *
 * A page of 2 MiB or 1 GiB has an entry per 4 KiB that was used.  INVLPG must forget them all: two hashed
 * bit sets tell whether the address may be in a large page, since looking through all entries is slow.
 */
#include <sys/random.h>

#include "vmm/accel/soft/cpu/mem.h"
#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/pages.h"
#include "vmm/accel/soft/cpu/run.h"

uint64_t tlb_none;

static unsigned right_of(const struct cpu *c)
{
	if (c->dr7 & 0xFF) {
		for (unsigned i = 0; i < 4; i++)
			if ((c->dr7 >> (i * 2) & 3) && (c->dr7 >> (16 + i * 4) & 3))
				return TLB_SLOW;
	}
	if (c->cpl == 3)
		return (c->cr0 & CR0_AM) && (c->flags & FL_AC) ? TLB_SLOW : TLB_USER;
	return (c->cr4 & CR4_SMAP) && !(c->flags & FL_AC) ? TLB_KERNEL : TLB_KERNEL_AC;
}

void mmu_select(struct cpu *c)
{
	c->tlb_now = c->tlb[c->space.now].entry[right_of(c)];
}

static void large_bits(const struct cpu *c, uint64_t lin, uint64_t **word2m, uint64_t **word1g, uint64_t bit[2])
{
	unsigned a = lin >> 21 & 4095, b = lin >> 30 & 4095;

	*word2m = (uint64_t *) &c->space.large[0][a / 64];
	*word1g = (uint64_t *) &c->space.large[1][b / 64];
	bit[0] = 1ull << a % 64;
	bit[1] = 1ull << b % 64;
}

static uint64_t info_of(struct cpu *c, uint64_t lin, const struct page *page)
{
	uint64_t info = (page->gpa & ~0xFFFull) | (page->global ? TLB_GLOBAL : 0), *a, *b, bit[2];

	if (page->large) {
		large_bits(c, lin, &a, &b, bit);
		if (page->large == 1)
			*a |= bit[0];
		else
			*b |= bit[1];
		info |= TLB_LARGE;
	}
	return info;
}

void mmu_fill(struct cpu *c, struct tlb_entry *tlb, uint64_t lin, const struct page *page, uint8_t *host, bool readonly)
{
	struct tlb_entry *e = &tlb[tlb_index(lin)];
	uint64_t at = lin & ~0xFFFull;

	if (tlb == c->tlb[c->space.now].entry[TLB_SLOW])
		return;
	e->read = at;
	e->write = page->write && !readonly && page_may_write(c, page->gpa) ? at : TLB_NONE;
	e->host = (uint64_t) (uintptr_t) host & ~0xFFFull;
	e->info = info_of(c, lin, page);
	c->stat_tlb_miss++;
}

const struct tlb_code *mmu_code(struct cpu *c, uint64_t lin)
{
	struct tlb_code *e = &c->tlb[c->space.now].code[c->cpl == 3][lin >> 12 & (TLB_CODE_ENTRIES - 1)];
	struct page page;
	uint64_t left;
	bool readonly;
	uint8_t *host;

	if (__builtin_expect(e->page == (lin & ~0xFFFull), 1))
		return e;
	mmu_translate(c, lin, MMU_FETCH, &page);
	host = mmu_ram(c, page.gpa & ~0xFFFull, &left, &readonly);
	e->page = host != NULL ? lin & ~0xFFFull : TLB_NONE;
	e->gpa = page.gpa & ~0xFFFull;
	e->host = host;
	e->info = info_of(c, lin, &page);
	return e;
}

static void forget_entry(struct tlb_entry *e)
{
	e->read = e->write = TLB_NONE;
}

/* Translated code for addresses of space @s, or of all, is to be found anew. */
static void code_flushed(struct cpu *c, const struct tlb *t, bool global)
{
	c->hot.flushed |= global ? CPU_FLUSHED_ALL : 1u << (t - c->tlb);
}

/* Forget all that has not one of the bits @keep; inlined, the usual cases have no test per entry. */
static inline void sweep(struct tlb *t, uint64_t keep)
{
	for (unsigned r = 0; r < TLB_SLOW; r++)
		for (unsigned i = 0; i < TLB_ENTRIES; i++)
			if (keep == 0 || !(t->entry[r][i].info & keep))
				forget_entry(&t->entry[r][i]);
	for (unsigned r = 0; r < 2; r++)
		for (unsigned i = 0; i < TLB_CODE_ENTRIES; i++)
			if (keep == 0 || !(t->code[r][i].info & keep))
				t->code[r][i].page = TLB_NONE;
}

static void sweep_all(struct tlb *t)
{
	sweep(t, 0);
}

static void sweep_local(struct tlb *t)
{
	sweep(t, TLB_GLOBAL);
}

static bool in_large(uint64_t page, uint64_t info, uint64_t lin)
{
	return (info & TLB_LARGE) && page >> 30 == lin >> 30;
}

static void sweep_large(struct tlb *t, uint64_t lin)
{
	for (unsigned r = 0; r < TLB_SLOW; r++)
		for (unsigned i = 0; i < TLB_ENTRIES; i++)
			if (in_large(t->entry[r][i].read, t->entry[r][i].info, lin))
				forget_entry(&t->entry[r][i]);
	for (unsigned r = 0; r < 2; r++)
		for (unsigned i = 0; i < TLB_CODE_ENTRIES; i++)
			if (in_large(t->code[r][i].page, t->code[r][i].info, lin))
				t->code[r][i].page = TLB_NONE;
}

/* Does space @s hold anything? */
static bool in_use(const struct cpu *c, unsigned s)
{
	return s == c->space.now || c->space.used[s] != 0;
}

/* Once per program. */
static void choose_none(void)
{
	if (tlb_none != 0)
		return;
	(void) getrandom(&tlb_none, sizeof(tlb_none), 0); /* what is left out is zero */
	tlb_none = (tlb_none & UINT64_MAX >> 2) | 1ull << 62;
}

void mmu_reset(struct cpu *c)
{
	choose_none();
	c->hot.flushed = CPU_FLUSHED_ALL;
	for (unsigned s = 0; s < TLB_SPACES; s++) {
		for (unsigned i = 0; i < TLB_ENTRIES; i++)
			forget_entry(&c->tlb[s].entry[TLB_SLOW][i]);
		sweep_all(&c->tlb[s]);
		c->space.pcid[s] = 0;
		c->space.used[s] = 0;
	}
	memset(c->space.large, 0, sizeof(c->space.large));
	c->space.now = 0;
	mmu_select(c);
}

void cpu_flush_tlb(struct cpu *c, bool global)
{
	for (unsigned s = 0; s < TLB_SPACES; s++) {
		if (s == c->space.now && global)
			sweep_all(&c->tlb[s]);
		else if (global)
			c->space.used[s] = 0; /* is emptied when it is taken */
		else if (in_use(c, s))
			sweep_local(&c->tlb[s]);
		code_flushed(c, &c->tlb[s], global);
	}
	if (global)
		memset(c->space.large, 0, sizeof(c->space.large));
}

void mmu_invlpg(struct cpu *c, uint64_t lin)
{
	uint64_t *a, *b, bit[2], page = lin & ~0xFFFull;
	unsigned n = lin >> 12 & (TLB_ENTRIES - 1), m = lin >> 12 & (TLB_CODE_ENTRIES - 1);
	bool large;

	large_bits(c, lin, &a, &b, bit);
	large = (*a & bit[0]) || (*b & bit[1]);
	if (large || c->hot.code_seen[lin >> 63][(lin >> 12 & 4095) / 64] >> (lin >> 12 & 63) & 1)
		c->hot.flushed |= lin >> 63 ? CPU_FLUSHED_ALL : CPU_FLUSHED_SPACES;
	for (unsigned s = 0; s < TLB_SPACES; s++) {
		struct tlb *t = &c->tlb[s];

		if (!in_use(c, s))
			continue;
		if (large)
			sweep_large(t, lin);
		for (unsigned r = 0; r < TLB_RIGHTS; r++)
			if (t->entry[r][n].read == page)
				forget_entry(&t->entry[r][n]);
		for (unsigned r = 0; r < 2; r++)
			if (t->code[r][m].page == page)
				t->code[r][m].page = TLB_NONE;
	}
}

void mmu_invpcid(struct cpu *c, unsigned pcid)
{
	for (unsigned s = 0; s < TLB_SPACES; s++)
		if (c->space.used[s] != 0 && c->space.pcid[s] == pcid) {
			sweep_local(&c->tlb[s]);
			code_flushed(c, &c->tlb[s], false);
		}
}

/* The arrays of @pcid: its own, or those of the one not used for longest. */
static void switch_space(struct cpu *c, unsigned pcid)
{
	unsigned oldest = 0;

	for (unsigned s = 0; s < TLB_SPACES; s++) {
		if (c->space.used[s] != 0 && c->space.pcid[s] == pcid) {
			oldest = s;
			break;
		}
		if (c->space.used[s] < c->space.used[oldest])
			oldest = s;
	}
	if (c->space.used[oldest] == 0 || c->space.pcid[oldest] != pcid) {
		sweep_all(&c->tlb[oldest]);
		code_flushed(c, &c->tlb[oldest], false);
		c->space.pcid[oldest] = (uint16_t) pcid;
	}
	c->space.now = oldest;
	c->space.used[oldest] = ++c->space.clock;
}

void mmu_set_cr3(struct cpu *c, uint64_t value)
{
	bool keep = value >> 63;
	unsigned pcid = c->cr4 & CR4_PCIDE ? value & 0xFFF : 0;

	c->cr3 = value & ~(1ull << 63);
	switch_space(c, pcid);
	if (!keep) {
		sweep_local(&c->tlb[c->space.now]);
		code_flushed(c, &c->tlb[c->space.now], false);
	}
	mmu_select(c);
}

void mmu_protect(struct cpu *c, uint64_t gpa)
{
	for (unsigned s = 0; s < TLB_SPACES; s++)
		for (unsigned r = 0; r < TLB_SLOW && in_use(c, s); r++)
			for (unsigned i = 0; i < TLB_ENTRIES; i++)
				if ((c->tlb[s].entry[r][i].info ^ gpa) >> 12 == 0)
					c->tlb[s].entry[r][i].write = TLB_NONE;
}

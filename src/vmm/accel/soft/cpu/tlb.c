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

static enum tlb_right right_of(const struct cpu *c)
{
	if (c->debug.data)
		return TLB_SLOW;
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
	c->tlb_now = tlb_array(c, right_of(c));
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

static bool is_empty(const struct tlb_entry *e)
{
	return e->read == TLB_NONE && e->write == TLB_NONE;
}

/* Entry @n of @array gets something.  False: nothing may be in there. */
static bool note(struct cpu *c, const struct tlb_entry *array, unsigned n)
{
	struct tlb_journal *j;
	unsigned right = 0;

	while (right < TLB_SLOW && array != tlb_array(c, right))
		right++;
	if (right == TLB_SLOW)
		return false;
	j = &tlb_space(c, right)->journal[right];
	if (j->nr > TLB_JOURNAL || !is_empty(&array[n]))
		return true;
	if (j->nr < TLB_JOURNAL)
		j->at[j->nr] = (uint16_t) n;
	j->nr++;
	return true;
}

void mmu_fill(struct cpu *c, struct tlb_entry *tlb, uint64_t lin, const struct page *page, uint8_t *host, bool readonly)
{
	struct tlb_entry *e = &tlb[tlb_index(lin)];
	uint64_t at = lin & ~0xFFFull;

	if (!note(c, tlb, tlb_index(lin)))
		return;
	if (tlb == tlb_array(c, TLB_KERNEL) && !page->global)
		c->space.kernel_local = true;
	e->read = at;
	e->write = page->write && !readonly && page_may_write(c, page->gpa) ? at : TLB_NONE;
	e->host = (uint64_t) (uintptr_t) host & ~0xFFFull;
	e->info = info_of(c, lin, page);
	c->stat_tlb_miss++;
}

const struct tlb_code *mmu_code(struct cpu *c, uint64_t lin)
{
	struct tlb_code *e = tlb_code_at(c, lin);
	struct page page;
	uint64_t left;
	bool readonly;
	uint8_t *host;

	if (__builtin_expect(e->page == (lin & ~0xFFFull), 1))
		return e;
	mmu_translate(c, lin, MMU_FETCH, &page);
	host = mmu_ram(c, page.gpa & ~0xFFFull, &left, &readonly);
	if (c->cpl != 3 && !page.global)
		c->space.kernel_local = true;
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

/* How many entries of an array may hold something. */
static unsigned candidates(const struct tlb_journal *j)
{
	return j->nr <= TLB_JOURNAL ? j->nr : TLB_ENTRIES;
}

static unsigned candidate(const struct tlb_journal *j, unsigned n)
{
	return j->nr <= TLB_JOURNAL ? j->at[n] : n;
}

static void forget_entries(struct tlb *t, enum tlb_right right, uint64_t keep)
{
	struct tlb_journal *j = &t->journal[right];
	struct tlb_entry *e = t->entry[right];
	unsigned kept = 0, nr = candidates(j);
	bool full = j->nr > TLB_JOURNAL;

	for (unsigned n = 0; n < nr; n++) {
		unsigned at = candidate(j, n);

		if (!(e[at].info & keep))
			forget_entry(&e[at]);
		else if (!is_empty(&e[at]) && !full)
			j->at[kept++] = (uint16_t) at;
	}
	j->nr = (uint16_t) (full && keep != 0 ? j->nr : kept);
}

static void forget_codes(struct tlb_code *e, uint64_t keep)
{
	for (unsigned i = 0; i < TLB_CODE_ENTRIES; i++)
		if (!(e[i].info & keep))
			e[i].page = TLB_NONE;
}

/* Forget all that has not one of the bits @keep. */
static void sweep(struct tlb *t, uint64_t keep)
{
	forget_entries(t, TLB_KERNEL_AC, keep);
	forget_entries(t, TLB_USER, keep);
	forget_codes(t->code[1], keep);
}

/* The same in what is kept for all spaces together. */
static void sweep_kernel(struct cpu *c, uint64_t keep)
{
	forget_entries(&c->tlb[0], TLB_KERNEL, keep);
	forget_codes(c->tlb[0].code[0], keep);
	c->space.kernel_local = false;
}

static void sweep_kernel_local(struct cpu *c)
{
	if (c->space.kernel_local)
		sweep_kernel(c, TLB_GLOBAL);
}

static bool in_large(uint64_t page, uint64_t info, uint64_t lin)
{
	return (info & TLB_LARGE) && page >> 30 == lin >> 30;
}

static void forget_large(struct tlb *t, enum tlb_right right, uint64_t lin)
{
	const struct tlb_journal *j = &t->journal[right];

	for (unsigned n = 0; n < candidates(j); n++) {
		struct tlb_entry *e = &t->entry[right][candidate(j, n)];

		if (in_large(e->read, e->info, lin))
			forget_entry(e);
	}
}

static void forget_large_code(struct tlb_code *e, uint64_t lin)
{
	for (unsigned i = 0; i < TLB_CODE_ENTRIES; i++)
		if (in_large(e[i].page, e[i].info, lin))
			e[i].page = TLB_NONE;
}

static void forget_page(struct tlb_entry *array, uint64_t lin)
{
	struct tlb_entry *e = &array[tlb_index(lin)];

	if (e->read == (lin & ~0xFFFull))
		forget_entry(e);
}

static void forget_code_page(struct tlb_code *array, uint64_t lin)
{
	struct tlb_code *e = &array[lin >> 12 & (TLB_CODE_ENTRIES - 1)];

	if (e->page == (lin & ~0xFFFull))
		e->page = TLB_NONE;
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
	for (unsigned right = 0; right < TLB_RIGHTS; right++)
		for (unsigned s = 0; s < TLB_SPACES; s++)
			c->tlb[s].journal[right].nr = TLB_JOURNAL + 1; /* all of it is unknown */
	forget_entries(&c->tlb[0], TLB_SLOW, 0);
	for (unsigned s = 0; s < TLB_SPACES; s++) {
		c->space.pcid[s] = 0;
		c->space.used[s] = 0; /* is emptied when it is taken */
	}
	sweep(&c->tlb[0], 0);
	sweep_kernel(c, 0);
	memset(c->space.large, 0, sizeof(c->space.large));
	c->space.now = 0;
	mmu_select(c);
}

void cpu_flush_tlb(struct cpu *c, bool global)
{
	for (unsigned s = 0; s < TLB_SPACES; s++) {
		if (s == c->space.now && global)
			sweep(&c->tlb[s], 0);
		else if (global)
			c->space.used[s] = 0; /* is emptied when it is taken */
		else if (in_use(c, s))
			sweep(&c->tlb[s], TLB_GLOBAL);
		code_flushed(c, &c->tlb[s], global);
	}
	if (global) {
		sweep_kernel(c, 0);
		memset(c->space.large, 0, sizeof(c->space.large));
	} else {
		sweep_kernel_local(c);
	}
}

static void invlpg_kernel(struct cpu *c, uint64_t lin, bool large)
{
	if (large) {
		forget_large(&c->tlb[0], TLB_KERNEL, lin);
		forget_large_code(c->tlb[0].code[0], lin);
	}
	forget_page(c->tlb[0].entry[TLB_KERNEL], lin);
	forget_code_page(c->tlb[0].code[0], lin);
}

static void invlpg_space(struct tlb *t, uint64_t lin, bool large)
{
	if (large) {
		forget_large(t, TLB_KERNEL_AC, lin);
		forget_large(t, TLB_USER, lin);
		forget_large_code(t->code[1], lin);
	}
	forget_page(t->entry[TLB_KERNEL_AC], lin);
	forget_page(t->entry[TLB_USER], lin);
	forget_code_page(t->code[1], lin);
}

void mmu_invlpg(struct cpu *c, uint64_t lin)
{
	uint64_t *a, *b, bit[2];
	bool large;

	large_bits(c, lin, &a, &b, bit);
	large = (*a & bit[0]) || (*b & bit[1]);
	if (large || c->hot.code_seen[lin >> 63][(lin >> 12 & 4095) / 64] >> (lin >> 12 & 63) & 1)
		c->hot.flushed |= lin >> 63 ? CPU_FLUSHED_ALL : CPU_FLUSHED_SPACES;
	invlpg_kernel(c, lin, large);
	for (unsigned s = 0; s < TLB_SPACES; s++)
		if (in_use(c, s))
			invlpg_space(&c->tlb[s], lin, large);
}

void mmu_invpcid(struct cpu *c, unsigned pcid)
{
	sweep_kernel_local(c);
	for (unsigned s = 0; s < TLB_SPACES; s++)
		if (c->space.used[s] != 0 && c->space.pcid[s] == pcid) {
			sweep(&c->tlb[s], TLB_GLOBAL);
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
		sweep(&c->tlb[oldest], 0);
		code_flushed(c, &c->tlb[oldest], false);
		c->space.pcid[oldest] = (uint16_t) pcid;
	}
	c->space.now = oldest;
	c->space.used[oldest] = ++c->space.clock;
}

void mmu_set_cr3(struct cpu *c, uint64_t value)
{
	bool keep = value >> 63;
	unsigned pcid = c->cr4 & CR4_PCIDE ? value & 0xFFF : 0, before = c->space.now;

	c->cr3 = value & ~(1ull << 63);
	switch_space(c, pcid);
	if (!keep || c->space.now != before)
		sweep_kernel_local(c);
	if (!keep) {
		sweep(&c->tlb[c->space.now], TLB_GLOBAL);
		code_flushed(c, &c->tlb[c->space.now], false);
	}
	mmu_select(c);
}

static void protect(struct tlb *t, enum tlb_right right, uint64_t gpa)
{
	const struct tlb_journal *j = &t->journal[right];

	for (unsigned n = 0; n < candidates(j); n++) {
		struct tlb_entry *e = &t->entry[right][candidate(j, n)];

		if ((e->info ^ gpa) >> 12 == 0)
			e->write = TLB_NONE;
	}
}

void mmu_protect(struct cpu *c, uint64_t gpa)
{
	protect(&c->tlb[0], TLB_KERNEL, gpa);
	for (unsigned s = 0; s < TLB_SPACES; s++) {
		if (!in_use(c, s))
			continue;
		protect(&c->tlb[s], TLB_KERNEL_AC, gpa);
		protect(&c->tlb[s], TLB_USER, gpa);
	}
}

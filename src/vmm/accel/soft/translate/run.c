/* SPDX-License-Identifier: MIT */
/*
 * How it works: translated code runs until it needs something, and says what in struct cpu.hot.  Most
 * answers are a few loads (the next block, a TLB entry); the rest is the interpreter, which executes
 * one instruction as if nothing else existed.  Whatever is unusual (a mode without 64-bit code, single steps,
 * an interrupt shadow) is the interpreter's too.
 *
 * This file and what it calls while translated code waits are compiled without vector registers: the
 * guest's stay in the host's until the interpreter or the owner needs them.
 */
#include <stdlib.h>
#include <string.h>

#include "vmm/accel/soft/cpu/mem.h"
#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/translate/fault.h"
#include "vmm/accel/soft/translate/fp.h"
#include "vmm/accel/soft/translate/run.h"

#define PAGE_MASK (~0xFFFull)
#define LAHF_BITS (FL_STATUS & 0xFFu)

/* struct cpu.hot.flags: what LAHF and SETO AL make */
static uint16_t slot_of(uint32_t status)
{
	return (uint16_t) ((status & LAHF_BITS) << 8 | (status & FL_OF ? 1 : 0));
}

static uint32_t status_of(uint32_t slot)
{
	return (slot >> 8 & LAHF_BITS) | (slot & 1 ? FL_OF : 0);
}

/* The guest's registers are in the host's, in the ways of @f; translated code must be left. */
bool fault_resolve(void *gs, struct fault_frame *f)
{
	struct cpu *c = gs;
	struct translator *t = translator_of(c);
	uint64_t at = f->pc - (uint64_t) (uintptr_t) t->cache.x;
	const struct block *b = at < t->cache.size ? cache_find(&t->cache, at) : NULL;
	const struct block_insn *insn = b == NULL ? NULL : block_insn_at(b, at);

	if (insn == NULL)
		return false;
	if (!insn->flags_in_slot)
		c->hot.flags = slot_of((uint32_t) f->flags);
	f->reg[11] = insn->off;
	f->pc = (uint64_t) (uintptr_t) (t->stubs.at[STUB_FAULT] - t->cache.w + t->cache.x);
	return true;
}

static const uint8_t *executable(const struct translator *t, size_t at)
{
	return t->cache.x + at;
}

/* The guest's FP registers are in struct cpu. */
static void fp_out(struct cpu *c)
{
	struct translator *t = translator_of(c);

	if (t->fp_live)
		fp_save(c);
	t->fp_live = false;
}

/* The guest's FP registers are in the host's. */
static void fp_in(struct cpu *c)
{
	struct translator *t = translator_of(c);

	if (!t->fp_live)
		fp_load(c);
	t->fp_live = true;
}

/* One instruction by the interpreter.  Return: the owner is needed. */
static bool step(struct cpu *c)
{
	fp_out(c);
	return cpu_advance(c);
}

/* Does code at RIP need the interpreter whatever it is? */
static bool unusual(const struct cpu *c)
{
	return c->mode != CPU_MODE_64 || cpu_is_special(c);
}

static void kernel_flushed(struct translator *t)
{
	t->kernel_epoch = epoch_next(t);
	t->kernel_local = false;
}

static void select_epoch(struct cpu *c, const struct tlb_code *page)
{
	struct translator *t = translator_of(c);
	uint32_t flushed = c->hot.flushed;

	if (flushed != 0) {
		for (unsigned s = 0; s < TLB_SPACES; s++) {
			if (flushed >> s & 1)
				t->user_epoch[s] = epoch_next(t);
		}
		if (flushed & CPU_FLUSHED_GLOBAL || t->kernel_local)
			kernel_flushed(t);
		if (flushed == CPU_FLUSHED_ALL)
			(void) memset(c->hot.code_seen, 0, sizeof(c->hot.code_seen));
		c->hot.flushed = 0;
	}
	if (c->cpl == 3) {
		c->hot.epoch = t->user_epoch[c->space.now];
		return;
	}
	if (t->kernel_local && t->kernel_space != c->space.now)
		kernel_flushed(t);
	if (!(page->info & TLB_GLOBAL))
		t->kernel_local = true;
	t->kernel_space = c->space.now;
	c->hot.epoch = t->kernel_epoch;
}

/* The block at RIP if its page is known to the TLB: NULL lets the interpreter find out. */
static struct block *block_here(struct cpu *c)
{
	struct translator *t = translator_of(c);
	struct block *b;
	uint64_t pc = c->reg[REG_RIP];
	const struct tlb_code *page =
		&c->tlb[c->space.now].code[c->cpl == 3][pc >> 12 & (TLB_CODE_ENTRIES - 1)];

	if (page->page != (pc & PAGE_MASK) || page->host == NULL)
		return NULL;
	select_epoch(c, page);
	c->hot.page = pc & PAGE_MASK;
	c->hot.code_seen[(pc >> 12 & 4095) / 64] |= 1ull << (pc >> 12 & 63);
	b = block_find(&t->blocks, page->gpa | (pc & 0xFFF), translator_key(c));
	if (b != NULL)
		return b;
	fp_out(c);
	return translator_block(c, page);
}

/* Let the branch whose rel32 is at @at, which led here, lead straight to @b the next time. */
static void chain(struct translator *t, size_t at, struct block *b)
{
	struct block *from = cache_find(&t->cache, at);

	if (from == NULL || from->dead || b->dead)
		return;
	for (unsigned l = 0; l < from->nr_links; l++) {
		if (from->link[l].at == at && from->link[l].to == NULL)
			block_chain(&t->blocks, &from->link[l], b);
	}
}

static void remember_jump(struct cpu *c, uint64_t pc, const struct block *b)
{
	struct translator *t = translator_of(c);
	struct jump *j = &t->jumps[jump_index(pc)];

	j->key = pc ^ c->hot.epoch;
	j->code = executable(t, b->entry);
}

/* Fill the TLB for struct cpu.hot.addr.  Return: the access can be tried again. */
static bool fill(struct cpu *c, bool write)
{
	struct translator *t = translator_of(c);
	uint64_t lin = c->hot.addr;
	const struct tlb_entry *e = tlb_at(c, lin);

	if ((write ? e->write : e->read) == (lin & PAGE_MASK))
		return false; /* known, so the operand is in two pages */
	t->dropped = false;
	if (setjmp(c->unwind) != 0)
		return false;
	(void) cpu_host(c, lin, 1, write ? MEM_WRITE : MEM_READ);
	return !t->dropped && (write ? e->write : e->read) == (lin & PAGE_MASK);
}

/*
 * The ways lead to entries of arrays that belong to an address space and to rights: forget them when others
 * count now.
 */
static void check_ways(struct cpu *c)
{
	struct translator *t = translator_of(c);
	unsigned user = c->cpl == 3;

	if (t->ways_for[user] == c->tlb_now)
		return;
	t->ways_for[user] = c->tlb_now;
	for (unsigned w = 0; w < CPU_WAYS; w++)
		c->hot.way[user][w] = &t->no_way;
}

/*
 * Run translated code from @code on.
 * Return: where to run on, or NULL: RIP is right, and @*needs_step tells whether the instruction there is the
 * interpreter's.
 */
static const uint8_t *run(struct cpu *c, const uint8_t *code, bool *needs_step)
{
	struct translator *t = translator_of(c);
	const struct block_insn *insn;
	struct block *b;

	*needs_step = false;
	fp_in(c);
	t->stubs.enter(code);
	switch (c->hot.kind) {
	case STUB_SLOW_READ:
	case STUB_SLOW_WRITE:
		t->stats.slow++;
		insn = block_insn_at(cache_find(&t->cache, c->hot.arg), c->hot.arg);
		c->reg[REG_RIP] = c->hot.page + insn->off;
		code = executable(t, c->hot.arg);
		if (fill(c, c->hot.kind == STUB_SLOW_WRITE))
			return code;
		*needs_step = true;
		return NULL;
	case STUB_LINK:
		t->stats.links++;
		b = cache_find(&t->cache, c->hot.arg);
		for (unsigned l = 0; l < b->nr_links; l++) {
			if (b->link[l].at == c->hot.arg)
				c->reg[REG_RIP] = c->hot.page + b->link[l].off;
		}
		b = block_here(c);
		if (b == NULL)
			return NULL;
		chain(t, c->hot.arg, b);
		return executable(t, b->entry);
	case STUB_JUMP:
		t->stats.jumps++;
		c->reg[REG_RIP] = c->hot.addr;
		b = block_here(c);
		if (b == NULL)
			return NULL;
		remember_jump(c, c->hot.addr, b);
		return executable(t, b->entry);
	case STUB_FAULT:
	case STUB_INTERP:
		t->stats.interp++;
		*needs_step = true;
		c->reg[REG_RIP] = c->hot.page + c->hot.arg;
		return NULL;
	default: /* STUB_POLL */
		t->stats.polls++;
		c->reg[REG_RIP] = c->hot.page + c->hot.arg;
		return NULL;
	}
}

/* Run translated code as long as possible.  Return: the instruction at RIP is the interpreter's. */
static bool run_translated(struct cpu *c)
{
	struct translator *t = translator_of(c);
	struct block *b = block_here(c);
	const uint8_t *code;
	bool needs_step = true;

	if (b == NULL || b->interp)
		return true;
	check_ways(c);
	c->hot.flags = slot_of(c->status);
	for (code = executable(t, b->entry); code != NULL;)
		code = run(c, code, &needs_step);
	c->status = status_of(c->hot.flags);
	return needs_step;
}

void translate_run(struct cpu *c)
{
	if (fault_thread(c) < 0)
		abort(); /* no memory for a stack of 64 KiB */
	for (;;) {
		if ((unusual(c) || run_translated(c)) && step(c))
			break;
	}
	fp_out(c);
}

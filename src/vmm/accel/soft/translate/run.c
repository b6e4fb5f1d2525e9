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
#include "vmm/accel/soft/translate/gen.h"
#include "vmm/accel/soft/translate/run.h"
#include "vmm/accel/soft/translate/verify.h"

#define PAGE_MASK (~0xFFFull)

/* May the guest's vector registers stay in the host's?  A sanitizer calls functions that use them. */
#ifdef __SANITIZE_ADDRESS__
#define FP_STAYS false
#else
#define FP_STAYS true
#endif
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
	f->pc = (uint64_t) (uintptr_t) (t->gates.at[GATE_FAULT] - t->cache.w + t->cache.x);
	return true;
}

uint64_t epoch_next(struct translator *t)
{
	uint64_t z = t->seed += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

void translator_new_epochs(struct translator *t)
{
	t->kernel_epoch = epoch_next(t);
	for (unsigned s = 0; s < TLB_SPACES; s++)
		t->user_epoch[s] = epoch_next(t);
}

void translate_code_write(struct cpu *c, uint64_t gpa)
{
	struct translator *t = translator_of(c);

	if (t == NULL || !block_drop_page(&t->blocks, gpa))
		return;
	translator_new_epochs(t);
	t->dropped = true;
	c->stat_translated.dropped_pages++;
}

static const uint8_t *executable(const struct translator *t, size_t at)
{
	return t->cache.x + at;
}

static void kernel_flushed(struct translator *t)
{
	t->kernel_epoch = epoch_next(t);
	t->kernel_local = t->kernel_low = false;
}

static void forget_flushed(struct cpu *c, uint32_t flushed)
{
	struct translator *t = translator_of(c);

	for (unsigned s = 0; s < TLB_SPACES; s++) {
		if (flushed >> s & 1)
			t->user_epoch[s] = epoch_next(t);
	}
	if (flushed & CPU_FLUSHED_GLOBAL || t->kernel_local || t->kernel_low)
		kernel_flushed(t);
	if ((flushed & CPU_FLUSHED_SPACES) == CPU_FLUSHED_SPACES)
		(void) memset(c->hot.code_seen[0], 0, sizeof(c->hot.code_seen[0]));
	if (flushed == CPU_FLUSHED_ALL)
		(void) memset(c->hot.code_seen, 0, sizeof(c->hot.code_seen));
	c->hot.flushed = 0;
}

/* Translations differ by what of the processor is enabled: those that count now are found, no others. */
static uint64_t mode_epoch(const struct cpu *c)
{
	return translator_of(c)->mode_epoch[(uint32_t) translator_fp(c) | (c->cr4 & CR4_TSD ? 4 : 0)];
}

/* Translated code of @page is about to be entered. */
static void note_code(struct cpu *c, const struct tlb_code *page)
{
	struct translator *t = translator_of(c);
	uint64_t pc = page->page;

	c->hot.code_seen[pc >> 63][(pc >> 12 & 4095) / 64] |= 1ull << (pc >> 12 & 63);
	if (c->cpl == 0 && !(page->info & TLB_GLOBAL))
		t->kernel_local = true;
	if (c->cpl == 0 && pc >> 63 == 0)
		t->kernel_low = true;
}

/* The numbers of all levels: translated code changes its level, too. */
static void select_epoch(struct cpu *c)
{
	struct translator *t = translator_of(c);
	uint64_t mode = mode_epoch(c);

	if (c->hot.flushed != 0)
		forget_flushed(c, c->hot.flushed);
	if (t->kernel_local && t->kernel_space != c->space.now)
		kernel_flushed(t);
	t->kernel_space = c->space.now;
	c->hot.kernel_epoch[0] = t->kernel_epoch ^ mode;
	c->hot.kernel_epoch[1] = t->kernel_epoch ^ mode ^ t->ac_epoch;
	c->hot.user_epoch = t->user_epoch[c->space.now] ^ mode;
	c->hot.epoch = c->cpl != 0 ? c->hot.user_epoch : c->hot.kernel_epoch[(c->flags & FL_AC) != 0];
}

uint64_t translator_hash(const uint8_t *host)
{
	uint64_t word[4], sum[4] = { 1, 2, 3, 4 };

	for (unsigned at = 0; at < 4096; at += sizeof(word)) {
		(void) memcpy(word, host + at, sizeof(word));
		for (unsigned n = 0; n < 4; n++)
			sum[n] = (sum[n] ^ word[n]) * 0x9E3779B97F4A7C15u;
	}
	return sum[0] ^ sum[1] << 1 ^ sum[2] >> 1 ^ sum[3];
}

/* Devices may have written to @page while nobody could execute it. */
static void check_page(struct cpu *c, struct tlb_code *page)
{
	const struct translator *t = translator_of(c);

	if (block_in_page(&t->blocks, page->gpa) && t->hash[page->gpa >> 12] != translator_hash(page->host))
		translate_code_write(c, page->gpa);
	page->info |= TLB_CHECKED;
}

/* Find the page of code at @pc; false if that raises. */
static bool find_code(struct cpu *c, uint64_t pc)
{
	if (setjmp(c->unwind) != 0)
		return false;
	(void) mmu_code(c, pc);
	return true;
}

/* The page of code at @pc if it can be executed without further ado, else NULL. */
static const struct tlb_code *code_page(struct cpu *c, uint64_t pc)
{
	struct tlb_code *page = tlb_code_at(c, pc);

	if (page->page != (pc & PAGE_MASK) && !find_code(c, pc))
		return NULL;
	if (page->host == NULL)
		return NULL;
	if (!(page->info & TLB_CHECKED))
		check_page(c, page);
	return page;
}

/* The block at RIP if its page is known to the TLB: NULL lets the interpreter find out. */
static struct block *block_here(struct cpu *c, uint32_t key)
{
	struct translator *t = translator_of(c);
	struct block *b;
	uint64_t pc = c->reg[REG_RIP];
	const struct tlb_code *page = code_page(c, pc), *next = NULL;

	if (page == NULL)
		return NULL;
	select_epoch(c);
	note_code(c, page);
	c->hot.page = pc & PAGE_MASK;
	b = block_find(&t->blocks, page->gpa | (pc & 0xFFF), key);
	if (b != NULL)
		return b;
	if (gen_crosses(page->host, pc & 0xFFF)) {
		next = code_page(c, c->hot.page + 4096);
		if (next == NULL)
			return NULL;
	}
	b = translator_block(c, page, next, key);
	select_epoch(c); /* others may have been dropped to make room, or because a device wrote to the next page */
	note_code(c, page);
	return b;
}

/* Need @b not come back at its end to be looked at? */
static bool is_verified(const struct translator *t, const struct block *b)
{
	return t->verify == NULL || b->runs >= VERIFY_RUNS;
}

/* Let the branch whose rel32 is at @at, which led here, lead straight to @b the next time. */
static void chain(struct translator *t, size_t at, struct block *b)
{
	struct block *from = cache_find(&t->cache, at);

	if (from == NULL || from->dead || b->dead || !is_verified(t, from) || !is_verified(t, b))
		return;
	for (unsigned l = 0; l < from->nr_links; l++) {
		struct link *link = &from->link[l];

		/* @b may have been put where the branch was. */
		if (link->at == at && link->to == NULL && (from->gpa & PAGE_MASK) + link->off == b->gpa)
			block_chain(&t->blocks, link, b);
	}
}

static void remember_jump(struct cpu *c, uint64_t pc, const struct block *b)
{
	struct translator *t = translator_of(c);
	uint64_t key = pc ^ c->hot.epoch;
	struct jump *j = &t->jumps[jump_index(key)];

	if (!is_verified(t, b))
		return;
	j->key = key;
	j->code = executable(t, b->entry);
}

/* Does the TLB know the page of struct cpu.hot.addr? */
static bool is_known(const struct cpu *c, bool write)
{
	uint64_t lin = c->hot.addr;
	const struct tlb_entry *e = tlb_at(c, lin);

	return (write ? e->write : e->read) == (lin & PAGE_MASK);
}

/* Fill the TLB for struct cpu.hot.addr.  Return: the access can be tried again. */
static bool fill(struct cpu *c, bool write)
{
	struct translator *t = translator_of(c);

	t->dropped = t->raised = false;
	if (setjmp(c->unwind) != 0) {
		t->raised = c->fault.vector == EXC_PF;
		return false;
	}
	(void) cpu_host(c, c->hot.addr, 1, write ? MEM_WRITE : MEM_READ);
	return !t->dropped && is_known(c, write);
}

/*
 * The ways lead to entries of arrays that belong to an address space and to rights: forget them when others
 * count now.
 */
static void check_ways_of(struct cpu *c, enum gen_ways ways, struct tlb_entry *tlb)
{
	struct translator *t = translator_of(c);

	if (t->ways_for[ways] == tlb)
		return;
	t->ways_for[ways] = tlb;
	for (unsigned w = 0; w < CPU_WAYS; w++)
		c->hot.way[ways][w] = &t->no_way;
}

static void check_ways(struct cpu *c)
{
	c->hot.kernel_tlb[0] = tlb_system(c);
	c->hot.kernel_tlb[1] = tlb_array(c, TLB_KERNEL_AC);
	c->hot.user_tlb = tlb_array(c, TLB_USER);
	check_ways_of(c, WAYS_KERNEL, c->hot.kernel_tlb[0]);
	check_ways_of(c, WAYS_KERNEL_AC, c->hot.kernel_tlb[1]);
	check_ways_of(c, WAYS_USER, c->cpl != 0 ? c->tlb_now : c->hot.user_tlb);
}

/* Code for RIP; NULL when the interpreter must look first. */
static const uint8_t *enter(struct cpu *c, uint32_t key, struct block **ret)
{
	*ret = block_here(c, key);
	return *ret == NULL || (*ret)->interp ? NULL : executable(translator_of(c), (*ret)->entry);
}

static const uint8_t *enter_here(struct cpu *c, struct block **ret)
{
	return enter(c, translator_key(c), ret);
}

/* Is what has run to be compared with the interpreter? */
static bool is_compared(const struct cpu *c)
{
	return c->hot.jumps != translator_of(c)->jumps;
}

/* After a miss of the TLB: try again, go on with smaller pieces, or let the interpreter do it. */
static const uint8_t *slow(struct cpu *c, bool write, struct block **ret)
{
	struct translator *t = translator_of(c);
	bool two_pages = is_known(c, write), filled = !two_pages && fill(c, write);
	const struct block_insn *insn;

	c->stat_translated.slow++;
	if (filled && !is_compared(c))
		return executable(t, c->hot.arg);
	insn = block_insn_at(cache_find(&t->cache, c->hot.arg), c->hot.arg);
	c->reg[REG_RIP] = c->hot.page + insn->off;
	if (filled)
		return enter_here(c, ret);
	t->raised = t->raised && !two_pages && insn->plain && !insn->row;
	return two_pages && insn->row ? enter(c, translator_key(c) | BLOCK_KEY_NO_ROWS, ret) : NULL;
}

static const uint8_t *follow_link(struct cpu *c, struct block **ret)
{
	struct translator *t = translator_of(c);
	const struct block *from = cache_find(&t->cache, c->hot.arg);
	const uint8_t *code;

	c->stat_translated.links++;
	for (unsigned l = 0; l < from->nr_links; l++) {
		if (from->link[l].at == c->hot.arg)
			c->reg[REG_RIP] = c->hot.page + from->link[l].off;
	}
	code = enter_here(c, ret);
	if (code != NULL)
		chain(t, c->hot.arg, *ret);
	return code;
}

/* SYSCALL or SYSRET has come to an address that the table does not know. */
static const uint8_t *arrive(struct cpu *c, struct block **ret)
{
	const uint8_t *code;

	c->stat_translated.jumps++;
	c->reg[REG_RIP] = c->hot.addr;
	code = enter_here(c, ret);
	if (code != NULL)
		remember_jump(c, c->hot.addr, *ret);
	return code;
}

/* An instruction in two pages: is the second one that was translated where this code is now? */
static const uint8_t *next_page(struct cpu *c, struct block **ret)
{
	const struct block *b = (const struct block *) (uintptr_t) c->hot.arg;
	uint64_t gpa = b->next_gpa, page = c->hot.page;
	uint32_t key = b->key;
	const struct tlb_code *next;
	const uint8_t *code;

	c->reg[REG_RIP] = page + (b->gpa & 0xFFF);
	next = code_page(c, page + 4096);
	if (next == NULL || next->gpa != gpa)
		return NULL;
	code = enter(c, key, ret);
	if (code == NULL || (*ret)->next_gpa != gpa)
		return code;
	note_code(c, next);
	(*ret)->next_seen = c->hot.page ^ c->hot.epoch;
	return code;
}

static bool is_canonical(uint64_t lin)
{
	return (uint64_t) ((int64_t) (lin << 16) >> 16) == lin;
}

static const uint8_t *follow_jump(struct cpu *c, struct block **ret)
{
	const uint8_t *code;

	c->stat_translated.jumps++;
	if (!is_canonical(c->hot.addr)) { /* the branch faults */
		c->reg[REG_RSP] += (uint64_t) ((int64_t) c->hot.arg >> GATE_JUMP_UNDO_SHIFT);
		c->reg[REG_RIP] = c->hot.page + (c->hot.arg & 0xFFFF);
		*ret = NULL;
		return NULL;
	}
	c->reg[REG_RIP] = c->hot.addr;
	code = enter_here(c, ret);
	if (code != NULL)
		remember_jump(c, c->hot.addr, *ret);
	return code;
}

/* Before more is executed: what others want, and interrupts that are not allowed now need not be looked for. */
static void look_at_events(struct cpu *c)
{
	uint32_t event = __atomic_load_n(&c->event, __ATOMIC_RELAXED);

	if (event & EVENT_PAGES) {
		translator_fp_out(c);
		c->ops->page_asked(c);
	}
	if (event & EVENT_IRQ && !(c->flags & FL_IF)) {
		c->held = EVENT_IRQ;
		(void) __atomic_fetch_and(&c->event, ~EVENT_IRQ, __ATOMIC_SEQ_CST);
	} else if (c->held != 0 && c->flags & FL_IF) {
		cpu_set_event(c, c->held);
		c->held = 0;
	}
}

/* Something was done: compare it, and go on without looking. */
static void verified(struct cpu *c)
{
	struct translator *t = translator_of(c);

	if (!is_compared(c))
		return;
	translator_fp_out(c);
	c->status = status_of(c->hot.flags);
	c->hot.jumps = t->jumps;
	verify_end(c, t->verify);
}

/* Is @code to be compared?  False: there is no such code any more. */
static bool prepare_verify(struct cpu *c, const uint8_t *code)
{
	struct translator *t = translator_of(c);
	struct block *b = cache_find(&t->cache, (size_t) (code - t->cache.x));

	verified(c);
	if (is_verified(t, b) || code != executable(t, b->entry))
		return true;
	b->runs++;
	translator_fp_out(c);
	c->status = status_of(c->hot.flags);
	t->dropped = false;
	verify_begin(c, t->verify);
	if (t->dropped)
		return false;
	c->hot.jumps = t->no_jumps; /* it comes back */
	return true;
}

/*
 * Run translated code from @code on, until it needs something.
 * Return: where to run on; NULL: RIP is right, and the instruction there is the interpreter's (*@todo), or unknown.
 */
static const uint8_t *run(struct cpu *c, const uint8_t *code, const struct block **todo)
{
	struct translator *t = translator_of(c);
	struct block *b = NULL;

	if (t->verify != NULL && !prepare_verify(c, code))
		return NULL;
	translator_fp_in(c);
	t->gates.enter(code);
	if (!FP_STAYS)
		translator_fp_out(c);
	switch (c->hot.kind) {
	case GATE_SLOW_READ:
	case GATE_SLOW_WRITE:
		code = slow(c, c->hot.kind == GATE_SLOW_WRITE, &b);
		break;
	case GATE_LINK:
		code = follow_link(c, &b);
		break;
	case GATE_JUMP:
		code = follow_jump(c, &b);
		break;
	case GATE_ARRIVE:
		code = arrive(c, &b);
		break;
	case GATE_NEXT:
		code = next_page(c, &b);
		break;
	case GATE_INTERP:
		b = (struct block *) (uintptr_t) c->hot.arg;
		c->reg[REG_RIP] = c->hot.page + b->step_off;
		code = NULL;
		break;
	case GATE_FAULT:
		c->stat_translated.faults++;
		c->reg[REG_RIP] = c->hot.page + c->hot.arg;
		return NULL;
	default: /* GATE_POLL */
		c->stat_translated.polls++;
		c->reg[REG_RIP] = c->hot.page + c->hot.arg;
		look_at_events(c); /* an interrupt that waited comes before the next instruction */
		return NULL;
	}
	if (code == NULL && b != NULL)
		*todo = b;
	return code;
}

/* The code for RIP that branches find, too; NULL: they have not come there yet. */
static const uint8_t *known_code(struct cpu *c)
{
	const struct jump *j;
	uint64_t key;

	select_epoch(c);
	key = c->reg[REG_RIP] ^ c->hot.epoch;
	j = &c->hot.jumps[jump_index(key)];
	if (j->key != key)
		return NULL;
	c->hot.page = c->reg[REG_RIP] & PAGE_MASK;
	return j->code;
}

/* Run translated code as long as possible.  Return: the block whose step is to be executed, or NULL. */
static const struct block *run_translated(struct cpu *c)
{
	const struct translator *t = translator_of(c);
	const struct block *todo = NULL;
	const uint8_t *code = known_code(c);

	if (code == NULL) {
		struct block *b;

		code = enter_here(c, &b);
		if (code == NULL)
			return b;
		remember_jump(c, c->reg[REG_RIP], b);
	}
	check_ways(c);
	c->hot.flags = slot_of(c->status);
	while (code != NULL)
		code = run(c, code, &todo);
	if (t->verify != NULL)
		verified(c);
	c->status = status_of(c->hot.flags);
	return todo;
}

bool translator_decode(struct cpu *c, struct insn *ret)
{
	const struct tlb_code *page = code_page(c, c->reg[REG_RIP]), *more;
	uint64_t at = c->reg[REG_RIP] & ~PAGE_MASK, n = 4096 - at;
	uint8_t bytes[INSN_MAX];

	if (page == NULL || c->mode != CPU_MODE_64)
		return false;
	if (n >= INSN_MAX)
		return insn_decode(CPU_MODE_64, page->host + at, INSN_MAX, ret) == INSN_OK;
	for (unsigned i = 0; i < n; i++)
		bytes[i] = page->host[at + i];
	if (insn_decode(CPU_MODE_64, bytes, n, ret) == INSN_OK)
		return true;
	if (setjmp(c->unwind) != 0)
		return false;
	more = mmu_code(c, c->reg[REG_RIP] + n);
	for (unsigned i = (unsigned) n; more->host != NULL && i < INSN_MAX; i++)
		bytes[i] = more->host[i - n];
	return more->host != NULL && insn_decode(CPU_MODE_64, bytes, INSN_MAX, ret) == INSN_OK;
}

/* The instruction at RIP, if nobody has to look whether it may be fetched.  Return: was it executed?  @*exit: see step() */
static bool step_known(struct cpu *c, bool *exit)
{
	struct insn i;

	if (!translator_decode(c, &i))
		return false;
	if (!op_scalar(&i))
		translator_fp_out(c);
	insn_bind(c, &i);
	*exit = cpu_execute(c, &i);
	return true;
}

/* XSAVE and the like.  False: not that simple. */
static bool switch_fp(struct cpu *c, const struct insn *i)
{
	if (!FP_STAYS)
		return false;
	translator_fp_in(c);
	return fp_switch(c, i);
}

/* The interpreter's instruction that @b ends before, or whatever is at RIP.  Return: the owner is needed. */
static bool step(struct cpu *c, const struct block *b)
{
	struct translator *t = translator_of(c);
	bool exit;

	if (t->raised) {
		t->raised = false;
		return cpu_raised(c);
	}
	c->stat_translated.interp++;
	if (b != NULL && b->step.len != 0) {
		if (fp_switches(&b->step) && switch_fp(c, &b->step))
			return false;
		if (!b->step_scalar)
			translator_fp_out(c);
		return cpu_execute(c, &b->step);
	}
	if (!t->unclaimed && !cpu_is_special(c) && step_known(c, &exit))
		return exit;
	t->unclaimed = false;
	translator_fp_out(c);
	return cpu_advance(c);
}

/* Levels 1 and 2 share the number of an address space with level 3, but not what they may execute: nobody uses them. */
static bool is_translated(const struct cpu *c)
{
	return c->mode == CPU_MODE_64 && (c->cpl == 0 || c->cpl == 3);
}

void translate_run(struct cpu *c)
{
	const struct block *b;

	if (fault_thread(c) < 0)
		abort(); /* no memory for a stack of 64 KiB */
	do {
		look_at_events(c);
		/* It keeps breakpoints from an instruction: there are none, or all is the interpreter's. */
		if (!(c->dr7 & 0xFF))
			c->flags &= ~FL_RF;
		b = is_translated(c) && !cpu_is_special(c) ? run_translated(c) : NULL;
	} while (!step(c, b));
	translator_fp_out(c);
}

/* SPDX-License-Identifier: MIT */
/*
 * What the translator keeps for one processor: shared by translate.c and run.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/accel/soft/cpu/state.h"
#include "vmm/accel/soft/translate/block.h"
#include "vmm/accel/soft/translate/fp.h"
#include "vmm/accel/soft/translate/op.h"
#include "vmm/accel/soft/translate/gate.h"
#include "vmm/accel/soft/translate/translate.h"

/**
 * struct translator - see translate.h
 * @hash: by guest-physical page, of what a page with translations contained when the first one was made
 * @kernel_epoch, @user_epoch: struct cpu.hot.epoch of code at level 0, and of the others by address space;
 *                             @ac_epoch: what makes that of level 0 with RFLAGS.AC another
 * @mode_epoch: what makes all of them others, by what translations depend on, see mode_epoch()
 * @seed: of the next epoch
 * @kernel_local: code at level 0 to 2 that is not global was seen, so @kernel_epoch lasts for one address space only
 * @kernel_low: some of it is in the lower half, which is flushed more often
 * @fp_live: the guest's x87, SSE and AVX registers are in the host's
 * @no_way: an entry that no address has; @ways_for: struct cpu.tlb_now that struct cpu.hot.way was used with
 * @ops: struct cpu.ops, instead of @owner_ops
 * @dropped: blocks were dropped since this was set to false
 * @raised: struct cpu.fault is what the instruction at RIP raises, which was not executed
 * @unclaimed: the code at RIP cannot be translated yet, others may be writing to it
 * @verify: blocks are compared with the interpreter; NULL: they are not.  @no_jumps: an empty table, for blocks that must come back
 */
struct translator {
	struct cache cache;
	struct gates gates;
	struct block_set blocks;
	struct jump *jumps, *no_jumps;
	struct verify *verify;
	uint64_t *hash;
	uint64_t kernel_epoch, ac_epoch, user_epoch[TLB_SPACES], mode_epoch[8], seed;
	unsigned kernel_space;
	bool kernel_local, kernel_low, fp_live, dropped, raised, unclaimed;
	struct tlb_entry no_way, *ways_for[3];
	struct cpu_ops ops;
	const struct cpu_ops *owner_ops;
};

/** translator_of() - the one of @c */
static inline struct translator *translator_of(const struct cpu *c)
{
	return c->translator;
}

/** epoch_next() - a number that the guest cannot guess and that was not used before */
uint64_t epoch_next(struct translator *t);

/** translator_new_epochs() - forget where code for linear addresses is */
void translator_new_epochs(struct translator *t);

/** translator_hooks() - @t->ops: @t->owner_ops, that find the guest's vector registers in struct cpu */
void translator_hooks(struct translator *t);

/** translator_fp_out() - the guest's x87, SSE and AVX registers are in struct cpu */
static inline void translator_fp_out(struct cpu *c)
{
	struct translator *t = translator_of(c);

	if (t->fp_live)
		fp_save(c);
	t->fp_live = false;
}

/** translator_fp_in() - they are in the host's */
static inline void translator_fp_in(struct cpu *c)
{
	struct translator *t = translator_of(c);

	if (!t->fp_live)
		fp_load(c);
	t->fp_live = true;
}

/** translator_fp() - what code that runs now may use */
static inline enum op_fp translator_fp(const struct cpu *c)
{
	if (c->cr0 & (CR0_EM | CR0_TS) || !(c->cr4 & CR4_OSFXSR))
		return OP_FP_NONE;
	if (!(c->cr4 & CR4_OSXSAVE) || (c->xcr0 & 6) != 6)
		return OP_FP_SSE;
	return (c->xcr0 & 0xE6) == 0xE6 ? OP_FP_AVX512 : OP_FP_AVX;
}

/** translator_key() - struct block.key of code that runs now */
static inline uint32_t translator_key(const struct cpu *c)
{
	uint32_t fp = (uint32_t) translator_fp(c) << BLOCK_KEY_FP_SHIFT;

	if (c->cpl == 0)
		return (c->flags & FL_AC ? BLOCK_KEY_AC : 0) | fp;
	return BLOCK_KEY_USER | (c->cr4 & CR4_TSD ? BLOCK_KEY_NO_TSC : 0) | fp;
}

/**
 * translator_decode() - take apart the instruction at RIP, which may go on in the next page
 * Return: false: the interpreter must look.
 */
bool translator_decode(struct cpu *c, struct insn *ret);

/** translator_hash() - a number that tells whether a page of 4 KiB at @host has changed */
uint64_t translator_hash(const uint8_t *host);

/**
 * translator_block() - translate the block at RIP, which @page is the page of, for @key
 * @next: the page behind it, if the first instruction goes on there; else NULL
 * Return: NULL: impossible.
 */
struct block *translator_block(struct cpu *c, const struct tlb_code *page, const struct tlb_code *next, uint32_t key);

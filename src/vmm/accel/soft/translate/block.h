/* SPDX-License-Identifier: MIT */
/*
 * Blocks of translated code: found by guest-physical address, chained to each other, dropped when their page is
 * written.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/accel/soft/cpu/decode.h"
#include "vmm/accel/soft/translate/cache.h"

/* struct block.key: what the translation depends on besides the bytes */
#define BLOCK_KEY_USER 1u /* not level 0 */
#define BLOCK_KEY_FP_SHIFT 1 /* enum op_fp */
#define BLOCK_KEY_AC 8u /* level 0 with RFLAGS.AC */
#define BLOCK_KEY_NO_TSC 16u /* RDTSC faults */
#define BLOCK_KEY_NO_ROWS 32u /* every push and pop looks for its page: the stack goes on in another one */

/**
 * struct link - a direct branch to another block of the same page
 * @at: offset in the cache of the rel32; @gate: where it goes while there is no @to
 * @off: guest offset in the page that it goes to
 * @to_host: it enters at @to->host_entry, with live flags in the host's; else at @to->entry
 */
struct link {
	struct block *from, *to;
	struct link *next_in; /* of @to->in */
	uint32_t at, gate;
	uint16_t off;
	bool to_host;
};

/**
 * struct block_insn - where an instruction is
 * @host: offset from the block's start of its first byte; @off: guest offset in the page
 * @flags_in_slot: when it faults on the host, the guest's flags are in the slot
 * @row: its code is that of the instructions behind it, too
 * @plain: a page fault of a memory operand comes before anything else that it may raise
 */
struct block_insn {
	uint16_t host;
	uint16_t off : 12, flags_in_slot : 1, row : 1, plain : 1;
};

/**
 * struct block - translated code for the instructions at @gpa
 * @start, @end: offsets in the cache; @entry: flags in the slot; @host_entry: flags in the host's
 * @interp: its first instruction is the interpreter's
 * @step: the instruction for the interpreter that the block ends before, bound, at offset @step_off of the page;
 *        length 0 if there is none, or it is in two pages
 * @step_scalar: see op_scalar()
 * @next_gpa: the page that its only instruction goes on in, or BLOCK_NO_NEXT; @next_seen: struct cpu_hot.page ^ epoch where
 *            that is known to be the next page
 * @dead: no longer to be found
 * @runs: how often it ran to be verified
 */
struct block {
	uint64_t gpa;
	uint32_t key;
	uint32_t start, end, entry, host_entry;
	bool interp, dead, step_scalar;
	uint16_t step_off;
	struct insn step;
	uint16_t nr_links, nr_insns;
	uint8_t runs;
	uint64_t next_gpa, next_seen;
	struct block *next_hash, *next_page, *next_tail;
	struct link *in, *link;
	struct block_insn insn[];
};

#define BLOCK_NO_NEXT UINT64_MAX

#define BLOCKS_HASH 262144u

/**
 * struct block_set - all of them
 * @page: blocks of a guest-physical page, @nr_pages of them; @tail: those whose instruction ends there
 */
struct block_set {
	struct cache *cache;
	struct block *hash[BLOCKS_HASH];
	struct block **page, **tail;
	uint64_t nr_pages;
};

/** block_set_init() - none, for @nr_pages of guest memory.  Return: 0; -ENOMEM */
int block_set_init(struct block_set *s, struct cache *cache, uint64_t nr_pages);

/** block_set_done() - release what is not the cache's */
void block_set_done(struct block_set *s);

#define BLOCK_LINKS_MAX 256u

/* Bytes that block_new() may need, for @nr_insns */
#define BLOCK_BYTES(nr_insns) \
	(sizeof(struct block) + (nr_insns) * sizeof(struct block_insn) + BLOCK_LINKS_MAX * sizeof(struct link) + 32)

/** block_new() - room for @nr_insns and @nr_links, at most BLOCK_LINKS_MAX, until its region of @cache is emptied */
struct block *block_new(struct cache *cache, size_t nr_insns, size_t nr_links);

/** block_find() - the one for @gpa and @key; NULL if there is none */
struct block *block_find(const struct block_set *s, uint64_t gpa, uint32_t key);

/** block_insert() - make @b be found; @b->gpa is below @s->nr_pages */
void block_insert(struct block_set *s, struct block *b);

/** block_in_page() - is there one in the page of @gpa? */
static inline bool block_in_page(const struct block_set *s, uint64_t gpa)
{
	return gpa >> 12 < s->nr_pages && (s->page[gpa >> 12] != NULL || s->tail[gpa >> 12] != NULL);
}

/** block_chain() - let @l go straight to @to */
void block_chain(struct block_set *s, struct link *l, struct block *to);

/** block_drop() - make @b not be found, nor entered by any chain */
void block_drop(struct block_set *s, struct block *b);

/** block_drop_page() - all of a page.  Return: were there any? */
bool block_drop_page(struct block_set *s, uint64_t gpa);

/** block_evict() - empty region @region of the cache */
void block_evict(struct block_set *s, unsigned region);

/** block_insn_at() - the instruction that the code at offset @at belongs to; NULL: none (entry) */
const struct block_insn *block_insn_at(const struct block *b, size_t at);

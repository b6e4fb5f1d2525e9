/* SPDX-License-Identifier: MIT */
/*
 * One block being translated: shared by the files gen*.c.
 */
#pragma once

#include "vmm/accel/soft/cpu/decode.h"
#include "vmm/accel/soft/cpu/state.h"
#include "vmm/accel/soft/translate/block.h"
#include "vmm/accel/soft/translate/emit.h"
#include "vmm/accel/soft/translate/op.h"
#include "vmm/accel/soft/translate/gate.h"

#define GEN_INSNS 64u /* instructions of a block */
#define GEN_KNOWN 16u
#define GEN_COLD BLOCK_LINKS_MAX /* pieces of code that are seldom executed */
#define GEN_BYTES 32768u /* of code, at most */

/*
 * The guest's R10 and R11 live in struct cpu, so that two host registers are free: T0 has the
 * address of a memory operand, T1 helps to find it.  Between instructions neither has a meaning.
 */
#define T0 HOST_R10
#define T1 HOST_R11

/* Offsets for emit_gs_*() */
#define AT(field) offsetof(struct cpu, field)
#define AT_REG(r) (offsetof(struct cpu, reg) + (size_t) (r) * sizeof(uint64_t))

/* struct gen.flags: where the guest's arithmetic flags are; neither: nobody will read them */
#define IN_HOST 1u
#define IN_SLOT 2u

/**
 * struct gen_item - an instruction of the block
 * @raw: its bytes; @off: its offset in the page
 * @live: FL_STATUS bits that are read after it before they are overwritten
 */
struct gen_item {
	struct insn i;
	struct op op;
	const uint8_t *raw;
	uint16_t off;
	uint16_t live;
};

/** enum gen_ways - index of struct cpu.hot.way: by rights of the code */
enum gen_ways { WAYS_KERNEL, WAYS_KERNEL_AC, WAYS_USER };

/** enum gen_cold_kind - what is written behind the block */
enum gen_cold_kind {
	COLD_POLL, /* somebody wants the processor's attention */
	COLD_SLOW_READ, /* the TLB does not know the address in T0 */
	COLD_SLOW_WRITE,
	COLD_LINK, /* a direct branch whose target is not translated */
	COLD_EDGE, /* a conditional branch that must do more than go */
	COLD_FAULT, /* the interpreter must do it after all */
	COLD_JUMP, /* the table does not know the target */
	COLD_NEXT, /* the next page may be another one; T1: the block */
};

/**
 * struct gen_cold - one of those
 * @from: the rel32 that leads there
 * @retry: COLD_SLOW_*: where to try again; @size, @way: of the access, see gen_mem.c
 * @off: COLD_POLL, COLD_FAULT, COLD_LINK, COLD_EDGE: guest offset to go on at; may be out of the page for COLD_EDGE
 * @source: COLD_EDGE, COLD_JUMP: offset of the branch; @off: COLD_JUMP: what undoes its change of RSP
 * @flags: where they are, at @from
 */
struct gen_cold {
	enum gen_cold_kind kind;
	uint8_t *from, *retry;
	int64_t off;
	unsigned source, flags, size;
	size_t way;
	uint16_t live;
};

/** enum gen_end - how the instructions of a block end */
enum gen_end {
	GEN_END_DONE, /* with one that goes elsewhere */
	GEN_END_INTERP, /* before one that the interpreter executes */
	GEN_END_GOTO, /* before one that is in another block */
};

/**
 * struct gen - a translation under way
 * @page: host address of the guest page; @next, @next_gpa: of the one behind it, for an instruction in both: @joined
 * @failed: something did not fit
 * @known: what gen_live_at() has found, by hash
 */
struct gen {
	struct emit e;
	struct cpu *cpu;
	uint8_t *w; /* start of the cache */
	const struct gates *gates;
	const uint8_t *page, *next;
	uint64_t next_gpa;
	enum op_fp fp;
	uint32_t key;
	unsigned start;
	enum gen_ways ways;

	unsigned nr;
	enum gen_end end;
	unsigned end_off;
	uint8_t *self; /* where the address of the struct block is to be written */

	unsigned flags, nr_cold, nr_links, nr_insns;
	bool failed;
	struct {
		uint16_t behind, live; /* offset + 1; 0: nothing */
	} known[GEN_KNOWN];

	/* What is in use of these is counted above, or follows from @next; they are not cleared for every block. */
	uint8_t joined[2 * INSN_MAX];
	struct gen_item item[GEN_INSNS + 1]; /* the last one may be the interpreter's */
	struct gen_cold cold[GEN_COLD];
	struct link link[GEN_COLD];
	struct block_insn insn[GEN_INSNS];
};

/** gen_scan() - find the instructions of the block that starts at @g->start, and which flags live */
void gen_scan(struct gen *g);

/** gen_crosses() - does the instruction at offset @off of @page go on in the next page? */
bool gen_crosses(const uint8_t *page, unsigned off);

/** gen_live_at() - FL_STATUS bits that code at offset @off of the page may read */
uint16_t gen_live_at(struct gen *g, int64_t off);

/** gen_cold_add() - remember to write that behind the block */
void gen_cold_add(struct gen *g, const struct gen_cold *cold);

/** gen_spoil_flags() - before code that changes the host's flags, when @live are still needed */
void gen_spoil_flags(struct gen *g, uint16_t live);

/** gen_need_flags() - before code that reads the host's flags, or changes a part of them */
void gen_need_flags(struct gen *g);

/** gen_note_insn() - from here on the host executes @it; faults in there are its own */
void gen_note_insn(struct gen *g, const struct gen_item *it);

/** gen_operand() - T0 = host address of the memory operand of @it; flags are where gen_spoil_flags() puts them */
void gen_operand(struct gen *g, const struct gen_item *it);

/** gen_stack() - T0 = host address of the @size bytes at RSP + @disp */
void gen_stack(struct gen *g, int32_t disp, unsigned size, bool write);

/** gen_shape_probe() - the code that gen_operand() and its kind write */
void gen_shape_probe(struct gate_probe *p, bool write);

/** gen_slow() - what happens when the TLB entry that was used last is not the one: code behind the block */
void gen_slow(struct gen *g, const struct gen_cold *c);

/** gen_base() - T0 = host address of @size bytes at the address in guest register @reg */
void gen_base(struct gen *g, unsigned reg, unsigned size, bool write);

/** gen_reg_to() - host register that has guest register @reg: its own, or @scratch after loading it */
unsigned gen_reg_to(struct gen *g, unsigned reg, unsigned scratch);

/** gen_is_in_memory() - is guest register @reg one of those that no host register has? */
static inline bool gen_is_in_memory(unsigned reg)
{
	return reg == REG_R10 || reg == REG_R11;
}

/** gen_elements() - T0 = host address of the RCX elements at the address in @reg, RSI or RDI; the interpreter if they are in two pages */
void gen_elements(struct gen *g, const struct gen_item *it, unsigned reg, bool write);

/** gen_string() - OP_STRING */
void gen_string(struct gen *g, const struct gen_item *it);

/** gen_maskmov() - OP_MASKMOV */
void gen_maskmov(struct gen *g, const struct gen_item *it);

/** gen_lea() - OP_LEA */
void gen_lea(struct gen *g, const struct gen_item *it);

/** gen_bit() - OP_BIT */
void gen_bit(struct gen *g, const struct gen_item *it);

/** gen_plain() - OP_PLAIN */
void gen_plain(struct gen *g, const struct gen_item *it);

/** gen_plain_can() - can gen_plain() express @it? */
bool gen_plain_can(const struct gen_item *it);

/** gen_page_address() - @to = linear address of offset @off of the page */
void gen_page_address(struct gen *g, unsigned to, int64_t off);

/** gen_edge() - go to offset @off from the instruction at @source; @live: flags that matter there */
void gen_edge(struct gen *g, unsigned source, int64_t off, uint16_t live);

/**
 * gen_jump() - go to the linear address in T0; flags are in the slot or nobody's
 * @source: offset of the branch; @undo: to be added to RSP if it turns out that it must not go there
 */
void gen_jump(struct gen *g, unsigned source, int undo);

/** gen_row() - pushes, pops, and a return, from item @n on.  Return: how many items that were */
unsigned gen_row(struct gen *g, unsigned n);

/** gen_flow() - branches and calls.  Return: was it one? */
bool gen_flow(struct gen *g, const struct gen_item *it);

/** gen_system() - instructions of operating systems.  Return: was it one? */
bool gen_system(struct gen *g, const struct gen_item *it);

/** gen_cold_write() - all that was remembered */
void gen_cold_write(struct gen *g);

/**
 * gen_block() - translate the instructions from offset @start of @page
 * @cpu: for what it has
 * @cache: has room for GEN_BYTES, and BLOCK_BYTES(GEN_INSNS) for cache_alloc(); @gates: its
 * @next: the page behind @page, if the first instruction goes on there, which then is the only one; else NULL
 * @key: of the block
 * Return: the block, in the cache; NULL: it is too long.
 */
struct block *gen_block(struct cpu *cpu, struct cache *cache, const struct gates *gates, const struct tlb_code *page,
			const struct tlb_code *next, unsigned start, uint32_t key);

/* SPDX-License-Identifier: MIT */
/*
 * What an instruction reads and writes: all that the translator knows of most of them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/accel/soft/cpu/decode.h"

/**
 * enum op_kind - how an instruction is translated
 * @OP_INTERP: not at all: the interpreter executes it
 * @OP_PLAIN: copied, its memory operand redirected
 * @OP_NOTHING: it has no effect
 */
enum op_kind {
	OP_INTERP,
	OP_PLAIN,
	OP_NOTHING,
	OP_LEA,
	OP_BIT, /* BT, BTS, BTR, BTC of memory, by a register: reaches anywhere */
	OP_PUSH, /* register, or immediate (struct op.imm) */
	OP_PUSH_MEM,
	OP_POP,
	OP_LEAVE,
	OP_JCC,
	OP_JRCXZ,
	OP_JMP,
	OP_JMP_IND,
	OP_CALL,
	OP_CALL_IND,
	OP_RET,
	OP_DIRECTION, /* CLD, STD */
	OP_CLI,
	OP_STI,
	OP_PUSHF,
	OP_POPF,
	OP_SWAPGS,
	OP_STAC,
	OP_CLAC,
	OP_RDTSC,
	OP_SELECTOR, /* MOV from a segment register */
	OP_CONTROL, /* MOV from a control register */
	OP_BASE, /* RDFSBASE, WRFSBASE and those of GS */
	OP_SYSCALL,
	OP_SYSRET,
	OP_STRING, /* REP MOVS, REP STOS */
	OP_MASKMOV, /* MASKMOVQ, MASKMOVDQU: bytes at RDI */
};

/* Roles of an operand: bits; 0: it is no general register (or memory) */
#define ROLE_R 1u
#define ROLE_W 2u
#define ROLE_RW 3u

/**
 * struct op - one instruction's effects
 * @reg, @rm, @vvvv, @opreg: ROLE_* of the general registers in ModRM.reg, ModRM.rm (if it names no memory),
 *        VEX.vvvv, and the low bits of the opcode
 * @mem, @mem_size: ROLE_* of the memory operand; bytes that it may reach, at least as many as it does
 * @imm: OP_PUSH of a constant; @simd: from op_simd()
 * @faults: it may raise more than its memory operand does: a handler sees all flags
 * @use, @def, @mod: FL_STATUS bits that are read, are overwritten for certain, may be changed
 */
struct op {
	_Alignas(8) enum op_kind kind; /* in memory, in words: a struct in registers takes longer to put together */
	uint8_t reg, rm, vvvv, opreg;
	uint8_t mem, mem_size;
	bool imm, simd, faults;
	uint16_t use, def, mod;
};

/** op_needs() - FL_STATUS bits that must be right before an instruction */
static inline uint16_t op_needs(const struct op *op)
{
	return op->faults ? FL_STATUS : op->use;
}

/** enum op_fp - the largest register file that the guest may use now; every level has those before it */
enum op_fp { OP_FP_NONE, OP_FP_SSE, OP_FP_AVX, OP_FP_AVX512 };

/**
 * op_classify() - look at @i, an instruction of 64-bit code
 * @fp: what the guest has enabled
 * Return: what it does; OP_INTERP for what is not known here.
 * Context: pure.
 */
struct op op_classify(const struct insn *i, enum op_fp fp);

/** op_simd() - the same for the x87, MMX, SSE, VEX and EVEX kind */
struct op op_simd(const struct insn *i, enum op_fp fp);

/** op_scalar() - does the interpreter execute @i without x87 and vector registers, and without its surroundings? */
bool op_scalar(const struct insn *i);

/** op_condition() - FL_STATUS bits that condition @cc (0 to 15) reads */
uint16_t op_condition(unsigned cc);

/* SPDX-License-Identifier: MIT */
/*
 * What the files that execute rows share.
 */
#pragma once

#include "vmm/accel/soft/cpu/mem.h"
#include "vmm/accel/soft/simd/cells.h"
#include "vmm/accel/soft/simd/table.h"

/**
 * struct vec - an instruction under way
 * @l: vector length: 0, 1, 2
 * @mem: bytes of its memory operand, or of the same as a register
 * @mask: which lanes count; all without EVEX.aaa
 * @mmx: an MMX register is an operand
 * @lin: linear address of the memory operand
 * @r: operands: slot 0 is reg, 1 vvvv, 2 rm
 */
struct vec {
	struct cpu *c;
	const struct insn *i;
	const struct simd_row *row;
	unsigned l, mem;
	bool mmx;
	uint64_t mask, lin;
	struct simd_regs r;
};

/** lanes_read() - the lanes of @v->mem bytes at @lin that @mask names; the others become 0 */
void lanes_read(struct cpu *c, uint64_t lin, void *ret, unsigned size, unsigned lane, uint64_t mask);

/** lanes_write() - write the lanes that @mask names; nothing is written if one of them cannot be */
void lanes_write(struct cpu *c, uint64_t lin, const void *data, unsigned size, unsigned lane, uint64_t mask);

/** lanes_merge() - @ret gets the lanes of @src that @mask names; the others become 0 if @zero */
void lanes_merge(void *ret, const void *src, unsigned size, unsigned lane, uint64_t mask, bool zero);

/** vec_move() - execute a row whose HOW_* is not done by a cell; operands are in @v->r */
void vec_move(struct vec *v);

/** vec_gather_exec() - HOW_GATHER and HOW_SCATTER */
cpu_exec_fn vec_gather_exec;

/** vec_maskmov_exec() - HOW_MASKMOV */
cpu_exec_fn vec_maskmov_exec;

/** vec_maskmovdqu_exec() - HOW_MASKMOVDQU */
cpu_exec_fn vec_maskmovdqu_exec;

/** vec_pack_exec() - HOW_COMPRESS and HOW_EXPAND */
cpu_exec_fn vec_pack_exec;

/** vec_check() - #UD or #NM when the guest's control registers forbid @row */
void vec_check(struct cpu *c, const struct simd_row *row);

/** gpr_bind() - BMI and CRC32 */
cpu_exec_fn *gpr_bind(const struct insn *i, const struct simd_row *row);

/** vec_bind() - who executes @row; not HOW_MXCSR */
cpu_exec_fn *vec_bind(const struct insn *i, const struct simd_row *row);

/* SPDX-License-Identifier: MIT */
/*
 * Cells and how they are called; see cells.S.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * struct simd_regs - operands of a cell; calls.S knows the offsets
 * @v: vector registers 0 to 3
 * @k: mask registers 0, 1, 2 and 7
 * @g: RAX, RCX, RDX
 * @m: MMX registers 0 and 2, used by simd_call_mmx()
 * @flags: RFLAGS, out only
 */
struct simd_regs {
	_Alignas(64) uint8_t v[4][64];
	uint64_t k[4];
	uint64_t g[4];
	uint64_t m[4];
	uint64_t flags;
	uint32_t mxcsr;
};

_Static_assert(offsetof(struct simd_regs, k) == 256 && offsetof(struct simd_regs, g) == 288 &&
		       offsetof(struct simd_regs, m) == 320 && offsetof(struct simd_regs, flags) == 352 &&
		       offsetof(struct simd_regs, mxcsr) == 360,
	       "calls.S knows them");

/** enum simd_result - what became of a cell */
enum simd_result { SIMD_DONE, SIMD_EXCEPTION, SIMD_UNDEFINED };

typedef enum simd_result simd_call_fn(struct simd_regs *regs, const void *cell);

simd_call_fn simd_call_sse, simd_call_mmx, simd_call_avx, simd_call_avx512;

/**
 * struct simd_x87 - operands of an x87 cell
 * @image: as FXSAVE64 writes it; its vector registers are not looked at, MXCSR must be valid
 * @flags: RFLAGS, in and out
 * @rax: RAX, out
 */
struct simd_x87 {
	_Alignas(64) uint8_t image[512];
	uint64_t flags;
	uint64_t rax;
};

/** simd_call_x87() - execute an x87 cell; exceptions stay pending in the image */
void simd_call_x87(struct simd_x87 *x, const void *cell, void *operand);

extern const uint8_t simd_cells[], simd_cells_end[], simd_x87_cells[], simd_call_fault[];
extern const uint32_t simd_cell_at[];

/** simd_fault_init() - let exceptions of cells end the cell instead of the program; any number of times */
void simd_fault_init(void);

/* SPDX-License-Identifier: MIT */
/*
 * The table of vector, mask, MMX and VEX-encoded instructions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/accel/soft/cpu/decode.h"
#include "vmm/accel/soft/simd/row.h"

/** enum simd_feature - what a row needs of the processor */
enum simd_feature {
	FEAT_MMX, FEAT_SSE, FEAT_SSE2, FEAT_SSE3, FEAT_SSSE3, FEAT_SSE41, FEAT_SSE42, FEAT_AES, FEAT_PCLMUL,
	FEAT_SHA, FEAT_GFNI, FEAT_AVX, FEAT_AVX2, FEAT_AVX_INT, FEAT_AVX_AES, FEAT_AVX_VAES, FEAT_AVX_VPCLMUL,
	FEAT_AVX_GFNI, FEAT_AVX_VNNI, FEAT_FMA, FEAT_F16C, FEAT_BMI1, FEAT_BMI2, FEAT_AVX512F, FEAT_AVX512BW,
	FEAT_AVX512CD, FEAT_AVX512DQ, FEAT_AVX512VBMI, FEAT_AVX512VBMI2, FEAT_AVX512VNNI, FEAT_AVX512BITALG,
	FEAT_AVX512VPOPCNTDQ, FEAT_AVX512IFMA, FEAT_AVX512BF16, FEAT_AVX512FP16, FEAT_AVX512VAES,
	FEAT_AVX512VPCLMULQDQ, FEAT_AVX512GFNI, FEAT_NR,
};

/** struct simd_row - one row; the columns are explained in row.h */
struct simd_row {
	const char *name;
	uint16_t imms, flags;
	uint8_t enc, pp, map, opcode;
	uint8_t ext, mod, w, l;
	uint8_t reg, vvvv, rm, mem, lane;
	uint8_t how, feature;
};

extern const struct simd_row simd_rows[];
extern const unsigned simd_rows_nr;

/**
 * simd_row_find() - the row of an instruction
 * Return: it; NULL: there is none, or it is encoded in a way that does not exist.
 * Context: pure; does not look at what the processor has.
 */
const struct simd_row *simd_row_find(const struct insn *i);

/** simd_row_mem() - bytes of the memory operand of @row at the vector length of @i, without regard to broadcast */
unsigned simd_row_mem(const struct simd_row *row, const struct insn *i);

/** simd_row_length() - vector length of @i as it executes: 0, 1, 2 */
unsigned simd_row_length(const struct simd_row *row, const struct insn *i);

/** simd_row_has() - does the guest's processor have what @row needs at the vector length of @i? */
bool simd_row_has(const struct cpu *c, const struct simd_row *row, const struct insn *i);

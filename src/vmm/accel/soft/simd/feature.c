// SPDX-License-Identifier: MIT
/*
 * What rows need of the processor, as bits of CPUID.
 */
#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/simd/table.h"

#define BIT(word, bit) (CPUID_WORD_##word * 32 + (bit) + 1)

#define MMX BIT(1_EDX, 23)
#define SSE BIT(1_EDX, 25)
#define SSE2 BIT(1_EDX, 26)
#define PCLMUL BIT(1_ECX, 1)
#define AES BIT(1_ECX, 25)
#define AVX BIT(1_ECX, 28)
#define AVX2 BIT(7_EBX, 5)
#define AVX512F BIT(7_EBX, 16)
#define AVX512VL BIT(7_EBX, 31)
#define GFNI BIT(7_ECX, 8)
#define VAES BIT(7_ECX, 9)
#define VPCLMUL BIT(7_ECX, 10)

/** struct need - bits that must be there for vectors of 128 bits, and for longer ones; 0: none */
struct need {
	uint16_t narrow[2], wide[2];
};

#define SAME(a, b) { { a, b }, { a, b } }

static const struct need needs[FEAT_NR] = {
	[FEAT_MMX] = SAME(MMX, 0),
	[FEAT_SSE] = SAME(SSE, 0),
	[FEAT_SSE2] = SAME(SSE2, 0),
	[FEAT_SSE3] = SAME(BIT(1_ECX, 0), 0),
	[FEAT_SSSE3] = SAME(BIT(1_ECX, 9), 0),
	[FEAT_SSE41] = SAME(BIT(1_ECX, 19), 0),
	[FEAT_SSE42] = SAME(BIT(1_ECX, 20), 0),
	[FEAT_AES] = SAME(AES, 0),
	[FEAT_PCLMUL] = SAME(PCLMUL, 0),
	[FEAT_SHA] = SAME(BIT(7_EBX, 29), 0),
	[FEAT_GFNI] = SAME(GFNI, 0),
	[FEAT_AVX] = SAME(AVX, 0),
	[FEAT_AVX2] = SAME(AVX2, 0),
	[FEAT_AVX_INT] = { { AVX, 0 }, { AVX2, 0 } },
	[FEAT_AVX_AES] = SAME(AVX, AES),
	[FEAT_AVX_VAES] = { { AVX, AES }, { AVX, VAES } },
	[FEAT_AVX_VPCLMUL] = { { AVX, PCLMUL }, { AVX, VPCLMUL } },
	[FEAT_AVX_GFNI] = SAME(AVX, GFNI),
	[FEAT_AVX_VNNI] = SAME(AVX2, BIT(7_1_EAX, 4)),
	[FEAT_FMA] = SAME(AVX, BIT(1_ECX, 12)),
	[FEAT_F16C] = SAME(AVX, BIT(1_ECX, 29)),
	[FEAT_BMI1] = SAME(BIT(7_EBX, 3), 0),
	[FEAT_BMI2] = SAME(BIT(7_EBX, 8), 0),
	[FEAT_AVX512F] = SAME(AVX512F, 0),
	[FEAT_AVX512BW] = SAME(AVX512F, BIT(7_EBX, 30)),
	[FEAT_AVX512CD] = SAME(AVX512F, BIT(7_EBX, 28)),
	[FEAT_AVX512DQ] = SAME(AVX512F, BIT(7_EBX, 17)),
	[FEAT_AVX512VBMI] = SAME(AVX512F, BIT(7_ECX, 1)),
	[FEAT_AVX512VBMI2] = SAME(AVX512F, BIT(7_ECX, 6)),
	[FEAT_AVX512VNNI] = SAME(AVX512F, BIT(7_ECX, 11)),
	[FEAT_AVX512BITALG] = SAME(AVX512F, BIT(7_ECX, 12)),
	[FEAT_AVX512VPOPCNTDQ] = SAME(AVX512F, BIT(7_ECX, 14)),
	[FEAT_AVX512IFMA] = SAME(AVX512F, BIT(7_EBX, 21)),
	[FEAT_AVX512BF16] = SAME(AVX512F, BIT(7_1_EAX, 5)),
	[FEAT_AVX512FP16] = SAME(AVX512F, BIT(7_EDX, 23)),
	[FEAT_AVX512VAES] = SAME(AVX512F, VAES),
	[FEAT_AVX512VPCLMULQDQ] = SAME(AVX512F, VPCLMUL),
	[FEAT_AVX512GFNI] = SAME(AVX512F, GFNI),
};

static bool has(const struct cpu *c, unsigned bit)
{
	return bit == 0 || cpuid_has(c, (bit - 1) / 32, (bit - 1) % 32);
}

bool simd_row_has(const struct cpu *c, const struct simd_row *row, const struct insn *i)
{
	unsigned l = simd_row_length(row, i);
	const uint16_t *need = l == 0 ? needs[row->feature].narrow : needs[row->feature].wide;
	bool lengths = row->l & (row->l - 1); /* more than one: the short ones are an extension */

	if (row->enc == SIMD_EVEX && lengths && l < 2 && !has(c, AVX512VL))
		return false;
	return has(c, need[0]) && has(c, need[1]);
}

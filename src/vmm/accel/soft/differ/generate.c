// SPDX-License-Identifier: MIT
#include "vmm/accel/soft/differ/generate.h"

#include <string.h>

#include "vmm/accel/soft/differ/place.h"
#include "vmm/accel/soft/differ/random.h"
#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/simd/regs.h"
#include "vmm/accel/soft/simd/table.h"

#define DATA_MIDDLE (DIFFER_DATA + 0x800)
#define POOL_WORDS 65536u
#define POOL_SEED 0x9E3779B97F4A7C15ull

/* Numbers at which results change. */
static uint64_t interesting(uint64_t *seed)
{
	static const uint64_t values[] = {
		0, 1, UINT64_MAX, 0x80, 0x7F, 0xFF, 0x8000, 0x7FFF, 0xFFFF, 0x80000000, 0x7FFFFFFF, 0xFFFFFFFF,
		0x8000000000000000, 0x7FFFFFFFFFFFFFFF, 0x100000000, 0xFFFFFFFF00000000, 64, 63, 32, 31, 33, 2, 3,
	};
	uint64_t r = random_next(seed);

	switch (random_below(seed, 4)) {
	case 0:
		return values[r % (sizeof(values) / sizeof(values[0]))];
	case 1:
		return r & 0xFF;
	case 2:
		return r >> (r & 63);
	default:
		return r;
	}
}

/* Bits of floating point numbers: zeros, ones, denormals, infinities, NaNs of two sizes. */
static uint64_t floating(uint64_t *seed)
{
	static const uint32_t single[] = { 0,	       0x80000000, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000,
					   0x7FC00000, 0x7F800001, 0x00000001, 0x807FFFFF, 0x7F7FFFFF, 0x4F000000,
					   0x3F000000, 0x00800000, 0x3C003C00, 0x7C007E01 };
	static const uint64_t twice[] = { 0x3FF0000000000000, 0x7FF0000000000000, 0x7FF8000000000000, 0x7FF0000000000001,
					  1, 0x000FFFFFFFFFFFFF, 0x7FEFFFFFFFFFFFFF, 0x41E0000000000000,
					  0xC3E0000000000000, 0x8000000000000000, 0x3FE0000000000000, 0x3690000000000000 };

	if (chance(seed, 50))
		return twice[random_below(seed, sizeof(twice) / sizeof(twice[0]))];
	return single[random_below(seed, 16)] | (uint64_t) single[random_below(seed, 16)] << 32;
}

static uint64_t word(uint64_t *seed)
{
	return chance(seed, 40) ? floating(seed) : chance(seed, 60) ? random_next(seed) : interesting(seed);
}

/* Words to copy from at random places; made once, always the same. */
static uint64_t pool[POOL_WORDS];

static void fill(uint64_t *seed, void *to, unsigned size)
{
	uint64_t own = POOL_SEED;

	for (unsigned n = 0; pool[POOL_WORDS - 1] == 0; n++) /* the last one may be 0 by chance: then it is tried again */
		pool[n % POOL_WORDS] = word(&own);
	memcpy(to, pool + random_below(seed, POOL_WORDS - size / 8), size);
}

static void fill_x87(uint64_t *seed, uint8_t *xsave)
{
	static const uint16_t exponents[] = { 0, 0x7FFF, 0xFFFF, 0x3FFF, 0xBFFF, 0x4000, 0x403E, 0x3C01, 0x43FE, 0x8000, 1 };
	uint16_t control = 0x37F, status = (uint16_t) (random_below(seed, 8) << FSW_TOP_SHIFT), exponent;

	if (chance(seed, 40))
		control = (uint16_t) ((random_next(seed) & 0xF3F) | 0x40 | (chance(seed, 70) ? 0x3F : 0));
	if (chance(seed, 20))
		status |= random_next(seed) & 0x477F;
	if (status & ~control & 0x3F)
		status |= FSW_ES | FSW_B;
	memcpy(xsave + XS_FCW, &control, 2);
	memcpy(xsave + XS_FSW, &status, 2);
	xsave[XS_FTW] = chance(seed, 60) ? 0xFF : (uint8_t) random_next(seed);
	for (unsigned n = 0; n < 8; n++) {
		uint8_t *st = xsave + XS_ST + (size_t) n * 16;
		uint64_t mantissa = chance(seed, 70) ? random_next(seed) | 1ull << 63 : word(seed);

		exponent = chance(seed, 50) ? (uint16_t) (0x3FF0 + random_below(seed, 32)) :
					      exponents[random_below(seed, sizeof(exponents) / 2)];
		memcpy(st, &mantissa, 8);
		memcpy(st + 8, &exponent, 2);
	}
}

static void fill_state(uint64_t *seed, struct differ_state *s)
{
	uint32_t mxcsr = MXCSR_DEFAULT;
	bool wide = (cpuid_features()->xcr0 & XCR0_AVX512) == XCR0_AVX512;

	memset(s, 0, sizeof(*s));
	for (unsigned n = 0; n < 16; n++)
		s->reg[n] = chance(seed, 30) ? DATA_MIDDLE + (random_next(seed) & 0x7F8) : interesting(seed);
	s->reg[REG_RSP] = DATA_MIDDLE + (random_next(seed) & 0x7F8);
	s->reg[REG_RSI] = DATA_MIDDLE + (random_next(seed) & 0x7FF);
	s->reg[REG_RDI] = DATA_MIDDLE + (random_next(seed) & 0x7FF);
	s->reg[REG_RBP] = DATA_MIDDLE + (random_next(seed) & 0x7F8);
	s->reg[REG_RBX] = chance(seed, 50) ? DATA_MIDDLE + (random_next(seed) & 0x7F8) : s->reg[REG_RBX];
	s->rip = DIFFER_CODE_AT;
	s->flags = (random_next(seed) & (FL_STATUS | (chance(seed, 20) ? FL_DF : 0))) | 0x202;
	fill_x87(seed, s->xsave);
	if (chance(seed, 50))
		mxcsr = (uint32_t) (random_next(seed) & 0xFFFF) | (chance(seed, 60) ? MXCSR_MASKS : 0);
	memcpy(s->xsave + XS_MXCSR, &mxcsr, 4);
	fill(seed, s->xsave + XS_XMM, 256);
	fill(seed, s->xsave + XS_YMM, 256);
	if (wide) {
		fill(seed, s->xsave + XS_K, 64);
		fill(seed, s->xsave + XS_ZMM, 512);
		fill(seed, s->xsave + XS_HI16, 1024);
	}
}

bool generate_from(const uint8_t *code, size_t len, uint64_t *seed, struct differ_case *ret)
{
	struct insn i = { 0 };

	fill_state(seed, &ret->state);
	fill(seed, ret->data, sizeof(ret->data));
	memset(ret->code, 0xCC, sizeof(ret->code));
	memcpy(ret->code, code, len < INSN_MAX ? len : INSN_MAX);
	if (insn_decode(CPU_MODE_64, ret->code, INSN_MAX, &i) != INSN_OK || !allowed_here(&i))
		return false;
	ret->len = i.len;
	memset(ret->code + i.len, 0xCC, sizeof(ret->code) - i.len);
	return place_case(seed, &i, ret);
}

/* Prefixes, an opcode, and what may follow. */
static unsigned random_integer(uint64_t *seed, uint8_t *to)
{
	static const uint8_t prefixes[] = { 0x66, 0x67, 0xF2, 0xF3, 0xF0, 0x65, 0x3E };
	uint64_t rest[2] = { random_next(seed), random_next(seed) };
	unsigned n = 0;

	while (n < 3 && chance(seed, 25))
		to[n++] = prefixes[random_below(seed, sizeof(prefixes))];
	if (chance(seed, 50))
		to[n++] = (uint8_t) (0x40 | (random_next(seed) & 15));
	if (chance(seed, 35)) {
		to[n++] = 0x0F;
		if (chance(seed, 20))
			to[n++] = chance(seed, 70) ? 0x38 : 0x3A;
	}
	memcpy(to + n, rest, INSN_MAX - n);
	return INSN_MAX;
}

static unsigned random_x87(uint64_t *seed, uint8_t *to)
{
	uint64_t rest[2] = { random_next(seed), random_next(seed) };

	memcpy(to, rest, INSN_MAX);
	to[0] = (uint8_t) (0xD8 | (to[0] & 7));
	if (chance(seed, 3))
		to[0] = 0x9B;
	return INSN_MAX;
}

/* FXSAVE, the XSAVE family, and MXCSR */
static unsigned random_state(uint64_t *seed, uint8_t *to)
{
	uint64_t rest[2] = { random_next(seed), random_next(seed) };
	unsigned n = 0;

	memcpy(to, rest, INSN_MAX);
	if (chance(seed, 50))
		to[n++] = 0x48;
	to[n++] = 0x0F;
	to[n] = chance(seed, 85) ? 0xAE : 0xC7;
	if (to[n++] == 0xC7)
		to[n] = (uint8_t) (0x20 | (to[n] & 0xC7));
	return INSN_MAX;
}

/* On registers only, without jumps, and all its flags are defined: fit for the middle of a sequence. */
static bool is_plain(const struct insn *i)
{
	bool shift = i->map == MAP_1BYTE && ((i->opcode & 0xFE) == 0xC0 || (i->opcode & 0xFC) == 0xD0);
	bool stack = i->map == MAP_1BYTE && ((i->opcode & 0xF0) == 0x50 || i->opcode == 0x9C || i->opcode == 0x8F);
	bool string = i->map == MAP_1BYTE && ((i->opcode >= 0x6C && i->opcode < 0x70) || (i->opcode & 0xF0) == 0xA0);
	bool jump = i->map == MAP_1BYTE ? (i->opcode & 0xF0) == 0x70 || (i->opcode & 0xFC) == 0xE0 :
					  i->map == MAP_0F && (i->opcode & 0xF0) == 0x80;
	bool implied = i->map == MAP_1BYTE ? i->opcode == 0xC8 || i->opcode == 0xC9 || i->opcode == 0xD7 :
					     i->map == MAP_0F && i->opcode == 0xF7;

	return i->enc == ENC_LEGACY && !i->is_mem && !i->ends && !jump && !shift && !stack && !string && !implied && flags_by_vendor(i) == 0 &&
		!(i->opcode == 0xFF && i->map == MAP_1BYTE) && !(i->opcode == 0x68 || i->opcode == 0x6A) && allowed_here(i);
}

static void generate_sequence(uint64_t *seed, struct differ_case *ret)
{
	uint8_t code[INSN_MAX + 9];
	struct insn i = { 0 };

	fill_state(seed, &ret->state);
	fill(seed, ret->data, sizeof(ret->data));
	memset(ret->code, 0xCC, sizeof(ret->code));
	ret->row = -1;
	ret->len = 0;
	while (ret->len + INSN_MAX <= sizeof(ret->code) && !(ret->len > 20 && chance(seed, 20))) {
		(void) random_integer(seed, code);
		if (insn_decode(CPU_MODE_64, code, INSN_MAX, &i) != INSN_OK || !is_plain(&i))
			continue;
		memcpy(ret->code + ret->len, code, i.len);
		ret->len += i.len;
	}
}

void generate_case(enum differ_kind kind, uint64_t *seed, struct differ_case *ret)
{
	uint8_t code[INSN_MAX + 9];
	unsigned len;

	do {
		enum differ_kind k = kind == DIFFER_ANY ? random_below(seed, DIFFER_ANY) : kind;

		ret->row = -1;
		if (k == DIFFER_SEQUENCE) {
			generate_sequence(seed, ret);
			return;
		}
		if (k == DIFFER_VECTOR) {
			ret->row = (int) random_below(seed, simd_rows_nr);
			len = encode_row((unsigned) ret->row, seed, code);
			if (chance(seed, 2))
				code[random_below(seed, len)] ^= (uint8_t) (1u << random_below(seed, 8));
		} else {
			len = k == DIFFER_X87 ? random_x87(seed, code) : random_integer(seed, code);
			if (k == DIFFER_X87 && chance(seed, 5))
				len = random_state(seed, code);
		}
	} while (!generate_from(code, len, seed, ret));
}

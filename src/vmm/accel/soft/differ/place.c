// SPDX-License-Identifier: MIT
/*
 * Registers and bytes of an instruction are changed so that what it accesses is in the data, and what
 * it jumps to is a breakpoint.
 */
#include "vmm/accel/soft/differ/place.h"

#include <string.h>

#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/differ/random.h"
#include "vmm/accel/soft/simd/regs.h"

#define XSAVE_AT 0x400u /* in the data */

/* Components of the XSAVE format without x87 */
static const struct {
	uint16_t at, size;
} xsave_parts[] = { { XS_XMM, 256 }, { XS_YMM, 256 }, { XS_K, 64 }, { XS_ZMM, 512 + 1024 } };

/* Where the memory operand is to be: mostly where it can be accessed. */
static uint64_t target(uint64_t *seed)
{
	uint64_t r = random_next(seed);

	switch (random_below(seed, 16)) {
	case 0:
		return DIFFER_DATA + DIFFER_DATA_WRITABLE - (r & 63); /* into the read-only page */
	case 1:
		return DIFFER_DATA + DIFFER_DATA_SIZE - (r & 63); /* into nothing */
	case 2:
		return DIFFER_DATA - (r & 63);
	case 3:
		return chance(seed, 30) ? r | 1ull << 62 : DIFFER_DATA + 0x1000 - (r & 63);
	case 4:
	case 5:
	case 6:
		return DIFFER_DATA + 0x400 + (r & 0x7FF);
	default:
		return DIFFER_DATA + 0x400 + (r & 0x7C0);
	}
}

static bool is_vsib(const struct insn *i)
{
	bool map = i->map == MAP_0F38 && i->enc != ENC_LEGACY;

	return map && ((i->opcode >= 0x90 && i->opcode < 0x94) ||
		       (i->enc == ENC_EVEX && i->opcode >= 0xA0 && i->opcode < 0xA4));
}

/* The indices of a gather: small, and the scale does not matter. */
static void place_indices(uint64_t *seed, const struct insn *i, struct differ_state *s)
{
	uint8_t vector[64];

	for (unsigned n = 0; n < 16; n++) {
		uint32_t v = i->opcode & 1 && n & 1 ? 0 : random_below(seed, 64);

		memcpy(vector + n * 4, &v, 4);
	}
	if (i->index >= 16) {
		memcpy(s->xsave + XS_HI16 + (size_t) (i->index - 16) * 64, vector, 64);
		return;
	}
	memcpy(s->xsave + XS_XMM + (size_t) i->index * 16, vector, 16);
	memcpy(s->xsave + XS_YMM + (size_t) i->index * 16, vector + 16, 16);
	memcpy(s->xsave + XS_ZMM + (size_t) i->index * 32, vector + 32, 32);
}

static void patch(struct differ_case *k, unsigned at, unsigned size, uint64_t v)
{
	memcpy(k->code + at, &v, size);
}

/* In two cache lines these are slow beyond measure: the host's kernel punishes them. */
static bool is_atomic(const struct insn *i)
{
	if (i->enc != ENC_LEGACY)
		return false;
	if (i->map == MAP_0F && (i->opcode == 0xB0 || i->opcode == 0xB1 || (i->opcode & 0xFE) == 0xC0 || i->opcode == 0xC7))
		return true;
	return i->prefix & PFX_LOCK || (i->map == MAP_1BYTE && (i->opcode & 0xFE) == 0x86);
}

/* Where a jump through a register or memory goes: to breakpoints, to what cannot be executed, to no address. */
static uint64_t jump_target(uint64_t *seed)
{
	switch (random_below(seed, 4)) {
	case 0:
		return DIFFER_DATA + random_below(seed, DIFFER_DATA_SIZE);
	case 1:
		return random_next(seed) | 1ull << 62;
	default:
		return DIFFER_CODE + random_below(seed, 0x700);
	}
}

static void put_data(struct differ_case *k, uint64_t at, uint64_t v)
{
	if (at >= DIFFER_DATA && at <= DIFFER_DATA + DIFFER_DATA_SIZE - 8)
		memcpy(k->data + (at - DIFFER_DATA), &v, 8);
}

static bool is_xsave(const struct insn *i)
{
	unsigned n = i->modrm >> 3 & 7;

	return i->enc == ENC_LEGACY && i->map == MAP_0F && i->is_mem &&
		((i->opcode == 0xAE && n >= 4) || (i->opcode == 0xC7 && n == 4));
}

/* Components that both processors have, and a header that is mostly good. */
static void prepare_xsave(uint64_t *seed, struct differ_case *k)
{
	uint64_t header[8] = { random_next(seed) & cpuid_features()->xcr0 };
	uint32_t mxcsr = (uint32_t) random_next(seed) & 0xFFFF;
	uint64_t at = XSAVE_AT;

	k->state.reg[REG_RAX] = random_next(seed) & cpuid_features()->xcr0;
	k->state.reg[REG_RDX] = 0;
	if (chance(seed, 30))
		header[1] = 1ull << 63 | (random_next(seed) & cpuid_features()->xcr0) | header[0];
	if (chance(seed, 5))
		header[random_below(seed, 8)] ^= 1ull << (20 + random_below(seed, 43)); /* no component of the host */
	memcpy(k->data + at + XS_MXCSR, &mxcsr, 4); /* a bad one is found when the host has loaded half */
	memset(k->data + at + XS_FIP + 6, 0, 2); /* canonical, however wide addresses are */
	memset(k->data + at + XS_FDP + 6, 0, 2);
	memcpy(k->data + at + XS_HEADER, header, sizeof(header));
	for (unsigned part = 0; part < 4; part++) /* some of the state is as at the beginning */
		if (chance(seed, 30))
			memset(k->state.xsave + xsave_parts[part].at, 0, xsave_parts[part].size);
}

/* Choose registers, or bytes of the instruction, so that the memory operand is at @to. */
static void place_operand(uint64_t *seed, const struct insn *i, struct differ_case *k)
{
	struct differ_state *s = &k->state;
	uint64_t to = target(seed), index = 0;

	if (is_xsave(i))
		to = DIFFER_DATA + XSAVE_AT;
	if (i->addr_size < 8 || i->base >= 16) /* then nothing far away can be reached, but this program can */
		to = to >> 32 ? DIFFER_DATA + (to & 0xFF8) : to;
	if (is_atomic(i))
		to &= ~15ull;
	if (i->enc == ENC_LEGACY && i->map == MAP_1BYTE && i->opcode == 0xFF)
		put_data(k, to, jump_target(seed));
	if (is_vsib(i))
		place_indices(seed, i, s);
	else if (i->index < 16)
		index = s->reg[i->index];
	if (!i->has_modrm) { /* MOV with an address as immediate */
		patch(k, i->imm_off, i->addr_size, to);
	} else if (i->base == REG_RIP) {
		patch(k, i->disp_off, 4, to - (DIFFER_CODE_AT + i->len));
	} else if (i->base < 16 && i->base == i->index && !is_vsib(i)) {
		s->reg[i->base] = (to - (uint64_t) (int64_t) i->disp) / ((1u << i->scale) + 1);
	} else if (i->base < 16) {
		s->reg[i->base] = to - (uint64_t) (int64_t) i->disp - (index << i->scale);
	} else if (i->index < 16 && !is_vsib(i)) {
		s->reg[i->index] = (to - (uint64_t) (int64_t) i->disp) >> i->scale;
	} else if (i->disp_size == 4) {
		patch(k, i->disp_off, 4, to);
	}
}

/* Jumps stay among the breakpoints, repetitions and bit offsets stay small. */
static void tame(uint64_t *seed, const struct insn *i, struct differ_case *k)
{
	bool map0 = i->enc == ENC_LEGACY && i->map == MAP_1BYTE, map1 = i->enc == ENC_LEGACY && i->map == MAP_0F;
	bool near = (map0 && (i->opcode == 0xE8 || i->opcode == 0xE9)) || (map1 && (i->opcode & 0xF0) == 0x80);
	bool jump = map0 && ((i->opcode & 0xF0) == 0x70 || (i->opcode & 0xFC) == 0xE0 || i->opcode == 0xEB);
	bool bit = map1 && (i->opcode & 0xE7) == 0xA3;

	if (jump || near) {
		int64_t by = (int64_t) random_below(seed, jump ? 0x70 : 0x380);

		patch(k, i->imm_off, i->imm_size, (uint64_t) (chance(seed, 50) ? by : -16 - by));
	}
	if (map0 && i->opcode == 0xFF && !i->is_mem)
		k->state.reg[i->rm & 15] = jump_target(seed);
	if (map0 && i->opcode == 0xD7)
		k->state.reg[REG_RBX] = target(seed);
	if (map0 && (i->opcode & 0xFE) == 0xC2)
		put_data(k, k->state.reg[REG_RSP], jump_target(seed));
	if (i->map == MAP_0F && i->opcode == 0xF7)
		k->state.reg[REG_RDI] = target(seed); /* MASKMOVQ, MASKMOVDQU */
	if (bit && i->is_mem)
		k->state.reg[i->reg & 15] = (random_below(seed, 0x400) - (uint64_t) 0x200) & (is_atomic(i) ? 15 : ~0ull);
	if (i->rep || (map0 && (i->opcode & 0xFC) == 0xE0))
		k->state.reg[REG_RCX] = random_below(seed, 6);
}

bool place_case(uint64_t *seed, const struct insn *i, struct differ_case *k)
{
	if (is_atomic(i) && i->is_mem && i->index < 16 && (i->base == i->index || i->base >= 16))
		return false; /* no register makes its address a round one */
	if (is_xsave(i) && (i->base == REG_RAX || i->base == REG_RDX || i->index == REG_RAX || i->index == REG_RDX))
		return false; /* these name the components */
	tame(seed, i, k);
	if (is_xsave(i))
		prepare_xsave(seed, k);
	if (i->is_mem)
		place_operand(seed, i, k);
	return true;
}

// SPDX-License-Identifier: MIT
/*
 * Bytes of instructions of the vector table.
 */
#include <string.h>

#include "vmm/accel/soft/differ/generate.h"
#include "vmm/accel/soft/differ/random.h"
#include "vmm/accel/soft/simd/table.h"

/** struct encoding - the fields of an instruction */
struct encoding {
	const struct simd_row *row;
	bool mem;
	unsigned reg, vvvv, rm, base, index; /* register numbers; index 32: none */
	unsigned l, aaa, z, b, w;
	uint64_t *seed;
};

static unsigned pick_register(struct encoding *e, unsigned op)
{
	unsigned max = e->row->enc == SIMD_EVEX ? 32 : 16;

	switch (op & OP_KIND) {
	case OP_NO:
		return 0;
	case OP_X:
		return random_below(e->seed, max);
	case OP_G:
		return random_below(e->seed, 16);
	default:
		return random_below(e->seed, 8);
	}
}

static unsigned pick_length(struct encoding *e)
{
	unsigned l = e->row->l;

	if (l == L_IG)
		return random_below(e->seed, e->row->enc == SIMD_EVEX ? 3 : 2);
	do
		e->l = random_below(e->seed, 3);
	while (!(l >> e->l & 1));
	return e->l;
}

static void pick(struct encoding *e)
{
	const struct simd_row *row = e->row;

	e->mem = row->mod == MOD_RM ? chance(e->seed, 50) : row->mod == MOD_M;
	e->reg = row->ext != EXT_ANY ? row->ext : pick_register(e, row->reg);
	e->vvvv = pick_register(e, row->vvvv);
	e->rm = pick_register(e, row->rm);
	e->base = random_below(e->seed, 16);
	e->index = chance(e->seed, 50) ? 32 : random_below(e->seed, 16);
	e->w = row->w == W_X ? random_below(e->seed, 2) : row->w;
	e->l = pick_length(e);
	if (row->how == HOW_GATHER || row->how == HOW_SCATTER)
		e->index = random_below(e->seed, row->enc == SIMD_EVEX ? 32 : 16);
	if (row->flags & R_NEEDK || (row->flags & R_MASK && chance(e->seed, 60)))
		e->aaa = 1 + random_below(e->seed, 7);
	if (row->flags & R_ZERO && e->aaa && !(e->mem && row->rm & OP_WRITE))
		e->z = random_below(e->seed, 2);
	if (e->mem ? row->flags & R_BCST : row->flags & (R_ER | R_SAE) && (row->l == L_IG || row->l & L_2))
		e->b = chance(e->seed, 30);
	if (e->b && !e->mem)
		e->l = random_below(e->seed, 4);
}

static unsigned put_prefix(const struct encoding *e, uint8_t *to)
{
	static const uint8_t mandatory[] = { 0, 0x66, 0xF3, 0xF2 };
	unsigned n = 0, r = e->reg >> 3 & 1, r4 = e->reg >> 4 & 1;
	unsigned x = e->mem ? (e->index < 32 ? e->index >> 3 & 1 : 0) : e->rm >> 4 & 1;
	unsigned b = (e->mem ? e->base : e->rm) >> 3 & 1, v4 = e->vvvv >> 4 & 1;
	const struct simd_row *row = e->row;
	bool vsib = row->how == HOW_GATHER || row->how == HOW_SCATTER;

	if (row->enc == SIMD_SSE) {
		if (row->pp)
			to[n++] = mandatory[row->pp];
		if (e->w || r || x || b)
			to[n++] = (uint8_t) (0x40 | e->w << 3 | r << 2 | (e->mem ? x << 1 : 0) | b);
		to[n++] = 0x0F;
		if (row->map != SIMD_MAP_0F)
			to[n++] = row->map == SIMD_MAP_0F38 ? 0x38 : 0x3A;
	} else if (row->enc == SIMD_VEX) {
		to[n++] = 0xC4;
		to[n++] = (uint8_t) ((r ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | row->map);
		to[n++] = (uint8_t) (e->w << 7 | (~e->vvvv & 15) << 3 | (e->l & 1) << 2 | row->pp);
	} else {
		if (vsib)
			v4 = e->index >> 4 & 1;
		to[n++] = 0x62;
		to[n++] = (uint8_t) ((r ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | (r4 ^ 1) << 4 | row->map);
		to[n++] = (uint8_t) (e->w << 7 | (~e->vvvv & 15) << 3 | 4 | row->pp);
		to[n++] = (uint8_t) (e->z << 7 | e->l << 5 | e->b << 4 | (v4 ^ 1) << 3 | e->aaa);
	}
	return n;
}

static unsigned put_modrm(const struct encoding *e, uint8_t *to)
{
	unsigned n = 0, mod = random_below(e->seed, 3), reg = (e->reg & 7) << 3, disp;
	uint64_t bytes = random_next(e->seed);

	if (!e->mem) {
		to[0] = (uint8_t) (0xC0 | reg | (e->rm & 7));
		return 1;
	}
	if (e->index < 32 || (e->base & 7) == 4) { /* SIB */
		unsigned index = e->index < 32 ? e->index & 7 : 4;

		to[n++] = (uint8_t) (mod << 6 | reg | 4);
		to[n++] = (uint8_t) (random_below(e->seed, 4) << 6 | index << 3 | (e->base & 7));
	} else {
		to[n++] = (uint8_t) (mod << 6 | reg | (e->base & 7));
	}
	disp = mod == 1 ? 1 : mod == 2 || (e->base & 7) == 5 ? 4 : 0;
	memcpy(to + n, &bytes, disp);
	return n + disp;
}

unsigned encode_row(unsigned row, uint64_t *seed, uint8_t *ret)
{
	struct encoding e = { .row = &simd_rows[row], .seed = seed };
	bool imm = e.row->imms != 0 || e.row->flags & R_IS4 || (e.row->how == HOW_BMI && e.row->map == SIMD_MAP_0F3A);
	unsigned n;

	pick(&e);
	n = put_prefix(&e, ret);
	ret[n++] = e.row->opcode;
	if (e.row->how == HOW_ZERO)
		return n;
	n += put_modrm(&e, ret + n);
	if (imm)
		ret[n++] = (uint8_t) random_next(seed);
	return n;
}

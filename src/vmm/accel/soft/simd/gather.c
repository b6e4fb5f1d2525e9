// SPDX-License-Identifier: MIT
/*
 * Gather and scatter: one access per lane, in order; a lane that is done is no longer in the mask when
 * a later one faults.
 */
#include "vmm/accel/soft/simd/regs.h"
#include "vmm/accel/soft/simd/vec.h"

/**
 * struct gather - a gather or scatter under way
 * @lanes: how many; @lane: bytes of each; @index_size: bytes of an index
 */
struct gather {
	const struct simd_row *row;
	unsigned lanes, lane, index_size;
	uint8_t index[64];
};

static uint64_t address(struct cpu *c, const struct insn *i, const struct gather *g, unsigned n, unsigned access)
{
	int64_t index;
	uint64_t a;

	if (g->index_size == 4) {
		int32_t low;

		memcpy(&low, g->index + n * 4, 4);
		index = low;
	} else {
		memcpy(&index, g->index + n * 8, 8);
	}
	a = c->reg[i->base] + ((uint64_t) index << i->scale) + (uint64_t) (int64_t) i->disp;
	if (i->addr_size < 8)
		a = (uint32_t) a;
	return mem_linear(c, i->seg, a, g->lane, access);
}

static void begin(struct cpu *c, const struct insn *i, struct gather *g)
{
	unsigned size = 16u << i->vl;

	g->row = &simd_rows[i->imm2];
	vec_check(c, g->row);
	g->lane = g->row->lane;
	g->index_size = i->opcode & 1 ? 8 : 4;
	g->lanes = size / (g->index_size > g->lane ? g->index_size : g->lane);
	vec_get(c, i->index, 64, g->index);
}

/* AVX2: the mask is the sign of each lane of a vector register. */
static void gather_vex(struct cpu *c, const struct insn *i, struct gather *g)
{
	uint8_t data[64] = { 0 }, mask[64] = { 0 };
	unsigned bytes = g->lanes * g->lane, size = 16u << i->vl;

	if (i->reg == i->index || i->reg == i->vvvv || i->vvvv == i->index)
		cpu_raise(c, EXC_UD);
	vec_get(c, i->reg, 32, data);
	vec_get(c, i->vvvv, size, mask);
	for (unsigned n = 0; n < size / g->lane; n++)
		memset(mask + n * g->lane, mask[n * g->lane + g->lane - 1] & 0x80 ? 0xFF : 0, g->lane);
	vec_set(c, i->vvvv, 32, mask);
	for (unsigned n = 0; n < g->lanes; n++) {
		uint8_t *flag = mask + n * g->lane;

		if (flag[g->lane - 1] & 0x80) {
			cpu_read(c, address(c, i, g, n, MEM_READ), data + n * g->lane, g->lane);
			memset(flag, 0, g->lane);
			vec_set(c, i->reg, size, data);
			vec_set(c, i->vvvv, 32, mask);
		}
	}
	memset(mask, 0, sizeof(mask));
	memset(data + bytes, 0, sizeof(data) - bytes);
	vec_set(c, i->reg, 32, data);
	vec_set(c, i->vvvv, 32, mask);
}

static void gather_evex(struct cpu *c, const struct insn *i, struct gather *g, bool out)
{
	uint8_t data[64];
	unsigned bytes = g->lanes * g->lane;

	if (!out && i->reg == i->index)
		cpu_raise(c, EXC_UD);
	vec_get(c, i->reg, 64, data);
	for (unsigned n = 0; n < g->lanes; n++) {
		uint64_t mask = k_get(c, i->mask);

		if (mask >> n & 1) {
			if (out) {
				cpu_write(c, address(c, i, g, n, MEM_WRITE), data + n * g->lane, g->lane);
			} else {
				cpu_read(c, address(c, i, g, n, MEM_READ), data + n * g->lane, g->lane);
				vec_set(c, i->reg, 16u << i->vl, data);
			}
			k_set(c, i->mask, mask & ~(1ull << n));
		}
	}
	memset(data + bytes, 0, sizeof(data) - bytes);
	if (!out)
		vec_set(c, i->reg, 64, data);
	k_set(c, i->mask, 0);
}

void vec_gather_exec(struct cpu *c, const struct insn *i)
{
	struct gather g;

	begin(c, i, &g);
	if (g.row->enc == SIMD_VEX)
		gather_vex(c, i, &g);
	else
		gather_evex(c, i, &g, g.row->how == HOW_SCATTER);
}

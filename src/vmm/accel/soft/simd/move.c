// SPDX-License-Identifier: MIT
/*
 * Rows that copy: no cell is needed, or none can be, because memory is touched in a way of its own.
 */
#include "vmm/accel/soft/simd/mmx.h"
#include "vmm/accel/soft/simd/regs.h"
#include "vmm/accel/soft/simd/vec.h"

/* Register slot to register slot, or memory in slot 2; what a vector register gets beyond it is 0. */
static void move(struct vec *v)
{
	bool out = v->row->rm & OP_WRITE;
	unsigned to = out ? 2 : 0, from = out ? 0 : 2;
	unsigned size = v->mem;
	uint8_t old[64];

	v->r.g[to] = v->r.g[from];
	v->r.k[to] = v->r.k[from];
	v->r.m[to] = v->r.m[from];
	if ((v->row->reg & OP_KIND) != OP_X)
		return;
	memcpy(old, v->r.v[to], 64);
	memset(v->r.v[to], 0, 64);
	memcpy(v->r.v[to], v->r.v[from], size);
	if (v->i->mask) {
		uint8_t src[64];

		memcpy(src, v->r.v[to], 64);
		memcpy(v->r.v[to], old, size);
		lanes_merge(v->r.v[to], src, size, v->row->lane, v->mask, v->i->evex_z);
	}
}

/* MOVLPS, MOVHPS and the same with three operands: half of a register from or to memory. */
static void half(struct vec *v, unsigned at)
{
	if (v->row->rm & OP_WRITE) {
		memcpy(v->r.v[2], v->r.v[0] + at, 8);
		return;
	}
	if (v->row->vvvv != OP_NO)
		memcpy(v->r.v[0], v->r.v[1], 16);
	memset(v->r.v[0] + 16, 0, 48);
	memcpy(v->r.v[0] + at, v->r.v[2], 8);
}

static void spread(struct vec *v)
{
	unsigned size = 16u << v->l;
	uint8_t src[64];

	for (unsigned at = 0; at < size; at += v->mem)
		memcpy(src + at, v->r.v[2], v->mem);
	memset(v->r.v[0] + size, 0, 64 - size);
	if (v->i->mask)
		lanes_merge(v->r.v[0], src, size, v->row->lane, v->mask, v->i->evex_z);
	else
		memcpy(v->r.v[0], src, size);
}

void vec_move(struct vec *v)
{
	switch (v->row->how) {
	case HOW_LOW:
		half(v, 0);
		break;
	case HOW_HIGH:
		half(v, 8);
		break;
	case HOW_SPREAD:
		spread(v);
		break;
	default:
		move(v);
		break;
	}
}

/* One bit per lane of the vector: its sign. */
static uint64_t signs(const uint8_t *vector, unsigned size, unsigned lane)
{
	uint64_t mask = 0;

	for (unsigned n = 0; n < size / lane; n++)
		mask |= (uint64_t) (vector[n * lane + lane - 1] >> 7) << n;
	return mask;
}

void vec_maskmov_exec(struct cpu *c, const struct insn *i)
{
	const struct simd_row *row = &simd_rows[i->imm2];
	unsigned size = 16u << i->vl;
	uint8_t data[32] = { 0 }, selector[32];
	uint64_t mask, lin;

	vec_check(c, row);
	vec_get(c, i->vvvv, 32, selector);
	mask = signs(selector, size, row->lane);
	if (row->rm & OP_WRITE) {
		vec_get(c, i->reg, 32, data);
		lin = mem_operand(c, i, size, MEM_WRITE);
		lanes_write(c, lin, data, size, row->lane, mask);
	} else {
		lin = mem_operand(c, i, size, MEM_READ);
		lanes_read(c, lin, data, size, row->lane, mask);
		vec_set(c, i->reg, 32, data);
	}
}

void vec_maskmovdqu_exec(struct cpu *c, const struct insn *i)
{
	const struct simd_row *row = &simd_rows[i->imm2];
	bool mmx = (row->rm & OP_KIND) == OP_M;
	uint8_t data[16] = { 0 }, selector[16] = { 0 };
	unsigned size = mmx ? 8 : 16;
	uint64_t a = c->reg[REG_RDI], value;

	vec_check(c, row);
	if (mmx) {
		mmx_check(c);
		value = mmx_get(c, i->reg & 7);
		memcpy(data, &value, 8);
		value = mmx_get(c, i->rm & 7);
		memcpy(selector, &value, 8);
	} else {
		vec_get(c, i->reg, 16, data);
		vec_get(c, i->rm, 16, selector);
	}
	a = i->addr_size == 8 ? a : i->addr_size == 4 ? (uint32_t) a : (uint16_t) a;
	a = mem_linear(c, i->seg, a, size, MEM_WRITE);
	if (mmx)
		mmx_enter(c); /* even if the access fails */
	cpu_check_write(c, a, size); /* even if nothing is written */
	lanes_write(c, a, data, size, 1, signs(selector, size, 1));
}

static unsigned popcount(uint64_t mask, unsigned lanes)
{
	return (unsigned) __builtin_popcountll(lanes < 64 ? mask & ((1ull << lanes) - 1) : mask);
}

/* Memory holds the lanes that the mask names without gaps. */
void vec_pack_exec(struct cpu *c, const struct insn *i)
{
	const struct simd_row *row = &simd_rows[i->imm2];
	unsigned lane = row->lane, size = 16u << i->vl, at = 0, bytes;
	uint8_t vector[64], memory[64];
	uint64_t mask, lin;
	bool out = row->rm & OP_WRITE;

	vec_check(c, row);
	mask = i->mask ? k_get(c, i->mask) : UINT64_MAX;
	bytes = popcount(mask, size / lane) * lane;
	lin = mem_operand(c, i, bytes, out ? MEM_WRITE : MEM_READ);
	vec_get(c, i->reg, 64, vector);
	if (!out && bytes != 0)
		cpu_read(c, lin, memory, bytes);
	for (unsigned n = 0; n < size / lane; n++) {
		if (mask >> n & 1) {
			memcpy(out ? memory + at : vector + n * lane, out ? vector + n * lane : memory + at, lane);
			at += lane;
		} else if (!out && i->evex_z) {
			memset(vector + n * lane, 0, lane);
		}
	}
	if (!out)
		vec_set(c, i->reg, size, vector);
	else if (bytes != 0)
		cpu_write(c, lin, memory, bytes);
}

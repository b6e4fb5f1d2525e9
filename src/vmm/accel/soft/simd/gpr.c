// SPDX-License-Identifier: MIT
/*
 * Instructions on general registers that share encodings with vector instructions: BMI1, BMI2, CRC32.
 */
#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/simd/vec.h"

static unsigned size_of(const struct insn *i)
{
	return i->prefix & PFX_REX_W ? 8 : 4;
}

static uint64_t sign_bit(unsigned size)
{
	return 1ull << (size * 8 - 1);
}

/* SF, ZF of @v, and CF; the others, of which some are undefined, become 0. */
static void set_flags(struct cpu *c, unsigned size, uint64_t v, bool carry)
{
	uint64_t low = size == 8 ? v : (uint32_t) v;

	c->status = (carry ? FL_CF : 0) | (low == 0 ? FL_ZF : 0) | (low & sign_bit(size) ? FL_SF : 0);
}

static uint64_t begin(struct cpu *c, const struct insn *i)
{
	vec_check(c, &simd_rows[i->imm2]);
	return rm_read(c, i, size_of(i));
}

static void andn_exec(struct cpu *c, const struct insn *i)
{
	uint64_t v = begin(c, i);

	v &= ~reg_get(c, i->vvvv, size_of(i));
	reg_set(c, i->reg, size_of(i), v);
	set_flags(c, size_of(i), v, false);
}

/* BLSR, BLSMSK, BLSI: the lowest bit that is set */
static void bls_exec(struct cpu *c, const struct insn *i)
{
	uint64_t s = begin(c, i), v;

	switch (i->modrm >> 3 & 7) {
	case 1:
		v = s & (s - 1);
		break;
	case 2:
		v = s ^ (s - 1);
		break;
	default:
		v = s & -s;
		break;
	}
	reg_set(c, i->vvvv, size_of(i), v);
	set_flags(c, size_of(i), v, ((i->modrm >> 3 & 7) == 3) == (s != 0));
}

static void bextr_exec(struct cpu *c, const struct insn *i)
{
	uint64_t v = begin(c, i), control = reg_get(c, i->vvvv, size_of(i));
	unsigned start = control & 0xFF, len = control >> 8 & 0xFF;

	v = start < 64 ? v >> start : 0;
	if (len < 64)
		v &= (1ull << len) - 1;
	reg_set(c, i->reg, size_of(i), v);
	set_flags(c, size_of(i), v, false);
	c->status &= ~FL_SF;
}

static void bzhi_exec(struct cpu *c, const struct insn *i)
{
	uint64_t v = begin(c, i);
	unsigned n = reg_get(c, i->vvvv, size_of(i)) & 0xFF;
	bool beyond = n >= size_of(i) * 8;

	if (!beyond)
		v &= (1ull << n) - 1;
	reg_set(c, i->reg, size_of(i), v);
	set_flags(c, size_of(i), v, beyond);
}

static void pdep_exec(struct cpu *c, const struct insn *i)
{
	uint64_t mask = begin(c, i), from = reg_get(c, i->vvvv, size_of(i)), v = 0;

	for (; mask != 0; mask &= mask - 1, from >>= 1)
		if (from & 1)
			v |= mask & -mask;
	reg_set(c, i->reg, size_of(i), v);
}

static void pext_exec(struct cpu *c, const struct insn *i)
{
	uint64_t mask = begin(c, i), from = reg_get(c, i->vvvv, size_of(i)), v = 0;

	for (unsigned n = 0; mask != 0; mask &= mask - 1, n++)
		if (from & mask & -mask)
			v |= 1ull << n;
	reg_set(c, i->reg, size_of(i), v);
}

static void mulx_exec(struct cpu *c, const struct insn *i)
{
	unsigned size = size_of(i);
	unsigned __int128 v = (unsigned __int128) begin(c, i) * reg_get(c, REG_RDX, size);

	reg_set(c, i->vvvv, size, (uint64_t) v);
	reg_set(c, i->reg, size, (uint64_t) (v >> size * 8));
}

static void rorx_exec(struct cpu *c, const struct insn *i)
{
	unsigned bits = size_of(i) * 8, n = (unsigned) i->imm & (bits - 1);
	uint64_t v = begin(c, i);

	if (n != 0)
		v = v >> n | v << (bits - n);
	reg_set(c, i->reg, size_of(i), v);
}

/* SHLX, SARX, SHRX by the mandatory prefix */
static void shift_exec(struct cpu *c, const struct insn *i)
{
	unsigned bits = size_of(i) * 8, n;
	uint64_t v = begin(c, i);

	n = reg_get(c, i->vvvv, size_of(i)) & (bits - 1);
	if (i->pp == PP_66)
		v <<= n;
	else if (i->pp == PP_F2)
		v >>= n;
	else
		v = (uint64_t) ((bits == 64 ? (int64_t) v : (int32_t) v) >> n);
	reg_set(c, i->reg, size_of(i), v);
}

static uint32_t crc32c(uint32_t crc, uint64_t data, unsigned size)
{
	for (unsigned n = 0; n < size * 8; n++) {
		bool odd = (crc ^ data) & 1;

		crc = crc >> 1 ^ (odd ? 0x82F63B78 : 0);
		data >>= 1;
	}
	return crc;
}

static void crc32_exec(struct cpu *c, const struct insn *i)
{
	bool byte = i->opcode == 0xF0;
	unsigned size = byte ? 1 : i->size;
	uint64_t data;

	if (i->is_mem)
		data = mem_read_n(c, mem_operand(c, i, size, MEM_READ), size);
	else if (byte && !(i->prefix & PFX_REX) && i->rm >= 4) /* AH, CH, DH, BH */
		data = c->reg[i->rm - 4] >> 8;
	else
		data = c->reg[i->rm & 15];
	c->reg[i->reg & 15] = crc32c((uint32_t) c->reg[i->reg & 15], data, size);
}

cpu_exec_fn *gpr_bind(const struct insn *i, const struct simd_row *row)
{
	if (row->how == HOW_CRC32)
		return crc32_exec;
	if (row->map == SIMD_MAP_0F3A)
		return rorx_exec;
	switch (row->opcode << 4 | row->pp) {
	case 0xF2 << 4 | PP_NP:
		return andn_exec;
	case 0xF3 << 4 | PP_NP:
		return bls_exec;
	case 0xF5 << 4 | PP_NP:
		return bzhi_exec;
	case 0xF5 << 4 | PP_F3:
		return pext_exec;
	case 0xF5 << 4 | PP_F2:
		return pdep_exec;
	case 0xF6 << 4 | PP_F2:
		return mulx_exec;
	case 0xF7 << 4 | PP_NP:
		return bextr_exec;
	default:
		return i->opcode == 0xF7 ? shift_exec : NULL;
	}
}

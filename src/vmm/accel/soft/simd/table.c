// SPDX-License-Identifier: MIT
#include "vmm/accel/soft/simd/table.h"

#define ROW(name_, enc_, pp_, map_, op_, ext_, mod_, w_, l_, reg_, vvvv_, rm_, mem_, lane_, imms_, how_, feature_, \
	    flags_)                                                                                         \
	{ .name = #name_, .imms = imms_, .flags = flags_, .enc = SIMD_##enc_, .pp = PP_##pp_,               \
	  .map = SIMD_MAP_##map_, .opcode = op_, .ext = EXT_##ext_, .mod = MOD_##mod_, .w = W_##w_,         \
	  .l = L_##l_, .reg = OP_##reg_, .vvvv = OP_##vvvv_, .rm = OP_##rm_, .mem = MEM_##mem_,             \
	  .lane = lane_, .how = HOW_##how_, .feature = FEAT_##feature_ },

const struct simd_row simd_rows[] = {
#include "vmm/accel/soft/simd/rows.inc"
};

const unsigned simd_rows_nr = sizeof(simd_rows) / sizeof(simd_rows[0]);

static unsigned key_of(unsigned enc, unsigned map, unsigned opcode, unsigned pp)
{
	return enc << 16 | map << 12 | opcode << 4 | pp;
}

/* The first row whose key is not below @key. */
static unsigned lower_bound(unsigned key)
{
	unsigned lo = 0, hi = simd_rows_nr;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		const struct simd_row *r = &simd_rows[mid];

		if (key_of(r->enc, r->map, r->opcode, r->pp) < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

unsigned simd_row_length(const struct simd_row *row, const struct insn *i)
{
	if (row->l == L_IG || row->enc == SIMD_SSE)
		return 0;
	if (row->enc == SIMD_EVEX && i->evex_b && !i->is_mem)
		return 2;
	return i->vl;
}

unsigned simd_row_mem(const struct simd_row *row, const struct insn *i)
{
	unsigned vl = simd_row_length(row, i);

	if (row->mem == MEM_DUP)
		return vl == 0 ? 8 : 16u << vl;
	return row->mem & 0x80 ? (16u << vl) >> (row->mem & 7) : row->mem;
}

static bool evex_matches(const struct simd_row *r, const struct insn *i)
{
	bool writes_memory = i->is_mem && r->rm & OP_WRITE;

	if (i->evex_z && (!i->mask || !(r->flags & R_ZERO) || writes_memory))
		return false;
	if (r->flags & R_DISTINCT && (i->reg == i->vvvv || (!i->is_mem && i->reg == i->rm)))
		return false;
	if (i->mask ? !(r->flags & R_MASK) : r->flags & R_NEEDK)
		return false;
	if (i->evex_b && i->is_mem)
		return r->flags & R_BCST && (r->l >> i->vl & 1);
	if (i->evex_b)
		return r->flags & (R_ER | R_SAE) && (r->l == L_IG || r->l & L_2);
	return i->vl < 3 && (r->l == L_IG || (r->l >> i->vl & 1));
}

/* Registers that an operand of kind @op may be */
static bool operand_ok(unsigned op, unsigned reg)
{
	switch (op & OP_KIND) {
	case OP_NO:
		return reg == 0;
	case OP_K:
		return reg < 8;
	case OP_G:
		return reg < 16;
	default:
		return true;
	}
}

static bool matches(const struct simd_row *r, const struct insn *i)
{
	unsigned ext = i->modrm >> 3 & 7, vvvv = i->vvvv;

	if (r->how == HOW_GATHER || r->how == HOW_SCATTER) {
		vvvv &= 15; /* EVEX.V' is part of the index */
		if ((i->modrm & 7) != 4)
			return false; /* without SIB there is no index */
	}

	if (!(r->mod & (i->is_mem ? MOD_M : MOD_R)) || (r->ext != EXT_ANY && r->ext != ext))
		return false;
	if (r->w != W_X && r->w != (i->prefix & PFX_REX_W ? W_1 : W_0))
		return false;
	if (r->enc == SIMD_SSE)
		return true;
	if (!operand_ok(r->vvvv, vvvv) || (r->ext == EXT_ANY && !operand_ok(r->reg, i->reg)))
		return false;
	if (r->enc == SIMD_VEX)
		return r->l == L_IG || (r->l >> i->vl & 1);
	return evex_matches(r, i);
}

const struct simd_row *simd_row_find(const struct insn *i)
{
	unsigned enc = i->enc == ENC_LEGACY ? SIMD_SSE : i->enc == ENC_VEX ? SIMD_VEX : SIMD_EVEX;
	unsigned key = key_of(enc, i->map, i->opcode, i->pp);

	if (i->prefix & PFX_LOCK)
		return NULL;
	for (unsigned n = lower_bound(key); n < simd_rows_nr; n++) {
		const struct simd_row *r = &simd_rows[n];

		if (key_of(r->enc, r->map, r->opcode, r->pp) != key)
			break;
		if (matches(r, i))
			return r;
	}
	return NULL;
}

// SPDX-License-Identifier: MIT
/**
 * DOC: instructions that the host executes for the guest
 *
 * The operands are collected from the guest's registers and memory, a cell (cells.S) of the same
 * instruction with fixed registers runs on them, and the results go back.  Memory operands become
 * registers, so that their faults happen here; the host's own faults (#XM) end the cell.
 */
#include "vmm/accel/soft/simd/vec.h"

#include "vmm/accel/soft/simd/mmx.h"
#include "vmm/accel/soft/simd/regs.h"
#include "vmm/accel/soft/simd/x87.h"

static bool has_kind(const struct simd_row *row, unsigned kind)
{
	return (row->reg & OP_KIND) == kind || (row->rm & OP_KIND) == kind;
}

void vec_check(struct cpu *c, const struct simd_row *row)
{
	uint64_t need = XCR0_SSE | XCR0_AVX;

	if (row->enc == SIMD_SSE) {
		if (!has_kind(row, OP_X) && !has_kind(row, OP_M))
			return;
		if (c->cr0 & CR0_EM || (has_kind(row, OP_X) && !(c->cr4 & CR4_OSFXSR)))
			cpu_raise(c, EXC_UD);
	} else {
		if (cpu_is_real(c) || cpu_is_v86(c))
			cpu_raise(c, EXC_UD);
		if (row->how == HOW_BMI)
			return;
		if (row->enc == SIMD_EVEX || has_kind(row, OP_K))
			need |= XCR0_AVX512;
		if (!(c->cr4 & CR4_OSXSAVE) || (c->xcr0 & need) != need)
			cpu_raise(c, EXC_UD);
	}
	if (c->cr0 & CR0_TS)
		cpu_raise(c, EXC_NM);
}

/* Is an MMX register an operand? */
static bool uses_mmx(const struct simd_row *row, const struct insn *i)
{
	return (row->reg & OP_KIND) == OP_M || ((row->rm & OP_KIND) == OP_M && !i->is_mem);
}

static unsigned vector_bytes(const struct simd_row *row)
{
	return 16u << row->enc; /* SSE, VEX, EVEX */
}

static void load_register(struct vec *v, unsigned op, unsigned n, unsigned slot)
{
	switch (op & OP_KIND) {
	case OP_X:
		vec_get(v->c, n, vector_bytes(v->row), v->r.v[slot]);
		break;
	case OP_G:
		v->r.g[slot] = v->c->reg[n & 15];
		break;
	case OP_K:
		v->r.k[slot] = k_get(v->c, n & 7);
		break;
	case OP_M:
		v->r.m[slot] = mmx_get(v->c, n & 7);
		break;
	}
}

/* The lanes of memory that are needed: those of the vector, folded if memory is repeated. */
static uint64_t lanes_needed(const struct vec *v)
{
	unsigned lanes = (16u << v->l) / v->row->lane, n = v->mem / v->row->lane;
	uint64_t mask = 0;

	if (!(v->row->flags & R_SPLAT))
		return v->mask;
	for (unsigned at = 0; at < lanes; at += n)
		mask |= v->mask >> at;
	return mask;
}

static void load_broadcast(struct vec *v)
{
	unsigned lane = v->row->lane, lanes = v->mem / lane;

	memset(v->r.v[2], 0, 64);
	if (!(v->row->flags & R_WHOLE) && (lanes < 64 ? v->mask & ((1ull << lanes) - 1) : v->mask) == 0)
		return;
	cpu_read(v->c, v->lin, v->r.v[2], lane);
	for (unsigned n = 1; n < 64 / lane; n++)
		memcpy(v->r.v[2] + n * lane, v->r.v[2], lane);
}

static void load_memory(struct vec *v)
{
	const struct simd_row *row = v->row;
	uint64_t small = 0;

	if ((row->rm & OP_KIND) == OP_X && v->mem > 8) {
		if (v->mem < 64)
			memset(v->r.v[2] + v->mem, 0, 64 - v->mem);
	} else {
		memset(v->r.v[2], 0, 64);
	}
	if (v->i->evex_b) {
		load_broadcast(v);
	} else if (row->how == HOW_INSERT) {
		cpu_read(v->c, v->lin, v->r.v[2], v->mem);
		for (unsigned at = 4; at < 16; at += 4)
			memcpy(v->r.v[2] + at, v->r.v[2], 4);
	} else if ((row->rm & OP_KIND) == OP_X) {
		if (v->i->mask && !(row->flags & R_WHOLE))
			lanes_read(v->c, v->lin, v->r.v[2], v->mem, row->lane, lanes_needed(v));
		else
			cpu_read(v->c, v->lin, v->r.v[2], v->mem);
	} else {
		cpu_read(v->c, v->lin, &small, v->mem);
		v->r.g[2] = v->r.k[2] = v->r.m[2] = small;
	}
}

/* Without a lane in the mask there is no access. */
static bool needs_memory(const struct vec *v)
{
	unsigned lanes = v->row->lane != 0 ? v->mem / v->row->lane : 64;

	return !v->i->mask || v->row->flags & R_WHOLE || v->mask << (64 - lanes) != 0;
}

static void locate(struct vec *v)
{
	unsigned access = v->row->rm & OP_WRITE ? MEM_WRITE : MEM_READ;
	unsigned size = v->i->evex_b ? v->row->lane : v->mem;

	v->lin = mem_operand(v->c, v->i, size, access);
	if (v->row->flags & R_ALIGN && v->lin & (v->mem - 1) && needs_memory(v))
		cpu_raise_code(v->c, EXC_GP, 0);
}

static void load(struct vec *v)
{
	const struct simd_row *row = v->row;
	const struct insn *i = v->i;
	unsigned reg_slot = row->flags & R_XMM0 ? 3 : 0;

	if (row->ext == EXT_ANY)
		load_register(v, row->reg, i->reg, reg_slot);
	if (row->flags & R_XMM0)
		vec_get(v->c, 0, 16, v->r.v[0]);
	if (row->flags & R_IS4)
		vec_get(v->c, (i->imm >> 4) & (v->c->mode == CPU_MODE_64 ? 15 : 7), 32, v->r.v[3]);
	load_register(v, row->vvvv, i->vvvv, 1);
	v->mask = i->mask ? k_get(v->c, i->mask) : UINT64_MAX;
	v->r.k[3] = v->mask;
	if (!i->is_mem) {
		load_register(v, row->rm, i->rm, 2);
		return;
	}
	locate(v);
	if (!(row->rm & OP_WRITE))
		load_memory(v);
	else
		memset(v->r.v[2], 0, 64);
}

static const void *cell_of(const struct vec *v)
{
	const struct simd_row *row = v->row;
	unsigned lengths = 0, n, zeroing = (row->flags & (R_KEEP | R_ZERO)) == (R_KEEP | R_ZERO);

	for (unsigned l = 0; l < v->l && row->l != L_IG; l++)
		lengths += row->l >> l & 1;
	n = lengths;
	if (zeroing)
		n = n * 2 + v->i->evex_z;
	if (row->imms != 0)
		n = n * row->imms + ((unsigned) v->i->imm & (row->imms - 1u));
	return simd_cells + simd_cell_at[row - simd_rows] + (size_t) n * 8;
}

static simd_call_fn *call_of(const struct simd_row *row)
{
	if (row->enc == SIMD_EVEX || has_kind(row, OP_K))
		return simd_call_avx512;
	if (row->enc == SIMD_VEX)
		return simd_call_avx;
	return has_kind(row, OP_M) ? simd_call_mmx : simd_call_sse;
}

/* Run the cell; returns the MXCSR that the guest has then. */
static uint32_t run(struct vec *v)
{
	uint32_t guest = mxcsr_get(v->c);
	bool quiet = v->row->enc == SIMD_EVEX && v->i->evex_b && !v->i->is_mem;

	v->r.mxcsr = guest;
	if (quiet) { /* EVEX.b: no exceptions, and perhaps a rounding mode of its own */
		v->r.mxcsr |= MXCSR_MASKS;
		if (v->row->flags & R_ER)
			v->r.mxcsr = (v->r.mxcsr & ~MXCSR_RC) | (uint32_t) v->i->vl << 13;
	}
	switch (call_of(v->row)(&v->r, cell_of(v))) {
	case SIMD_DONE:
		return quiet ? guest : v->r.mxcsr;
	case SIMD_EXCEPTION:
		mxcsr_set(v->c, v->r.mxcsr);
		if (v->mmx)
			mmx_enter(v->c);
		cpu_raise(v->c, v->c->cr4 & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD);
	default:
		cpu_raise(v->c, EXC_UD);
	}
}

static void store_register(struct vec *v, unsigned op, unsigned n, unsigned slot)
{
	switch (op) {
	case OP_XW:
		if (v->row->enc == SIMD_SSE)
			vec_set_low(v->c, n, v->r.v[slot]);
		else
			vec_set(v->c, n, vector_bytes(v->row), v->r.v[slot]);
		break;
	case OP_GW:
		v->c->reg[n & 15] = v->r.g[slot];
		break;
	case OP_KW:
		k_set(v->c, n & 7, v->r.k[slot]);
		break;
	case OP_MW:
		mmx_set(v->c, n & 7, v->r.m[slot]);
		break;
	}
}

static void store_memory(struct vec *v)
{
	const void *data = v->r.v[2];

	switch (v->row->rm & OP_KIND) {
	case OP_G:
		data = &v->r.g[2];
		break;
	case OP_K:
		data = &v->r.k[2];
		break;
	case OP_M:
		data = &v->r.m[2];
		break;
	}
	if (v->i->mask && v->row->flags & R_WHOLE)
		cpu_check_write(v->c, v->lin, v->mem);
	if (v->i->mask)
		lanes_write(v->c, v->lin, data, v->mem, v->row->lane, v->mask);
	else
		cpu_write(v->c, v->lin, data, v->mem);
}

/* The host changes MXCSR and the top of the x87 stack even if the store fails then. */
static void store(struct vec *v, uint32_t mxcsr)
{
	const struct simd_row *row = v->row;
	const struct insn *i = v->i;

	if (v->mmx && i->is_mem && row->rm & OP_WRITE)
		x87_set_top(v->c, 0);
	mxcsr_set(v->c, mxcsr);
	if (i->is_mem && row->rm & OP_WRITE)
		store_memory(v);
	if (v->mmx)
		mmx_enter(v->c);
	if (row->ext == EXT_ANY)
		store_register(v, row->reg, i->reg, row->flags & R_XMM0 ? 3 : 0);
	store_register(v, row->vvvv, i->vvvv, 1);
	if (!i->is_mem)
		store_register(v, row->rm, i->rm, 2);
	if (row->flags & R_FLAGS)
		v->c->status = v->r.flags & FL_STATUS;
}

static void prepare(struct vec *v, struct cpu *c, const struct insn *i)
{
	v->c = c;
	v->i = i;
	v->row = &simd_rows[i->imm2];
	v->l = simd_row_length(v->row, i);
	v->mem = simd_row_mem(v->row, i);
	vec_check(c, v->row);
	v->mmx = uses_mmx(v->row, i);
	if (v->mmx)
		mmx_check(c);
}

static void cell_exec(struct cpu *c, const struct insn *i)
{
	struct vec v;

	prepare(&v, c, i);
	load(&v);
	if (i->evex_z && !(v.row->flags & R_KEEP)) /* so that what the mask leaves alone is 0 */
		memset(v.row->rm & OP_WRITE ? v.r.v[2] : v.row->vvvv & OP_WRITE ? v.r.v[1] : v.r.v[0], 0, 64);
	store(&v, run(&v));
}

static void move_exec(struct cpu *c, const struct insn *i)
{
	struct vec v;

	prepare(&v, c, i);
	load(&v);
	vec_move(&v);
	store(&v, mxcsr_get(c));
}

/* Lengths in EAX and EDX: what is beyond a vector is the same as a whole one. */
static uint64_t saturate(const struct insn *i, uint64_t v)
{
	int64_t n = i->prefix & PFX_REX_W ? (int64_t) v : (int32_t) v;

	return (uint64_t) (n > 64 ? 64 : n < -64 ? -64 : n);
}

static void string_exec(struct cpu *c, const struct insn *i)
{
	struct vec v;

	prepare(&v, c, i);
	load(&v);
	v.r.g[0] = saturate(i, c->reg[REG_RAX]);
	v.r.g[2] = saturate(i, c->reg[REG_RDX]);
	(void) run(&v);
	if (i->opcode & 1)
		c->reg[REG_RCX] = (uint32_t) v.r.g[1];
	else
		store_register(&v, OP_XW, 0, 0);
	c->status = v.r.flags & FL_STATUS;
}

static void zero_exec(struct cpu *c, const struct insn *i)
{
	unsigned registers = c->mode == CPU_MODE_64 ? 16 : 8;
	uint8_t low[16] = { 0 };

	vec_check(c, &simd_rows[i->imm2]);
	for (unsigned n = 0; n < registers; n++) {
		if (i->vl == 0)
			vec_get(c, n, 16, low);
		vec_set(c, n, 16, low);
	}
}

cpu_exec_fn *vec_bind(const struct insn *i, const struct simd_row *row)
{
	switch (row->how) {
	case HOW_CELL:
	case HOW_INSERT:
		return cell_exec;
	case HOW_STRING:
		return string_exec;
	case HOW_GATHER:
	case HOW_SCATTER:
		return vec_gather_exec;
	case HOW_MASKMOV:
		return vec_maskmov_exec;
	case HOW_MASKMOVDQU:
		return vec_maskmovdqu_exec;
	case HOW_COMPRESS:
	case HOW_EXPAND:
		return vec_pack_exec;
	case HOW_ZERO:
		return zero_exec;
	case HOW_BMI:
	case HOW_CRC32:
		return gpr_bind(i, row);
	default:
		return move_exec;
	}
}

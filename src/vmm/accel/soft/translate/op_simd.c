/* SPDX-License-Identifier: MIT */
/*
 * Floating point and SIMD instructions: the host executes them as they are.
 *
 * How it works: an opcode that is let through here and does not exist raises #UD on the host too, and is then
 * the interpreter's.  What must not be let through is what changes state that the guest does
 * not share with the host (XRSTOR, tiles, PKRU) and memory operands that are not one piece (gathers).
 */
#include "vmm/accel/soft/translate/op.h"

static const struct op interp = { .kind = OP_INTERP };

static struct op access_op(unsigned mem, unsigned size)
{
	return (struct op) { .kind = OP_PLAIN, .mem = (uint8_t) mem, .mem_size = (uint8_t) size };
}

/* Memory operands of x87 by opcode and /digit: size, and 0x80 for a write.  0: left to the interpreter. */
static const uint8_t x87_mem[8][8] = {
	{ 4, 4, 4, 4, 4, 4, 4, 4 },
	{ 4, 0, 0x84, 0x84, 0, 2, 0, 0x82 },
	{ 4, 4, 4, 4, 4, 4, 4, 4 },
	{ 4, 0x84, 0x84, 0x84, 0, 10, 0, 0x8A },
	{ 8, 8, 8, 8, 8, 8, 8, 8 },
	{ 8, 0x88, 0x88, 0x88, 0, 0, 0, 0x82 },
	{ 2, 2, 2, 2, 2, 2, 2, 2 },
	{ 2, 0x82, 0x82, 0x82, 10, 8, 0x8A, 0x88 },
};

static struct op x87(const struct insn *i)
{
	unsigned line = i->opcode & 7, digit = i->modrm >> 3 & 7, mem = x87_mem[line][digit];
	struct op op = access_op(0, 0);

	if (i->is_mem)
		return mem == 0 ? interp : access_op(mem & 0x80 ? ROLE_W : ROLE_R, mem & 0x7F);
	if ((line == 2 || line == 3) && digit < 4) /* FCMOVcc */
		op.use = FL_CF | FL_ZF | FL_PF;
	if ((line == 3 || line == 7) && (digit == 5 || digit == 6)) { /* FCOMI and its kind */
		op.def = FL_CF | FL_ZF | FL_PF;
		op.mod = FL_STATUS;
	}
	return op;
}

/* Bytes of a memory operand of the map 0F where they are fewer than a vector. */
static unsigned small_operand(const struct insn *i, unsigned vector)
{
	bool scalar = i->pp >= 2, evex = i->enc == ENC_EVEX;

	switch (i->opcode) {
	case 0x10:
	case 0x11:
	case 0x51 ... 0x53:
	case 0x58 ... 0x59:
	case 0x5C ... 0x5F:
	case 0xC2:
		return scalar ? i->pp == 2 ? 4 : 8 : vector;
	case 0x5A:
		return scalar ? i->pp == 2 ? 4 : 8 : vector;
	case 0x12:
	case 0x13:
	case 0x16:
	case 0x17:
		return scalar && i->enc != ENC_LEGACY ? vector : i->pp >= 2 ? 16 : 8;
	case 0x2A:
		return scalar ? i->prefix & PFX_REX_W ? 8 : 4 : 8;
	case 0x2C:
	case 0x2D:
		return i->pp == 2 ? 4 : 8;
	case 0x2E:
	case 0x2F:
		return i->pp == 0 ? 4 : 8;
	case 0x6E:
		return i->prefix & PFX_REX_W ? 8 : 4;
	case 0x7E:
		return i->pp == 2 || i->prefix & PFX_REX_W ? 8 : 4;
	case 0x78:
	case 0x79:
	case 0x7B:
		return evex && scalar ? 8 : vector;
	case 0xC4:
		return 2;
	case 0xD6:
		return 8;
	case 0x90 ... 0x91:
		return 8;
	default:
		return i->enc == ENC_LEGACY && i->pp == 0 && i->opcode >= 0x60 && i->opcode != 0xC6 ? 8 : vector;
	}
}

static bool writes_0f(const struct insn *i)
{
	switch (i->opcode) {
	case 0x11:
	case 0x13:
	case 0x17:
	case 0x29:
	case 0x2B:
	case 0x7F:
	case 0xE7:
	case 0x91:
		return true;
	case 0x7E:
		return i->pp != 2;
	case 0xD6:
		return i->pp == 1;
	default:
		return false;
	}
}

static bool exists_0f(const struct insn *i)
{
	switch (i->opcode) {
	case 0x10 ... 0x17:
	case 0x28 ... 0x2F:
	case 0x50 ... 0x76:
	case 0x7C ... 0x7F:
	case 0xC2:
	case 0xC4 ... 0xC6:
	case 0xD0 ... 0xF6:
	case 0xF8 ... 0xFE:
		return true;
	case 0x77:
		return i->enc != ENC_EVEX;
	case 0x78 ... 0x7B:
		return i->enc == ENC_EVEX;
	case 0x41 ... 0x4B:
	case 0x90 ... 0x93:
	case 0x98 ... 0x99:
		return i->enc == ENC_VEX;
	default:
		return false;
	}
}

/* MASKMOVQ, MASKMOVDQU */
static struct op maskmov(const struct insn *i)
{
	struct op op = access_op(ROLE_W, i->pp == 0 ? 8 : 16);

	if (i->enc == ENC_EVEX || i->is_mem || i->pp > 1 || i->addr_size != 8 || i->seg == SEG_FS || i->seg == SEG_GS)
		return interp;
	op.kind = OP_MASKMOV;
	return op;
}

static struct op map_0f(const struct insn *i, unsigned vector)
{
	struct op op = access_op(writes_0f(i) ? ROLE_W : ROLE_R, small_operand(i, vector));
	bool scalar = i->pp >= 2;

	if (i->opcode == 0xF7)
		return maskmov(i);
	if (!exists_0f(i))
		return interp;
	switch (i->opcode) {
	case 0x2A:
		op.rm = scalar ? ROLE_R : 0;
		break;
	case 0x2C:
	case 0x2D:
		op.reg = scalar ? ROLE_W : 0;
		break;
	case 0x2E:
	case 0x2F:
	case 0x98:
	case 0x99:
		op.def = op.mod = FL_STATUS;
		break;
	case 0x50:
	case 0xC5:
	case 0xD7:
	case 0x93:
		op.reg = ROLE_W;
		break;
	case 0x6E:
	case 0xC4:
	case 0x92:
		op.rm = ROLE_R;
		break;
	case 0x78:
	case 0x79:
		op.reg = scalar ? ROLE_W : 0;
		break;
	case 0x7B:
		op.rm = scalar ? ROLE_R : 0;
		break;
	case 0x7E:
		op.rm = i->pp != 2 ? ROLE_W : 0;
		break;
	default:
		break;
	}
	return op;
}

static bool exists_0f38(const struct insn *i)
{
	switch (i->opcode) {
	case 0x00 ... 0x47:
	case 0x50 ... 0x5B:
	case 0x62 ... 0x7F:
	case 0x83 ... 0x8F: /* 0x80 to 0x82 are INVEPT, INVVPID, INVPCID */
	case 0x96 ... 0x9F:
	case 0xA6 ... 0xAF:
	case 0xB4 ... 0xBF:
	case 0xC4:
	case 0xC8 ... 0xCF:
	case 0xDB ... 0xDF:
		return i->enc == ENC_EVEX || (i->opcode != 0x5C && i->opcode != 0x5E && i->opcode != 0x5B);
	default:
		return false;
	}
}

static struct op map_0f38(const struct insn *i, unsigned vector)
{
	struct op op = access_op(ROLE_R, vector);

	if (!exists_0f38(i))
		return interp;
	switch (i->opcode) {
	case 0x0E:
	case 0x0F:
	case 0x17:
		if (i->enc != ENC_EVEX)
			op.def = op.mod = FL_STATUS;
		break;
	case 0x2E:
	case 0x2F:
	case 0x8E:
		op.mem = i->enc == ENC_VEX ? ROLE_W : ROLE_R;
		break;
	case 0x63:
	case 0x8A:
	case 0x8B:
		op.mem = ROLE_W;
		break;
	case 0x10 ... 0x15:
	case 0x20 ... 0x25:
	case 0x30 ... 0x35:
		if (i->enc == ENC_EVEX && i->pp == 2)
			op.mem = ROLE_W;
		break;
	case 0x7A ... 0x7C:
		op.rm = ROLE_R;
		break;
	default:
		break;
	}
	/* Scalar loads and broadcasts are common enough to be exact. */
	if (i->enc == ENC_VEX && (i->opcode == 0x18 || i->opcode == 0x58))
		op.mem_size = 4;
	if (i->enc == ENC_VEX && (i->opcode == 0x19 || i->opcode == 0x59))
		op.mem_size = 8;
	if (i->enc == ENC_VEX && i->opcode >= 0x96 && i->opcode <= 0xBF && i->opcode & 1 && (i->opcode & 0xF) >= 9)
		op.mem_size = i->prefix & PFX_REX_W ? 8 : 4; /* FMA of one element */
	return op;
}

static struct op map_0f3a(const struct insn *i, unsigned vector)
{
	struct op op = access_op(ROLE_R, vector);

	switch (i->opcode) {
	case 0x14 ... 0x17:
		op.mem = ROLE_W;
		op.mem_size = i->opcode == 0x14 ? 1 : i->opcode == 0x15 ? 2 : i->prefix & PFX_REX_W ? 8 : 4;
		op.rm = ROLE_W;
		break;
	case 0x19:
	case 0x1B:
	case 0x1D:
	case 0x39:
	case 0x3B:
		op.mem = ROLE_W;
		break;
	case 0x0A:
	case 0x21:
		op.mem_size = 4;
		break;
	case 0x0B:
		op.mem_size = 8;
		break;
	case 0x20:
		op.mem_size = 1;
		op.rm = ROLE_R;
		break;
	case 0x22:
		op.mem_size = i->prefix & PFX_REX_W ? 8 : 4;
		op.rm = ROLE_R;
		break;
	case 0x60 ... 0x63:
		op.def = op.mod = FL_STATUS;
		break;
	default:
		break;
	}
	return op;
}

static struct op find(const struct insn *i, enum op_fp fp)
{
	unsigned vector = i->enc == ENC_LEGACY ? 16 : 16u << i->vl;
	enum op_fp need = i->enc == ENC_LEGACY ? OP_FP_SSE : i->enc == ENC_VEX ? OP_FP_AVX : OP_FP_AVX512;

	if (fp < need || i->vl == 3)
		return interp;
	if (i->enc == ENC_EVEX)
		vector = 64;
	switch (i->map) {
	case MAP_1BYTE:
		return x87(i);
	case MAP_0F:
		return map_0f(i, vector);
	case MAP_0F38:
		return map_0f38(i, vector);
	case MAP_0F3A:
		return i->opcode == 0xF0 ? interp : map_0f3a(i, vector);
	default:
		return interp;
	}
}

/* x87 and MMX: an exception of the instruction before may be pending. */
static bool is_old(const struct insn *i)
{
	if (i->enc != ENC_LEGACY)
		return false;
	if (i->map != MAP_0F)
		return i->map == MAP_1BYTE || i->pp == 0;
	switch (i->opcode) {
	case 0x2A ... 0x2D:
		return i->pp <= 1;
	case 0x60 ... 0x7F:
	case 0xC4 ... 0xC5:
	case 0xD0 ... 0xD5:
	case 0xD7 ... 0xFE:
		return i->pp == 0;
	case 0xD6:
		return i->pp != 1;
	default:
		return false;
	}
}

/* Arithmetic of SSE, AVX and AVX-512 on floating point: exceptions that are not masked. */
static bool is_float(const struct insn *i)
{
	switch (i->map << 8 | i->opcode) {
	case MAP_0F << 8 | 0x2A:
	case MAP_0F << 8 | 0x2C ... MAP_0F << 8 | 0x2F:
	case MAP_0F << 8 | 0x51:
	case MAP_0F << 8 | 0x58 ... MAP_0F << 8 | 0x5F:
	case MAP_0F << 8 | 0x78 ... MAP_0F << 8 | 0x7D:
	case MAP_0F << 8 | 0xC2:
	case MAP_0F << 8 | 0xD0:
	case MAP_0F << 8 | 0xE6:
	case MAP_0F38 << 8 | 0x13:
	case MAP_0F38 << 8 | 0x2C ... MAP_0F38 << 8 | 0x2D:
	case MAP_0F38 << 8 | 0x42 ... MAP_0F38 << 8 | 0x43:
	case MAP_0F38 << 8 | 0x96 ... MAP_0F38 << 8 | 0xBF:
	case MAP_0F3A << 8 | 0x08 ... MAP_0F3A << 8 | 0x0B:
	case MAP_0F3A << 8 | 0x1D:
	case MAP_0F3A << 8 | 0x26 ... MAP_0F3A << 8 | 0x27:
	case MAP_0F3A << 8 | 0x40 ... MAP_0F3A << 8 | 0x41:
	case MAP_0F3A << 8 | 0x50 ... MAP_0F3A << 8 | 0x57:
		return true;
	default:
		return false;
	}
}

struct op op_simd(const struct insn *i, enum op_fp fp)
{
	struct op op = find(i, fp);

	op.simd = true;
	op.faults = is_old(i) || is_float(i);
	return op;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: the decoder
 *
 * A byte per opcode tells whether ModRM and which immediate follow and what size operands have by
 * default; everything else follows from prefixes.  Whether a SIMD opcode exists is not known here: in
 * their maps all opcodes have one shape.
 * Spec: Intel SDM volume 2, chapter 2 and appendix A.
 */
#include "vmm/accel/soft/cpu/decode.h"

#include <stdbool.h>
#include <string.h>

/* Shape of an opcode */
#define M 0x1 /* ModRM */
#define B 0x2 /* operands are bytes */
#define D 0x4 /* 64-bit mode: operands of 8 bytes unless 66 */
#define F 0x8 /* 64-bit mode: operands of 8 bytes always */
#define X 0x10 /* not in 64-bit mode */
#define U 0x20 /* no such opcode */
#define E 0x40 /* last of its block */
#define R 0x80 /* the operand named by rm is a byte */
#define IMM 0xF00
#define IB 0x100 /* sign-extended byte */
#define IW 0x200
#define IZ 0x300 /* as operands, at most 4 bytes, sign-extended */
#define IV 0x400 /* as operands */
#define IWB 0x500 /* a word and a byte */
#define FAR 0x600 /* IZ and a selector */
#define MOFF 0x700 /* an address */
#define IT 0x800 /* group 3: immediate only for TEST */
#define PFX 0x1000

#define ALU(e) M | B, M, M | B, M, IB | B, IZ, e, e
#define X4(a) a, a, a, a
#define X8(a) X4(a), X4(a)
#define X16(a) X8(a), X8(a)

static const uint16_t map_1byte[256] = {
	/* 00 */ ALU(X), M | B, M, M | B, M, IB | B, IZ, X, U,
	/* 10 */ M | B, M, M | B, M, IB | B, IZ, X, X | E, ALU(X),
	/* 20 */ M | B, M, M | B, M, IB | B, IZ, PFX, X, M | B, M, M | B, M, IB | B, IZ, PFX, X,
	/* 30 */ M | B, M, M | B, M, IB | B, IZ, PFX, X, M | B, M, M | B, M, IB | B, IZ, PFX, X,
	/* 40 */ X16(0),
	/* 50 */ X16(D),
	/* 60 */ X, X, M | X, M, PFX, PFX, PFX, PFX, IZ | D, M | IZ, IB | D, M | IB, B, 0, B, 0,
	/* 70 */ X16(IB | F),
	/* 80 */ M | B | IB, M | IZ, M | B | IB | X, M | IB, M | B, M, M | B, M,
	M | B, M, M | B, M, M, M, M | E, M | D,
	/* 90 */ X8(0), 0, 0, FAR | X | E, 0, D, D | E, 0, 0,
	/* A0 */ MOFF | B, MOFF, MOFF | B, MOFF, B, 0, B, 0, IB | B, IZ, B, 0, B, 0, B, 0,
	/* B0 */ X8(IB | B), X8(IV),
	/* C0 */ M | B | IB, M | IB, IW | F | E, F | E, M | X, M | X, M | B | IB, M | IZ,
	IWB | D, D, IW | E, E, E, IB | E, X | E, E,
	/* D0 */ M | B, M, M | B, M, IB | X, IB | X, X, B, X8(M),
	/* E0 */ IB | F | E, IB | F | E, IB | F | E, IB | F | E, IB | B, IB, IB | B, IB,
	IZ | F | E, IZ | F | E, FAR | X | E, IB | F | E, B, 0, B, 0,
	/* F0 */ PFX, E, PFX, PFX, E, 0, M | B | IT, M | IT, 0, 0, 0, E, 0, 0, M | B, M | E,
};

static const uint16_t map_0f[256] = {
	/* 00 */ M | E, M | E, M, M, U, E, 0, E, 0, 0, U, E, U, M, 0, M | IB,
	/* 10 */ X16(M),
	/* 20 */ M | F | E, M | F | E, M | F | E, M | F | E, X4(U), X8(M),
	/* 30 */ E, 0, 0, 0, E, E, U, 0, PFX, U, PFX, X4(U), U,
	/* 40 */ X16(M),
	/* 50 */ X16(M),
	/* 60 */ X16(M),
	/* 70 */ X4(M | IB), M, M, M, 0, M, M, U, U, X4(M),
	/* 80 */ X16(IZ | F),
	/* 90 */ X16(M | B),
	/* A0 */ D, D, 0, M, M | IB, M, U, U, D, D, E, M, M | IB, M, M, M,
	/* B0 */ M | B, M, M, M, M, M, M | R, M, M, M | E, M | IB, M, M, M, M | R, M,
	/* C0 */ M | B, M, M | IB, M, M | IB, M | IB, M | IB, M, X8(0),
	/* D0 */ X16(M),
	/* E0 */ X16(M),
	/* F0 */ X16(M),
};

/** struct cursor - bytes that are being decoded; reading beyond the end gives 0 and sets @short_of */
struct cursor {
	const uint8_t *code;
	size_t len, at;
	bool short_of;
};

static uint64_t take(struct cursor *k, unsigned n)
{
	uint64_t v = 0;

	if (k->len - k->at < n) {
		k->short_of = true;
		k->at = k->len;
		return 0;
	}
	memcpy(&v, k->code + k->at, n);
	k->at += n;
	return v;
}

static int64_t take_signed(struct cursor *k, unsigned n)
{
	uint64_t v = take(k, n);

	return n == 8 ? (int64_t) v : (int64_t) (v << (64 - 8 * n)) >> (64 - 8 * n);
}

/** struct bits - what extends register numbers, from REX, VEX and EVEX: 0, 8, 16, 24 */
struct bits {
	uint8_t r, x, b;
	uint8_t v4; /* EVEX.V', of VSIB */
	uint8_t x4; /* EVEX.X as bit 4 of a register in rm */
	bool vsib;
};

static bool take_prefixes(struct cursor *k, uint8_t mode, struct insn *i, struct bits *bits, uint8_t *op)
{
	uint8_t rex = 0;

	for (;;) {
		uint8_t b = (uint8_t) take(k, 1);

		if (k->short_of)
			return false;
		if (mode == CPU_MODE_64 && (b & 0xF0) == 0x40) {
			rex = b;
			continue;
		}
		if (!(map_1byte[b] & PFX)) {
			*op = b;
			break;
		}
		rex = 0;
		if (b == 0x66) {
			i->prefix |= PFX_66;
		} else if (b == 0x67) {
			i->prefix |= PFX_67;
		} else if (b == 0xF0) {
			i->prefix |= PFX_LOCK;
		} else if (b >= 0xF2) {
			i->rep = b;
		} else if (b >= 0x64) {
			i->prefix |= PFX_SEG;
			i->seg = b == 0x64 ? SEG_FS : SEG_GS;
		} else if (mode != CPU_MODE_64) {
			i->prefix |= PFX_SEG;
			i->seg = b >> 3 & 3;
		}
	}
	if (i->rep != 0)
		i->prefix |= i->rep == 0xF2 ? PFX_F2 : PFX_F3;
	if (rex != 0) {
		i->prefix |= PFX_REX | (rex & 8 ? PFX_REX_W : 0);
		*bits = (struct bits) { .r = rex << 1 & 8, .x = rex << 2 & 8, .b = rex << 3 & 8 };
	}
	i->pp = i->rep == 0xF3 ? 2 : i->rep == 0xF2 ? 3 : i->prefix & PFX_66 ? 1 : 0;
	return true;
}

static bool vex_allowed(const struct insn *i)
{
	return (i->prefix & (PFX_66 | PFX_LOCK | PFX_REX | PFX_F2 | PFX_F3)) == 0;
}

static void take_vex(struct cursor *k, uint8_t mode, uint8_t op, struct insn *i, struct bits *bits)
{
	uint8_t p = (uint8_t) take(k, 1), q = p;

	i->enc = ENC_VEX;
	i->map = MAP_0F;
	bits->r = p & 0x80 ? 0 : 8;
	if (op == 0xC4) {
		i->map = p & 7;
		bits->x = p & 0x40 ? 0 : 8;
		bits->b = p & 0x20 ? 0 : 8;
		q = (uint8_t) take(k, 1);
		if (q & 0x80)
			i->prefix |= PFX_REX_W;
		if (p & 0x18)
			i->map = MAP_4; /* does not exist */
	}
	i->vvvv = ~q >> 3 & 15;
	if (mode != CPU_MODE_64) {
		i->vvvv &= 7;
		*bits = (struct bits) { 0 };
	}
	i->vl = q >> 2 & 1;
	i->pp = q & 3;
}

static bool take_evex(struct cursor *k, uint8_t mode, struct insn *i, struct bits *bits)
{
	uint8_t p0 = (uint8_t) take(k, 1), p1 = (uint8_t) take(k, 1), p2 = (uint8_t) take(k, 1);

	i->enc = ENC_EVEX;
	i->map = p0 & 7;
	bits->r = (p0 & 0x80 ? 0 : 8) | (p0 & 0x10 ? 0 : 16);
	bits->x = p0 & 0x40 ? 0 : 8;
	bits->b = p0 & 0x20 ? 0 : 8;
	bits->x4 = p0 & 0x40 ? 0 : 16;
	bits->v4 = p2 & 8 ? 0 : 16;
	i->vvvv = (~p1 >> 3 & 15) | bits->v4;
	if (p1 & 0x80)
		i->prefix |= PFX_REX_W;
	if (mode != CPU_MODE_64) {
		i->vvvv &= 7;
		*bits = (struct bits) { 0 };
	}
	i->pp = p1 & 3;
	i->evex_z = p2 >> 7;
	i->vl = p2 >> 5 & 3;
	i->evex_b = p2 >> 4 & 1;
	i->mask = p2 & 7;
	return (p0 & 8) == 0 && (p1 & 4) != 0;
}

static void mem16(struct cursor *k, struct insn *i, uint8_t mod, uint8_t rm)
{
	static const uint8_t base[8] = { REG_RBX, REG_RBX, REG_RBP, REG_RBP, REG_RSI, REG_RDI, REG_RBP, REG_RBX };
	static const uint8_t index[8] = { REG_RSI, REG_RDI, REG_RSI, REG_RDI, REG_ZERO, REG_ZERO, REG_ZERO, REG_ZERO };

	i->base = base[rm];
	i->index = index[rm];
	i->disp_size = mod == 1 ? 1 : mod == 2 ? 2 : 0;
	if (mod == 0 && rm == 6) {
		i->base = REG_ZERO;
		i->disp_size = 2;
	}
	if (i->disp_size != 0) {
		i->disp_off = (uint8_t) k->at;
		i->disp = (int32_t) take_signed(k, i->disp_size);
	}
}

static void mem32(struct cursor *k, uint8_t mode, struct insn *i, const struct bits *bits, uint8_t mod, uint8_t rm)
{
	i->disp_size = mod == 1 ? 1 : mod == 2 ? 4 : 0;
	i->base = rm | bits->b;
	if (rm == 4) {
		uint8_t sib = (uint8_t) take(k, 1);
		uint8_t index = (sib >> 3 & 7) | bits->x;

		i->scale = sib >> 6;
		i->base = (sib & 7) | bits->b;
		i->index = bits->vsib ? index | bits->v4 : index == 4 ? REG_ZERO : index;
		if ((sib & 7) == 5 && mod == 0) {
			i->base = REG_ZERO;
			i->disp_size = 4;
		}
	} else if (rm == 5 && mod == 0) {
		i->base = mode == CPU_MODE_64 ? REG_RIP : REG_ZERO;
		i->disp_size = 4;
	}
	if (i->disp_size != 0) {
		i->disp_off = (uint8_t) k->at;
		i->disp = (int32_t) take_signed(k, i->disp_size);
	}
}

static void take_modrm(struct cursor *k, uint8_t mode, struct insn *i, const struct bits *bits)
{
	uint8_t mod, rm;

	i->has_modrm = 1;
	i->modrm_off = (uint8_t) k->at;
	i->modrm = (uint8_t) take(k, 1);
	mod = i->modrm >> 6;
	rm = i->modrm & 7;
	i->reg = (i->modrm >> 3 & 7) | bits->r;
	i->rm = rm | bits->b | bits->x4;
	if (mod == 3 || (i->map == MAP_0F && i->enc == ENC_LEGACY && i->opcode >= 0x20 && i->opcode < 0x24))
		return;
	i->is_mem = 1;
	i->rm = 0;
	if (i->addr_size == 2)
		mem16(k, i, mod, rm);
	else
		mem32(k, mode, i, bits, mod, rm);
	if ((i->base == REG_RSP || i->base == REG_RBP) && !(i->prefix & PFX_SEG))
		i->seg = mode == CPU_MODE_64 ? SEG_FLAT_STACK : SEG_SS;
}

static void take_imm(struct cursor *k, uint16_t shape, struct insn *i)
{
	unsigned z = i->size == 8 ? 4 : i->size;

	switch (shape & IMM) {
	case IT:
		if (i->modrm >> 3 & 6)
			return;
		i->imm_size = (uint8_t) z;
		break;
	case IB:
		i->imm_size = 1;
		break;
	case IW:
	case IWB:
		i->imm_size = 2;
		break;
	case IZ:
	case FAR:
		i->imm_size = (uint8_t) z;
		break;
	case IV:
		i->imm_size = i->size;
		break;
	case MOFF:
		i->imm_size = i->addr_size;
		i->is_mem = 1;
		break;
	default:
		return;
	}
	i->imm_off = (uint8_t) k->at;
	i->imm = take_signed(k, i->imm_size);
	if ((shape & IMM) == IW || (shape & IMM) == IWB)
		i->imm &= 0xFFFF;
	if ((shape & IMM) == IWB) {
		i->imm2 = (uint16_t) take(k, 1);
		i->imm_size = 3;
	}
	if ((shape & IMM) == FAR) {
		i->imm &= z == 2 ? 0xFFFF : 0xFFFFFFFF;
		i->imm2 = (uint16_t) take(k, 2);
		i->imm_size += 2;
	}
	if ((shape & IMM) == MOFF && i->addr_size < 8)
		i->imm &= i->addr_size == 2 ? 0xFFFF : 0xFFFFFFFF;
}

static void set_sizes(uint8_t mode, uint16_t shape, struct insn *i)
{
	bool p66 = i->prefix & PFX_66;

	if (mode == CPU_MODE_64) {
		i->size = i->prefix & PFX_REX_W ? 8 : p66 ? 2 : 4;
		if ((shape & F) || ((shape & D) && i->size == 4))
			i->size = 8;
	} else {
		i->size = (mode == CPU_MODE_32) != p66 ? 4 : 2;
		if (i->map == MAP_0F && i->opcode >= 0x20 && i->opcode < 0x24)
			i->size = 4;
	}
	if (shape & B)
		i->size = 1;
}

static void set_addr_size(uint8_t mode, struct insn *i)
{
	bool p67 = i->prefix & PFX_67;

	if (mode == CPU_MODE_64)
		i->addr_size = p67 ? 4 : 8;
	else
		i->addr_size = (mode == CPU_MODE_32) != p67 ? 4 : 2;
}

static uint8_t offset(const struct insn *i, uint8_t n, bool byte)
{
	if (byte && !(i->prefix & PFX_REX) && n >= 4 && n < 8)
		return (uint8_t) ((n - 4) * 8 + 1);
	return (uint8_t) ((n & 15) * 8);
}

/* The groups whose members differ in size, or that may go elsewhere. */
static void fix_group5(uint8_t mode, struct insn *i)
{
	uint8_t n = i->modrm >> 3 & 7;

	if (i->map != MAP_1BYTE || i->opcode != 0xFF || i->enc != ENC_LEGACY)
		return;
	i->ends = n >= 2 && n < 6;
	if (mode == CPU_MODE_64 && (n == 2 || n == 4))
		i->size = 8;
	if (mode == CPU_MODE_64 && n == 6 && i->size == 4)
		i->size = 8;
}

/* Opcode bytes after prefixes: sets map, encoding and opcode. */
static bool take_opcode(struct cursor *k, uint8_t mode, uint8_t op, struct insn *i, struct bits *bits)
{
	uint8_t next = k->at < k->len ? k->code[k->at] : 0xC0;
	bool vex = mode == CPU_MODE_64 || next >= 0xC0;

	if (vex && (op == 0xC4 || op == 0xC5 || op == 0x62)) {
		bool ok = vex_allowed(i);

		if (op == 0x62)
			ok = take_evex(k, mode, i, bits) && ok;
		else
			take_vex(k, mode, op, i, bits);
		i->opcode_off = (uint8_t) k->at;
		i->opcode = (uint8_t) take(k, 1);
		return ok && i->map != 0 && i->map != MAP_4 && i->map != MAP_7 &&
			(i->enc == ENC_EVEX || i->map < MAP_4);
	}
	i->opcode_off = (uint8_t) (k->at - 1);
	if (op == 0x0F) {
		i->map = MAP_0F;
		i->opcode_off = (uint8_t) k->at;
		op = (uint8_t) take(k, 1);
		if (op == 0x38 || op == 0x3A) {
			i->map = op == 0x38 ? MAP_0F38 : MAP_0F3A;
			i->opcode_off = (uint8_t) k->at;
			op = (uint8_t) take(k, 1);
		}
	}
	i->opcode = op;
	return true;
}

static uint16_t shape_of(const struct insn *i)
{
	uint16_t shape;

	if (i->map == MAP_1BYTE)
		return map_1byte[i->opcode];
	if (i->map == MAP_0F3A)
		return M | IB;
	if (i->map != MAP_0F)
		return M;
	shape = map_0f[i->opcode];
	if (i->enc == ENC_LEGACY)
		return shape;
	return (i->opcode == 0x77 && i->enc == ENC_VEX ? 0 : M) | ((shape & IMM) == IB ? IB : 0);
}

/* The opcode's low bits are a register. */
static bool names_register(const struct insn *i)
{
	if (i->map == MAP_0F)
		return i->opcode >= 0xC8 && i->opcode <= 0xCF;
	return (i->opcode >= 0x40 && i->opcode < 0x60) || (i->opcode & 0xF8) == 0x90 || (i->opcode & 0xF0) == 0xB0;
}

static bool has_vsib(const struct insn *i)
{
	if (i->enc == ENC_LEGACY || i->map != MAP_0F38)
		return false;
	if (i->opcode >= 0x90 && i->opcode <= 0x93)
		return true;
	return i->enc == ENC_EVEX && ((i->opcode & 0xFC) == 0xA0 || i->opcode == 0xC6 || i->opcode == 0xC7);
}

/* Shapes and immediates that decode_usual() leaves alone */
#define UNUSUAL (X | U | PFX)

/**
 * struct usual - what decode_usual() is at; INSN_MAX bytes can be read: enough for the longest, of 14 bytes, and for one of 12
 * whose number of 1 byte is read as if it had 4
 */
struct usual {
	const uint8_t *code, *at;
};

static int32_t usual_number(struct usual *u, unsigned n)
{
	int32_t v;

	(void) memcpy(&v, u->at, sizeof(v));
	u->at += n;
	return n == 1 ? (int8_t) v : n == 2 ? (int16_t) v : v;
}

/* ModRM, its SIB and displacement */
static void usual_modrm(struct usual *u, unsigned rex, struct insn *i)
{
	unsigned modrm = *u->at, mod = modrm >> 6, rm = modrm & 7;

	i->has_modrm = 1;
	i->modrm_off = (uint8_t) (u->at++ - u->code);
	i->modrm = (uint8_t) modrm;
	i->reg = (uint8_t) ((modrm >> 3 & 7) | (rex << 1 & 8));
	if (mod == 3) {
		i->rm = (uint8_t) (rm | (rex << 3 & 8));
		return;
	}
	i->is_mem = 1;
	i->base = (uint8_t) (rm | (rex << 3 & 8));
	i->disp_size = mod == 1 ? 1 : mod == 2 ? 4 : 0;
	if (rm == 4) {
		unsigned sib = *u->at++, index = (sib >> 3 & 7) | (rex << 2 & 8);

		rm = sib & 7;
		i->scale = (uint8_t) (sib >> 6);
		i->base = (uint8_t) (rm | (rex << 3 & 8));
		i->index = (uint8_t) (index == 4 ? REG_ZERO : index);
		if (rm == 5 && mod == 0) {
			i->base = REG_ZERO;
			i->disp_size = 4;
		}
	} else if (rm == 5 && mod == 0) {
		i->base = REG_RIP;
		i->disp_size = 4;
	}
	if (i->disp_size != 0) {
		i->disp_off = (uint8_t) (u->at - u->code);
		i->disp = usual_number(u, i->disp_size);
	}
	if ((i->base == REG_RSP || i->base == REG_RBP) && !(i->prefix & PFX_SEG))
		i->seg = SEG_FLAT_STACK;
}

static void usual_imm(struct usual *u, unsigned kind, struct insn *i)
{
	if (kind == IT && i->modrm >> 3 & 6)
		return;
	i->imm_off = (uint8_t) (u->at - u->code);
	i->imm_size = kind == IB ? 1 : i->size == 2 ? 2 : kind == IT && i->size == 1 ? 1 : 4;
	i->imm = usual_number(u, i->imm_size);
}

/* What most instructions of 64-bit code look like: less is looked at, and nothing can be missing.  False: not one of them. */
static bool decode_usual(const uint8_t *code, struct insn *i)
{
	struct usual u = { .code = code, .at = code };
	unsigned op = *u.at++, rex = 0, shape, kind;

	*i = (struct insn) { .base = REG_ZERO, .index = REG_ZERO, .seg = SEG_FLAT, .addr_size = 8 };
	if (op == 0x65 || op == 0x64) {
		i->prefix = PFX_SEG;
		i->seg = op == 0x64 ? SEG_FS : SEG_GS;
		op = *u.at++;
	}
	if (op == 0x66) {
		i->prefix |= PFX_66;
		i->pp = 1;
		op = *u.at++;
	}
	if ((op & 0xF0) == 0x40) {
		rex = op;
		i->prefix |= PFX_REX | (rex & 8 ? PFX_REX_W : 0);
		op = *u.at++;
		if ((op & 0xF0) == 0x40)
			return false; /* the last one counts */
	}
	if (op == 0x0F) {
		i->map = MAP_0F;
		op = *u.at++;
		if (op >= 0x20 && op < 0x24)
			return false;
	}
	shape = i->map == MAP_0F ? map_0f[op] : map_1byte[op];
	kind = shape & IMM;
	if (shape & UNUSUAL || (kind != 0 && kind != IB && kind != IZ && kind != IT))
		return false;
	i->opcode_off = (uint8_t) (u.at - code - 1);
	i->opcode = (uint8_t) op;
	i->size = shape & F || rex & 8 ? 8 : i->prefix & PFX_66 ? 2 : shape & D ? 8 : 4;
	if (shape & B)
		i->size = 1;
	i->ends = (shape & E) != 0;
	if (shape & M) {
		usual_modrm(&u, rex, i);
		fix_group5(CPU_MODE_64, i);
	} else if (names_register(i)) {
		i->rm = (uint8_t) ((op & 7) | (rex << 3 & 8));
	}
	i->reg_off = offset(i, i->reg, i->size == 1);
	i->rm_off = offset(i, i->rm, i->size == 1 || (shape & R) != 0);
	if (kind != 0)
		usual_imm(&u, kind, i);
	i->len = (uint8_t) (u.at - code);
	return true;
}

__attribute__((noinline)) static enum insn_result decode_any(uint8_t mode, const uint8_t *code, size_t len, struct insn *ret)
{
	struct cursor k = { .code = code, .len = len < INSN_MAX ? len : INSN_MAX };
	struct insn i = { .base = REG_ZERO, .index = REG_ZERO, .seg = mode == CPU_MODE_64 ? SEG_FLAT : SEG_DS };
	struct bits bits = { 0 };
	uint8_t op;
	uint16_t shape;
	bool ok;

	if (!take_prefixes(&k, mode, &i, &bits, &op))
		return len >= INSN_MAX ? INSN_LONG : INSN_SHORT;
	ok = take_opcode(&k, mode, op, &i, &bits);
	shape = shape_of(&i);
	set_addr_size(mode, &i);
	set_sizes(mode, shape, &i);
	i.ends = (shape & E) != 0;
	ok = ok && !(shape & (U | PFX)) && !(mode == CPU_MODE_64 && (shape & X));
	if (ok && (shape & M)) {
		bits.vsib = has_vsib(&i);
		take_modrm(&k, mode, &i, &bits);
		fix_group5(mode, &i);
	} else if (ok && names_register(&i)) {
		i.rm = (i.opcode & 7) | bits.b;
	}
	i.reg_off = offset(&i, i.reg, i.size == 1);
	i.rm_off = offset(&i, i.rm, i.size == 1 || (shape & R) != 0);
	if (ok)
		take_imm(&k, shape, &i);
	if (k.short_of)
		return len >= INSN_MAX ? INSN_LONG : INSN_SHORT;
	i.len = (uint8_t) k.at;
	*ret = i;
	return ok ? INSN_OK : INSN_BAD;
}

enum insn_result insn_decode(uint8_t mode, const uint8_t *code, size_t len, struct insn *ret)
{
	if (mode == CPU_MODE_64 && len >= INSN_MAX && decode_usual(code, ret))
		return INSN_OK;
	return decode_any(mode, code, len, ret);
}

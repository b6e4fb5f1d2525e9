/* SPDX-License-Identifier: MIT */
/**
 * DOC: multiplication, division, decimal adjustment
 */
#include "vmm/accel/soft/cpu/alu.h"
#include "vmm/accel/soft/cpu/exec.h"

#define SOURCE(bits)                                                                             \
	(i->is_mem ? mem_read##bits(c, mem_operand(c, i, (bits) / 8, MEM_READ)) : reg_get##bits(c, i->rm_off))

#define ACC16 "%%ax"
#define ACC32 "%%eax"
#define ACC64 "%%rax"

/* One operand: RDX:RAX */
#define WIDE_MUL(name, text, bits)                                                   \
	static void name##_##bits(struct cpu *c, const struct insn *i)               \
	{                                                                            \
		uint##bits##_t b = SOURCE(bits), lo, hi;                             \
		uint64_t ax = c->reg[REG_RAX];                                       \
		__asm__(text " %[b]\n\tmov " ACC##bits ", %[lo]\n\t" ALU_SAVE        \
			: "+&a"(ax), "=&d"(hi), [lo] "=&r"(lo)                       \
			: [b] "r"(b)                                                 \
			: "cc");                                                     \
		reg_set##bits(c, REG_RAX * 8, lo);                                   \
		reg_set##bits(c, REG_RDX * 8, hi);                                   \
		c->status = alu_status((uint32_t) ax);                               \
	}

WIDE_MUL(mul, "mul", 16)
WIDE_MUL(mul, "mul", 32)
WIDE_MUL(mul, "mul", 64)
WIDE_MUL(imul, "imul", 16)
WIDE_MUL(imul, "imul", 32)
WIDE_MUL(imul, "imul", 64)

/* One operand of a byte: AX */
#define BYTE_MUL(name, text)                                                         \
	static void name##_8(struct cpu *c, const struct insn *i)                    \
	{                                                                            \
		uint8_t b = SOURCE(8);                                               \
		uint16_t r;                                                          \
		uint64_t ax = c->reg[REG_RAX];                                       \
		__asm__(text " %[b]\n\tmov %%ax, %[r]\n\t" ALU_SAVE                  \
			: "+&a"(ax), [r] "=&r"(r)                                    \
			: [b] "q"(b)                                                 \
			: "cc");                                                     \
		reg_set16(c, REG_RAX * 8, r);                                        \
		c->status = alu_status((uint32_t) ax);                               \
	}

BYTE_MUL(mul, "mul")
BYTE_MUL(imul, "imul")

#define IMUL(bits)                                                                                   \
	static void imul_short_##bits(struct cpu *c, const struct insn *i)                           \
	{                                                                                            \
		uint##bits##_t b = SOURCE(bits), a;                                                  \
		uint32_t ax;                                                                         \
		a = (uint##bits##_t) (i->map == MAP_0F ? reg_get##bits(c, i->reg_off) : (uint64_t) i->imm); \
		__asm__("imul %[b], %[a]\n\t" ALU_SAVE                                               \
			: [a] "+r"(a), "=&a"(ax)                                                     \
			: [b] "r"(b)                                                                 \
			: "cc");                                                                     \
		reg_set##bits(c, i->reg_off, a);                                                     \
		c->status = alu_status(ax);                                                          \
	}

IMUL(16)
IMUL(32)
IMUL(64)

#define DIV(bits, wide)                                                                              \
	static void div_##bits(struct cpu *c, const struct insn *i)                                  \
	{                                                                                            \
		uint##bits##_t b = SOURCE(bits);                                                     \
		unsigned __int128 q, a = (unsigned __int128) reg_get##bits(c, REG_RDX * 8) << (bits) |          \
			reg_get##bits(c, REG_RAX * 8);                                               \
		if (b == 0)                                                                          \
			cpu_raise(c, EXC_DE);                                                        \
		if (reg_get##bits(c, REG_RDX * 8) >= b)                                              \
			cpu_raise(c, EXC_DE);                                                        \
		q = (wide) a / b;                                                                    \
		reg_set##bits(c, REG_RDX * 8, (uint##bits##_t) ((wide) a % b));                      \
		reg_set##bits(c, REG_RAX * 8, (uint##bits##_t) q);                                   \
	}

DIV(16, uint32_t)
DIV(32, uint64_t)
DIV(64, unsigned __int128)

#define IDIV(bits)                                                                                   \
	static void idiv_##bits(struct cpu *c, const struct insn *i)                                 \
	{                                                                                            \
		int##bits##_t b = (int##bits##_t) SOURCE(bits);                                      \
		unsigned __int128 ua = (unsigned __int128) reg_get##bits(c, REG_RDX * 8) << (bits) | \
			reg_get##bits(c, REG_RAX * 8);                                               \
		__int128 a = (__int128) (ua << (128 - 2 * (bits))) >> (128 - 2 * (bits)), q;         \
		if (b == 0 || (b == -1 && a == (__int128) ((unsigned __int128) 1 << 127)))           \
			cpu_raise(c, EXC_DE);                                                        \
		q = a / b;                                                                           \
		if (q != (int##bits##_t) q)                                                          \
			cpu_raise(c, EXC_DE);                                                        \
		reg_set##bits(c, REG_RDX * 8, (uint##bits##_t) (a % b));                             \
		reg_set##bits(c, REG_RAX * 8, (uint##bits##_t) q);                                   \
	}

IDIV(16)
IDIV(32)
IDIV(64)

static void div_8(struct cpu *c, const struct insn *i)
{
	uint16_t a = (uint16_t) c->reg[REG_RAX];
	uint8_t b = SOURCE(8);

	if (b == 0 || a / b > 0xFF)
		cpu_raise(c, EXC_DE);
	reg_set16(c, REG_RAX * 8, (uint16_t) ((a % b) << 8 | a / b));
}

static void idiv_8(struct cpu *c, const struct insn *i)
{
	int a = (int16_t) c->reg[REG_RAX], b = (int8_t) SOURCE(8);

	if (b == 0 || a / b != (int8_t) (a / b))
		cpu_raise(c, EXC_DE);
	reg_set16(c, REG_RAX * 8, (uint16_t) ((a % b) * 256 | (uint8_t) (a / b)));
}

static void result_flags(struct cpu *c, uint8_t al, uint32_t carries)
{
	c->status = carries | (al == 0 ? FL_ZF : 0) | (al & 0x80 ? FL_SF : 0) | (__builtin_parity(al) ? 0 : FL_PF);
}

static void daa_das(struct cpu *c, const struct insn *i)
{
	uint8_t al = (uint8_t) c->reg[REG_RAX], old = al;
	bool minus = i->opcode == 0x2F, cf = c->status & FL_CF;
	uint32_t carries = 0;

	if ((al & 15) > 9 || (c->status & FL_AF)) {
		if (minus ? al < 6 : al > 0xF9)
			carries |= FL_CF;
		al = (uint8_t) (minus ? al - 6 : al + 6);
		carries |= FL_AF | (cf ? FL_CF : 0);
	}
	if (old > 0x99 || cf) {
		al = (uint8_t) (minus ? al - 0x60 : al + 0x60);
		carries |= FL_CF;
	} else if (!minus) {
		carries &= ~FL_CF;
	}
	reg_set8(c, REG_RAX * 8, al);
	result_flags(c, al, carries);
}

static void aaa_aas(struct cpu *c, const struct insn *i)
{
	uint16_t ax = (uint16_t) c->reg[REG_RAX];
	uint32_t carries = 0;

	if ((ax & 15) > 9 || (c->status & FL_AF)) {
		ax = (uint16_t) (i->opcode == 0x3F ? ax - 6 - 0x100 : ax + 0x106);
		carries = FL_AF | FL_CF;
	}
	reg_set16(c, REG_RAX * 8, ax & 0xFF0F);
	result_flags(c, (uint8_t) (ax & 15), carries);
}

static void aam(struct cpu *c, const struct insn *i)
{
	uint8_t al = (uint8_t) c->reg[REG_RAX], n = (uint8_t) i->imm;

	if (n == 0)
		cpu_raise(c, EXC_DE);
	reg_set16(c, REG_RAX * 8, (uint16_t) ((al / n) << 8 | al % n));
	result_flags(c, al % n, 0);
}

static void aad(struct cpu *c, const struct insn *i)
{
	uint16_t ax = (uint16_t) c->reg[REG_RAX];
	uint8_t al = (uint8_t) (ax + (ax >> 8) * (uint8_t) i->imm);

	reg_set16(c, REG_RAX * 8, al);
	result_flags(c, al, 0);
}

#define ROW(name) { name##_8, name##_16, name##_32, name##_64 }

static cpu_exec_fn *const group3[4][4] = { ROW(mul), ROW(imul), ROW(div), ROW(idiv) };
static cpu_exec_fn *const imul_short[4] = { NULL, imul_short_16, imul_short_32, imul_short_64 };

cpu_exec_fn *mul_bind(const struct insn *i)
{
	unsigned size = size_index(i->size), n = i->modrm >> 3 & 7;
	cpu_exec_fn *f = NULL;

	if (i->map == MAP_0F && i->opcode == 0xAF)
		f = imul_short[size];
	if (i->map == MAP_1BYTE) {
		switch (i->opcode) {
		case 0x69:
		case 0x6B:
			f = imul_short[size];
			break;
		case 0xF6:
		case 0xF7:
			f = n >= 4 ? group3[n - 4][size] : NULL;
			break;
		case 0x27:
		case 0x2F:
			f = daa_das;
			break;
		case 0x37:
		case 0x3F:
			f = aaa_aas;
			break;
		case 0xD4:
			f = aam;
			break;
		case 0xD5:
			f = aad;
			break;
		default:
			break;
		}
	}
	return f != NULL && (i->prefix & PFX_LOCK) ? cpu_undefined : f;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: arithmetic and logic
 *
 * One function per operation, size and kind of operands, made by macros: rr and rm have the result in a
 * register, mr in memory, ri and mi have an immediate.
 */
#include "vmm/accel/soft/cpu/alu.h"
#include "vmm/accel/soft/cpu/exec.h"

/* With LOCK: tried until nobody changed the operand meanwhile. */
#define LOCKED(op, bits, ...)                                                                        \
	do {                                                                                         \
		uint##bits##_t *p = m.p, old = __atomic_load_n(p, __ATOMIC_RELAXED);                 \
		uint32_t status = c->status;                                                         \
		while (!__atomic_compare_exchange_n(p, &old, alu_##op##_##bits(c, old __VA_ARGS__),  \
						    false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))      \
			c->status = status;                                                          \
	} while (0)

#define MEMORY(op, bits, ...)                                                          \
	struct rmw m;                                                                  \
	rmw_begin(c, mem_operand(c, i, (bits) / 8, MEM_READ | MEM_WRITE), (bits) / 8, &m); \
	if (i->prefix & PFX_LOCK && !rmw_split(&m, (bits) / 8))                        \
		LOCKED(op, bits, __VA_ARGS__);                                         \
	else                                                                           \
		*(any##bits *) m.p =                                              \
			alu_##op##_##bits(c, *(any##bits *) m.p __VA_ARGS__);     \
	rmw_end(c, (bits) / 8, &m)

#define READS(op, bits)                                                                                       \
	static void op##_rr_##bits(struct cpu *c, const struct insn *i)                                       \
	{                                                                                                     \
		(void) alu_##op##_##bits(c, reg_get##bits(c, i->rm_off), reg_get##bits(c, i->reg_off));       \
	}                                                                                                     \
	static void op##_rm_##bits(struct cpu *c, const struct insn *i)                                       \
	{                                                                                                     \
		(void) alu_##op##_##bits(c, reg_get##bits(c, i->reg_off),                                     \
					 mem_read##bits(c, mem_operand(c, i, (bits) / 8, MEM_READ)));         \
	}                                                                                                     \
	static void op##_mr_##bits(struct cpu *c, const struct insn *i)                                       \
	{                                                                                                     \
		(void) alu_##op##_##bits(c, mem_read##bits(c, mem_operand(c, i, (bits) / 8, MEM_READ)),       \
					 reg_get##bits(c, i->reg_off));                                       \
	}                                                                                                     \
	static void op##_ri_##bits(struct cpu *c, const struct insn *i)                                       \
	{                                                                                                     \
		(void) alu_##op##_##bits(c, reg_get##bits(c, i->rm_off), (uint##bits##_t) i->imm);            \
	}                                                                                                     \
	static void op##_mi_##bits(struct cpu *c, const struct insn *i)                                       \
	{                                                                                                     \
		(void) alu_##op##_##bits(c, mem_read##bits(c, mem_operand(c, i, (bits) / 8, MEM_READ)),       \
					 (uint##bits##_t) i->imm);                                            \
	}

#define WRITES(op, bits)                                                                                      \
	static void op##_rr_##bits(struct cpu *c, const struct insn *i)                                       \
	{                                                                                                     \
		reg_set##bits(c, i->rm_off,                                                                   \
			      alu_##op##_##bits(c, reg_get##bits(c, i->rm_off), reg_get##bits(c, i->reg_off))); \
	}                                                                                                     \
	static void op##_rm_##bits(struct cpu *c, const struct insn *i)                                       \
	{                                                                                                     \
		uint##bits##_t v = mem_read##bits(c, mem_operand(c, i, (bits) / 8, MEM_READ));                \
		reg_set##bits(c, i->reg_off, alu_##op##_##bits(c, reg_get##bits(c, i->reg_off), v));          \
	}                                                                                                     \
	static void op##_mr_##bits(struct cpu *c, const struct insn *i)                                       \
	{                                                                                                     \
		MEMORY(op, bits, , reg_get##bits(c, i->reg_off));                                             \
	}                                                                                                     \
	static void op##_ri_##bits(struct cpu *c, const struct insn *i)                                       \
	{                                                                                                     \
		reg_set##bits(c, i->rm_off,                                                                   \
			      alu_##op##_##bits(c, reg_get##bits(c, i->rm_off), (uint##bits##_t) i->imm));    \
	}                                                                                                     \
	static void op##_mi_##bits(struct cpu *c, const struct insn *i)                                       \
	{                                                                                                     \
		MEMORY(op, bits, , (uint##bits##_t) i->imm);                                                  \
	}

/* ModRM with the result in reg, both registers */
#define REVERSED(op, bits)                                                                                    \
	static void op##_rv_##bits(struct cpu *c, const struct insn *i)                                       \
	{                                                                                                     \
		uint##bits##_t v = alu_##op##_##bits(c, reg_get##bits(c, i->reg_off), reg_get##bits(c, i->rm_off)); \
		if (alu_keeps(#op))                                                                           \
			reg_set##bits(c, i->reg_off, v);                                                      \
	}

/* CMP changes flags only. */
static inline bool alu_keeps(const char *op)
{
	return op[0] != 'c';
}

#define UNARY(op, bits)                                                                          \
	static void op##_r_##bits(struct cpu *c, const struct insn *i)                           \
	{                                                                                        \
		reg_set##bits(c, i->rm_off, alu_##op##_##bits(c, reg_get##bits(c, i->rm_off)));  \
	}                                                                                        \
	static void op##_m_##bits(struct cpu *c, const struct insn *i)                           \
	{                                                                                        \
		MEMORY(op, bits, );                                                              \
	}

#define NOT(bits)                                                                                          \
	static inline uint##bits##_t alu_not_##bits(struct cpu *c, uint##bits##_t v)                       \
	{                                                                                                  \
		(void) c;                                                                                  \
		return (uint##bits##_t) ~v;                                                                \
	}

#define SIZES(make, op) make(op, 8) make(op, 16) make(op, 32) make(op, 64)

SIZES(WRITES, add)
SIZES(WRITES, or)
SIZES(WRITES, adc)
SIZES(WRITES, sbb)
SIZES(WRITES, and)
SIZES(WRITES, sub)
SIZES(WRITES, xor)
SIZES(READS, cmp)
SIZES(READS, test)
SIZES(REVERSED, add)
SIZES(REVERSED, or)
SIZES(REVERSED, adc)
SIZES(REVERSED, sbb)
SIZES(REVERSED, and)
SIZES(REVERSED, sub)
SIZES(REVERSED, xor)
SIZES(REVERSED, cmp)
NOT(8)
NOT(16)
NOT(32)
NOT(64)
SIZES(UNARY, inc)
SIZES(UNARY, dec)
SIZES(UNARY, neg)
SIZES(UNARY, not)

#define OP_FORM(op, form) { op##_##form##_8, op##_##form##_16, op##_##form##_32, op##_##form##_64 }
#define OP_ROW(op) { OP_FORM(op, rr), OP_FORM(op, rv), OP_FORM(op, rm), OP_FORM(op, mr), OP_FORM(op, ri), OP_FORM(op, mi) }

enum { FORM_RR, FORM_RV, FORM_RM, FORM_MR, FORM_RI, FORM_MI, FORMS };

static cpu_exec_fn *const binary[8][FORMS][4] = {
	OP_ROW(add), OP_ROW(or), OP_ROW(adc), OP_ROW(sbb), OP_ROW(and), OP_ROW(sub), OP_ROW(xor), OP_ROW(cmp),
};

static cpu_exec_fn *const test[FORMS][4] = {
	[FORM_RR] = OP_FORM(test, rr), [FORM_MR] = OP_FORM(test, mr), [FORM_RM] = OP_FORM(test, rm),
	[FORM_RI] = OP_FORM(test, ri), [FORM_MI] = OP_FORM(test, mi),
};

static cpu_exec_fn *const unary[4][2][4] = {
	{ OP_FORM(inc, r), OP_FORM(inc, m) },
	{ OP_FORM(dec, r), OP_FORM(dec, m) },
	{ OP_FORM(not, r), OP_FORM(not, m) },
	{ OP_FORM(neg, r), OP_FORM(neg, m) },
};

/* ADOX, ADCX: carry through OF or CF alone */
static void adx(struct cpu *c, const struct insn *i)
{
	uint32_t flag = i->pp == 2 ? FL_OF : FL_CF;
	unsigned size = i->prefix & PFX_REX_W ? 8 : 4; /* 66 is part of the opcode */
	uint64_t b = rm_read(c, i, size), a = reg_get(c, i->reg, size), sum;
	bool carry;

	if (size == 8) {
		carry = __builtin_add_overflow(a, b, &sum);
		carry |= __builtin_add_overflow(sum, (uint64_t) ((c->status & flag) != 0), &sum);
	} else {
		sum = a + b + ((c->status & flag) != 0);
		carry = sum >> 32;
	}
	reg_set(c, i->reg, size, sum);
	c->status = (c->status & ~flag) | (carry ? flag : 0);
}

static bool lock_ok(const struct insn *i, bool writes)
{
	return !(i->prefix & PFX_LOCK) || (writes && i->is_mem);
}

static cpu_exec_fn *bind_1byte(const struct insn *i)
{
	unsigned size = size_index(i->size), n = i->modrm >> 3 & 7, op = i->opcode;

	if (op < 0x40 && (op & 7) < 6) {
		static const uint8_t mem[4] = { FORM_MR, FORM_MR, FORM_RM, FORM_RM };
		static const uint8_t reg[4] = { FORM_RR, FORM_RR, FORM_RV, FORM_RV };
		unsigned form = (op & 7) >= 4 ? FORM_RI : i->is_mem ? mem[op & 3] : reg[op & 3];

		return lock_ok(i, form == FORM_MR && op >> 3 != 7) ? binary[op >> 3][form][size] : cpu_undefined;
	}
	if (op >= 0x80 && op < 0x84)
		return lock_ok(i, n != 7) ? binary[n][i->is_mem ? FORM_MI : FORM_RI][size] : cpu_undefined;
	if (op == 0x84 || op == 0x85)
		return lock_ok(i, false) ? test[i->is_mem ? FORM_MR : FORM_RR][size] : cpu_undefined;
	if (op == 0xA8 || op == 0xA9)
		return lock_ok(i, false) ? test[FORM_RI][size] : cpu_undefined;
	if ((op == 0xF6 || op == 0xF7) && n < 2)
		return lock_ok(i, false) ? test[i->is_mem ? FORM_MI : FORM_RI][size] : cpu_undefined;
	if ((op == 0xF6 || op == 0xF7) && n < 4)
		return lock_ok(i, true) ? unary[n][i->is_mem][size] : cpu_undefined;
	if ((op == 0xFE || op == 0xFF) && n < 2)
		return lock_ok(i, true) ? unary[n][i->is_mem][size] : cpu_undefined;
	if (op >= 0x40 && op < 0x50)
		return lock_ok(i, false) ? unary[op >> 3 & 1][0][size] : cpu_undefined;
	return NULL;
}

cpu_exec_fn *alu_bind(const struct insn *i)
{
	if (i->map == MAP_1BYTE)
		return bind_1byte(i);
	if (i->map == MAP_0F38 && i->opcode == 0xF6 && (i->pp == 1 || i->pp == 2))
		return lock_ok(i, false) ? adx : cpu_undefined;
	return NULL;
}

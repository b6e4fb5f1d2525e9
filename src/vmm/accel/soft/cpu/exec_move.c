/* SPDX-License-Identifier: MIT */
/**
 * DOC: moves and the stack
 */
#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/cpu/exec.h"

#define MOVES(bits)                                                                                      \
	static void mov_rr_##bits(struct cpu *c, const struct insn *i)                                   \
	{                                                                                                \
		reg_set##bits(c, i->rm_off, reg_get##bits(c, i->reg_off));                               \
	}                                                                                                \
	static void mov_rv_##bits(struct cpu *c, const struct insn *i)                                   \
	{                                                                                                \
		reg_set##bits(c, i->reg_off, reg_get##bits(c, i->rm_off));                               \
	}                                                                                                \
	static void mov_rm_##bits(struct cpu *c, const struct insn *i)                                   \
	{                                                                                                \
		reg_set##bits(c, i->reg_off, mem_read##bits(c, mem_operand(c, i, (bits) / 8, MEM_READ))); \
	}                                                                                                \
	static void mov_mr_##bits(struct cpu *c, const struct insn *i)                                   \
	{                                                                                                \
		mem_write##bits(c, mem_operand(c, i, (bits) / 8, MEM_WRITE), reg_get##bits(c, i->reg_off)); \
	}                                                                                                \
	static void mov_ri_##bits(struct cpu *c, const struct insn *i)                                   \
	{                                                                                                \
		reg_set##bits(c, i->rm_off, (uint##bits##_t) i->imm);                                    \
	}                                                                                                \
	static void mov_mi_##bits(struct cpu *c, const struct insn *i)                                   \
	{                                                                                                \
		mem_write##bits(c, mem_operand(c, i, (bits) / 8, MEM_WRITE), (uint##bits##_t) i->imm);   \
	}                                                                                                \
	static void mov_load_##bits(struct cpu *c, const struct insn *i)                                 \
	{                                                                                                \
		uint64_t lin = mem_linear(c, i->seg, (uint64_t) i->imm, (bits) / 8, MEM_READ);           \
		reg_set##bits(c, REG_RAX * 8, mem_read##bits(c, lin));                                   \
	}                                                                                                \
	static void mov_store_##bits(struct cpu *c, const struct insn *i)                                \
	{                                                                                                \
		uint64_t lin = mem_linear(c, i->seg, (uint64_t) i->imm, (bits) / 8, MEM_WRITE);          \
		mem_write##bits(c, lin, (uint##bits##_t) c->reg[REG_RAX]);                               \
	}                                                                                                \
	static void cmov_r_##bits(struct cpu *c, const struct insn *i)                                   \
	{                                                                                                \
		bool yes = flags_test(c->status, i->opcode & 15);                                        \
		reg_set##bits(c, i->reg_off, reg_get##bits(c, yes ? i->rm_off : i->reg_off));            \
	}                                                                                                \
	static void cmov_m_##bits(struct cpu *c, const struct insn *i)                                   \
	{                                                                                                \
		uint##bits##_t v = mem_read##bits(c, mem_operand(c, i, (bits) / 8, MEM_READ));           \
		bool yes = flags_test(c->status, i->opcode & 15);                                        \
		reg_set##bits(c, i->reg_off, yes ? v : reg_get##bits(c, i->reg_off));                    \
	}

MOVES(8)
MOVES(16)
MOVES(32)
MOVES(64)

/* Zero- and sign-extending moves: from @from bits to @to */
#define EXTEND(name, type, from, to)                                                                     \
	static void name##_r_##from##_##to(struct cpu *c, const struct insn *i)                          \
	{                                                                                                \
		reg_set##to(c, i->reg_off, (uint##to##_t) (type##to##_t) (type##from##_t) reg_get##from(c, i->rm_off)); \
	}                                                                                                \
	static void name##_m_##from##_##to(struct cpu *c, const struct insn *i)                          \
	{                                                                                                \
		type##from##_t v = (type##from##_t) mem_read##from(c, mem_operand(c, i, (from) / 8, MEM_READ)); \
		reg_set##to(c, i->reg_off, (uint##to##_t) (type##to##_t) v);                             \
	}

#define EXTENDS(from, to) EXTEND(movzx, uint, from, to) EXTEND(movsx, int, from, to)

EXTENDS(8, 16)
EXTENDS(8, 32)
EXTENDS(8, 64)
EXTENDS(16, 16)
EXTENDS(16, 32)
EXTENDS(16, 64)
EXTEND(movsx, int, 32, 64)
EXTEND(movzx, uint, 32, 32)

static void lea(struct cpu *c, const struct insn *i)
{
	reg_set(c, i->reg, i->size, cpu_ea(c, i));
}

static void setcc(struct cpu *c, const struct insn *i)
{
	uint8_t v = flags_test(c->status, i->opcode & 15);

	if (i->is_mem)
		mem_write8(c, mem_operand(c, i, 1, MEM_WRITE), v);
	else
		reg_set8(c, i->rm_off, v);
}

static void push_reg64(struct cpu *c, const struct insn *i)
{
	uint64_t sp = c->reg[REG_RSP] - 8;

	mem_write64(c, sp, c->reg[i->rm]);
	c->reg[REG_RSP] = sp;
}

static void pop_reg64(struct cpu *c, const struct insn *i)
{
	uint64_t v = mem_read64(c, c->reg[REG_RSP]);

	c->reg[REG_RSP] += 8;
	c->reg[i->rm] = v;
}

static void push_reg(struct cpu *c, const struct insn *i)
{
	stack_push(c, i->size, reg_get(c, i->rm, i->size));
}

static void pop_reg(struct cpu *c, const struct insn *i)
{
	uint64_t v = stack_peek(c, 0, i->size);

	stack_set(c, c->reg[REG_RSP] + i->size);
	reg_set(c, i->rm, i->size, v);
}

static void push_imm(struct cpu *c, const struct insn *i)
{
	stack_push(c, i->size, (uint64_t) i->imm);
}

static void push_rm(struct cpu *c, const struct insn *i)
{
	stack_push(c, i->size, rm_read(c, i, i->size));
}

/* The address is computed with RSP after the pop. */
static void pop_rm(struct cpu *c, const struct insn *i)
{
	uint64_t v = stack_peek(c, 0, i->size), sp = c->reg[REG_RSP], lin;

	if (!i->is_mem) {
		pop_reg(c, i);
		return;
	}
	stack_set(c, sp + i->size);
	lin = cpu_ea(c, i);
	c->reg[REG_RSP] = sp; /* what follows may fault */
	mem_write_n(c, mem_linear(c, i->seg, lin, i->size, MEM_WRITE), i->size, v);
	stack_set(c, sp + i->size);
}

static void pusha(struct cpu *c, const struct insn *i)
{
	uint64_t sp = c->reg[REG_RSP];

	for (unsigned n = 0; n < 8; n++) {
		uint64_t at = (sp - (n + 1) * i->size) & stack_mask(c);

		mem_write_n(c, mem_linear(c, SEG_SS, at, i->size, MEM_WRITE), i->size, reg_get(c, n, i->size));
	}
	stack_set(c, sp - 8 * i->size);
}

static void popa(struct cpu *c, const struct insn *i)
{
	uint64_t v[8];

	for (unsigned n = 0; n < 8; n++)
		v[n] = stack_peek(c, n * i->size, i->size);
	stack_set(c, c->reg[REG_RSP] + 8 * i->size);
	for (unsigned n = 0; n < 8; n++)
		if (n != 3)
			reg_set(c, 7 - n, i->size, v[n]);
}

static void enter(struct cpu *c, const struct insn *i)
{
	unsigned level = i->imm2 & 31, size = i->size;
	uint64_t mask = stack_mask(c), sp = c->reg[REG_RSP], bp = c->reg[REG_RBP], frame;
	unsigned seg = stack_seg(c);

	sp -= size;
	mem_write_n(c, mem_linear(c, seg, sp & mask, size, MEM_WRITE), size, bp);
	frame = sp;
	for (unsigned n = 1; n < level; n++) {
		uint64_t v;

		bp -= size;
		v = mem_read_n(c, mem_linear(c, seg, bp & mask, size, MEM_READ), size);
		sp -= size;
		mem_write_n(c, mem_linear(c, seg, sp & mask, size, MEM_WRITE), size, v);
	}
	if (level > 0) {
		sp -= size;
		mem_write_n(c, mem_linear(c, seg, sp & mask, size, MEM_WRITE), size, frame);
	}
	sp -= (uint64_t) i->imm;
	cpu_check_write(c, mem_linear(c, seg, sp & mask, size, MEM_WRITE), size);
	reg_set(c, REG_RBP, size, frame);
	stack_set(c, sp);
}

static void leave(struct cpu *c, const struct insn *i)
{
	uint64_t bp = c->reg[REG_RBP] & stack_mask(c);
	uint64_t v = mem_read_n(c, mem_linear(c, stack_seg(c), bp, i->size, MEM_READ), i->size);

	stack_set(c, bp + i->size);
	reg_set(c, REG_RBP, i->size, v);
}

static void bswap(struct cpu *c, const struct insn *i)
{
	if (i->size == 8)
		c->reg[i->rm] = __builtin_bswap64(c->reg[i->rm]);
	else if (i->size == 4)
		c->reg[i->rm] = __builtin_bswap32((uint32_t) c->reg[i->rm]);
	else
		reg_set16(c, i->rm * 8, 0); /* undefined; what processors do */
}

static uint64_t swapped(uint64_t v, unsigned size)
{
	return __builtin_bswap64(v) >> (64 - size * 8);
}

static void movbe(struct cpu *c, const struct insn *i)
{
	if (i->opcode == 0xF0)
		reg_set(c, i->reg, i->size, swapped(rm_read(c, i, i->size), i->size));
	else
		rm_write(c, i, i->size, swapped(reg_get(c, i->reg, i->size), i->size));
}

static void movnti(struct cpu *c, const struct insn *i)
{
	rm_write(c, i, i->size, reg_get(c, i->reg, i->size));
}

static void cbw(struct cpu *c, const struct insn *i)
{
	unsigned half = i->size * 4; /* bits */
	int64_t v = (int64_t) (c->reg[REG_RAX] << (64 - half)) >> (64 - half);

	reg_set(c, REG_RAX, i->size, (uint64_t) v);
}

static void cwd(struct cpu *c, const struct insn *i)
{
	bool negative = c->reg[REG_RAX] >> (i->size * 8 - 1) & 1;

	reg_set(c, REG_RDX, i->size, negative ? UINT64_MAX : 0);
}

static void xlat(struct cpu *c, const struct insn *i)
{
	uint64_t ea = c->reg[REG_RBX] + (uint8_t) c->reg[REG_RAX];

	if (i->addr_size < 8)
		ea &= i->addr_size == 4 ? 0xFFFFFFFF : 0xFFFF;
	reg_set8(c, REG_RAX * 8, mem_read8(c, mem_linear(c, i->seg, ea, 1, MEM_READ)));
}

static void lahf(struct cpu *c, const struct insn *i)
{
	(void) i;
	reg_set8(c, REG_RAX * 8 + 1, (uint8_t) (cpu_rflags(c)));
}

static void sahf(struct cpu *c, const struct insn *i)
{
	(void) i;
	c->status = (c->status & FL_OF) | (reg_get8(c, REG_RAX * 8 + 1) & 0xD5);
}

static void carry(struct cpu *c, const struct insn *i)
{
	if (i->opcode == 0xF5)
		c->status ^= FL_CF;
	else
		c->status = (c->status & ~FL_CF) | (i->opcode & 1);
}

static void direction(struct cpu *c, const struct insn *i)
{
	c->flags = (c->flags & ~FL_DF) | (i->opcode & 1 ? FL_DF : 0);
}

static void salc(struct cpu *c, const struct insn *i)
{
	(void) i;
	reg_set8(c, REG_RAX * 8, c->status & FL_CF ? 0xFF : 0);
}

#define ROW(name) { name##_8, name##_16, name##_32, name##_64 }

static cpu_exec_fn *const mov_rr[4] = ROW(mov_rr), *const mov_rv[4] = ROW(mov_rv), *const mov_rm[4] = ROW(mov_rm),
		   *const mov_mr[4] = ROW(mov_mr), *const mov_ri[4] = ROW(mov_ri), *const mov_mi[4] = ROW(mov_mi),
		   *const mov_load[4] = ROW(mov_load), *const mov_store[4] = ROW(mov_store),
		   *const cmov_r[4] = ROW(cmov_r), *const cmov_m[4] = ROW(cmov_m);

static cpu_exec_fn *const extend[4][2][4] = {
	{ { NULL, movzx_r_8_16, movzx_r_8_32, movzx_r_8_64 }, { NULL, movzx_m_8_16, movzx_m_8_32, movzx_m_8_64 } },
	{ { NULL, movzx_r_16_16, movzx_r_16_32, movzx_r_16_64 }, { NULL, movzx_m_16_16, movzx_m_16_32, movzx_m_16_64 } },
	{ { NULL, movsx_r_8_16, movsx_r_8_32, movsx_r_8_64 }, { NULL, movsx_m_8_16, movsx_m_8_32, movsx_m_8_64 } },
	{ { NULL, movsx_r_16_16, movsx_r_16_32, movsx_r_16_64 }, { NULL, movsx_m_16_16, movsx_m_16_32, movsx_m_16_64 } },
};

static cpu_exec_fn *const movsxd[2][4] = {
	{ NULL, mov_rv_16, movzx_r_32_32, movsx_r_32_64 },
	{ NULL, mov_rm_16, movzx_m_32_32, movsx_m_32_64 },
};

static cpu_exec_fn *bind_1byte(const struct cpu *c, const struct insn *i)
{
	unsigned op = i->opcode, size = size_index(i->size);

	switch (op) {
	case 0x60:
		return pusha;
	case 0x61:
		return popa;
	case 0x63:
		return c->mode == CPU_MODE_64 ? movsxd[i->is_mem][size] : NULL; /* else ARPL */
	case 0x68:
	case 0x6A:
		return push_imm;
	case 0x88:
	case 0x89:
		return i->is_mem ? mov_mr[size] : mov_rr[size];
	case 0x8A:
	case 0x8B:
		return i->is_mem ? mov_rm[size] : mov_rv[size];
	case 0x8D:
		return i->is_mem ? lea : cpu_undefined;
	case 0x8F:
		return i->modrm >> 3 & 7 ? cpu_undefined : pop_rm;
	case 0x98:
		return cbw;
	case 0x99:
		return cwd;
	case 0x9E:
		return sahf;
	case 0x9F:
		return lahf;
	case 0xA0:
	case 0xA1:
		return mov_load[size];
	case 0xA2:
	case 0xA3:
		return mov_store[size];
	case 0xC6:
	case 0xC7:
		return i->modrm >> 3 & 7 ? cpu_undefined : i->is_mem ? mov_mi[size] : mov_ri[size];
	case 0xC8:
		return enter;
	case 0xC9:
		return leave;
	case 0xD6:
		return salc;
	case 0xD7:
		return xlat;
	case 0xF5:
	case 0xF8:
	case 0xF9:
		return carry;
	case 0xFC:
	case 0xFD:
		return direction;
	case 0xFF:
		return (i->modrm >> 3 & 7) == 6 ? push_rm : NULL;
	default:
		break;
	}
	if ((op & 0xF8) == 0x50)
		return c->mode == CPU_MODE_64 && i->size == 8 ? push_reg64 : push_reg;
	if ((op & 0xF8) == 0x58)
		return c->mode == CPU_MODE_64 && i->size == 8 ? pop_reg64 : pop_reg;
	if ((op & 0xF0) == 0xB0)
		return mov_ri[size];
	return NULL;
}

static cpu_exec_fn *bind_0f(const struct insn *i)
{
	unsigned op = i->opcode, size = size_index(i->size);

	if ((op & 0xF0) == 0x40)
		return i->is_mem ? cmov_m[size] : cmov_r[size];
	if ((op & 0xF0) == 0x90)
		return setcc;
	if ((op & 0xF8) == 0xC8)
		return bswap;
	if ((op & 0xF6) == 0xB6)
		return extend[(op >> 2 & 2) | (op & 1)][i->is_mem][size];
	if (op == 0xC3 && i->is_mem && i->pp == 0)
		return movnti;
	return NULL;
}

cpu_exec_fn *move_bind(const struct cpu *c, const struct insn *i)
{
	cpu_exec_fn *f = NULL;

	if (i->map == MAP_1BYTE)
		f = bind_1byte(c, i);
	else if (i->map == MAP_0F)
		f = bind_0f(i);
	else if (i->map == MAP_0F38 && (i->opcode & 0xFE) == 0xF0 && i->pp < 2 && i->is_mem)
		f = cpuid_has(c, CPUID_WORD_1_ECX, 22) ? movbe : cpu_undefined;
	return f != NULL && (i->prefix & PFX_LOCK) ? cpu_undefined : f;
}

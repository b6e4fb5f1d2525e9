// SPDX-License-Identifier: MIT
/*
 * The x87 environment: control, status and tag words, and the formats in which they go to memory.
 */
#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/simd/regs.h"
#include "vmm/accel/soft/simd/x87.h"

#define FCW_VALID 0x1F3Fu /* the other bits are 0, but bit 6 is 1 */
#define FCW_ONE 0x40u
#define FCW_MASKS 0x3Fu
#define ENV_MAX 28
#define SAVE_MAX (ENV_MAX + 80)

static unsigned top(const struct cpu *c)
{
	return xs_get16(c, XS_FSW) >> FSW_TOP_SHIFT & 7;
}

/* 0 valid, 1 zero, 2 special, 3 empty */
static unsigned tag(const struct cpu *c, unsigned physical)
{
	const uint8_t *st = c->xsave + XS_ST + (size_t) ((physical - top(c)) & 7) * 16;
	uint64_t mantissa;
	uint16_t exponent;

	if (!(c->xsave[XS_FTW] >> physical & 1))
		return 3;
	memcpy(&mantissa, st, 8);
	memcpy(&exponent, st + 8, 2);
	exponent &= 0x7FFF;
	if (exponent == 0 && mantissa == 0)
		return 1;
	return exponent == 0 || exponent == 0x7FFF || !(mantissa >> 63) ? 2 : 0;
}

static uint16_t tags(const struct cpu *c)
{
	unsigned all = 0;

	for (unsigned n = 0; n < 8; n++)
		all |= tag(c, n) << 2 * n;
	return (uint16_t) all;
}

static void set_tags(struct cpu *c, uint16_t all)
{
	c->xsave[XS_FTW] = 0;
	for (unsigned n = 0; n < 8; n++)
		if ((all >> 2 * n & 3) != 3)
			c->xsave[XS_FTW] |= (uint8_t) (1u << n);
}

static bool real_format(const struct cpu *c)
{
	return cpu_is_real(c) || cpu_is_v86(c);
}

static void put16(uint8_t *at, uint32_t v)
{
	uint16_t low = (uint16_t) v;

	memcpy(at, &low, 2);
}

static void put32(uint8_t *at, uint32_t v)
{
	memcpy(at, &v, 4);
}

/* Returns the size. */
static unsigned env_put(const struct cpu *c, unsigned size, uint8_t *to)
{
	uint32_t ip, dp, op = xs_get16(c, XS_FOP) & 0x7FF;

	memcpy(&ip, c->xsave + XS_FIP, 4);
	memcpy(&dp, c->xsave + XS_FDP, 4);
	if (size == 2) {
		put16(to, xs_get16(c, XS_FCW));
		put16(to + 2, xs_get16(c, XS_FSW));
		put16(to + 4, tags(c));
		put16(to + 6, ip);
		put16(to + 8, real_format(c) ? (ip >> 16 & 0xF) << 12 | op : 0);
		put16(to + 10, dp);
		put16(to + 12, real_format(c) ? (dp >> 16 & 0xF) << 12 : 0);
		return 14;
	}
	put32(to, 0xFFFF0000u | xs_get16(c, XS_FCW));
	put32(to + 4, 0xFFFF0000u | xs_get16(c, XS_FSW));
	put32(to + 8, 0xFFFF0000u | tags(c));
	if (real_format(c)) {
		put32(to + 12, 0xFFFF0000u | (ip & 0xFFFF));
		put32(to + 16, (ip >> 16) << 12 | op);
		put32(to + 20, 0xFFFF0000u | (dp & 0xFFFF));
		put32(to + 24, (dp >> 16) << 12);
	} else {
		put32(to + 12, ip);
		put32(to + 16, op << 16);
		put32(to + 20, dp);
		put32(to + 24, 0xFFFF0000u);
	}
	return 28;
}

static uint32_t get16(const uint8_t *at)
{
	uint16_t v;

	memcpy(&v, at, 2);
	return v;
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, 4);
	return v;
}

static void control_set(struct cpu *c, uint32_t v)
{
	xs_set16(c, XS_FCW, (uint16_t) ((v & FCW_VALID) | FCW_ONE));
	x87_pending(c);
}

static void env_get(struct cpu *c, unsigned size, const uint8_t *from)
{
	unsigned step = size == 2 ? 2 : 4;
	uint64_t ip = get16(from + 3 * step), dp = get16(from + 5 * step);
	uint32_t op = 0;

	if (real_format(c)) {
		uint32_t ip_high = size == 2 ? get16(from + 8) : get32(from + 16);
		uint32_t dp_high = size == 2 ? get16(from + 12) : get32(from + 24);

		ip |= (ip_high >> 12) << 16;
		dp |= (dp_high >> 12) << 16;
		op = ip_high & 0x7FF;
	} else if (size != 2) {
		ip = get32(from + 12);
		dp = get32(from + 20);
		op = get32(from + 16) >> 16 & 0x7FF;
	}
	x87_set_top(c, get16(from + step) >> FSW_TOP_SHIFT & 7);
	xs_set16(c, XS_FSW, (uint16_t) get16(from + step));
	set_tags(c, (uint16_t) get16(from + 2 * step));
	xs_set16(c, XS_FOP, (uint16_t) op);
	memcpy(c->xsave + XS_FIP, &ip, 8);
	memcpy(c->xsave + XS_FDP, &dp, 8);
	control_set(c, get16(from));
}

static unsigned env_size(const struct insn *i)
{
	return i->size == 2 ? 14 : 28;
}

static void fldenv_exec(struct cpu *c, const struct insn *i)
{
	uint8_t env[ENV_MAX];

	x87_check(c, true);
	cpu_read(c, mem_operand(c, i, env_size(i), MEM_READ), env, env_size(i));
	env_get(c, i->size, env);
}

static void fnstenv_exec(struct cpu *c, const struct insn *i)
{
	uint8_t env[ENV_MAX];

	x87_check(c, false);
	cpu_write(c, mem_operand(c, i, env_size(i), MEM_WRITE), env, env_put(c, i->size, env));
	control_set(c, xs_get16(c, XS_FCW) | FCW_MASKS);
}

static void frstor_exec(struct cpu *c, const struct insn *i)
{
	unsigned env = env_size(i);
	uint8_t data[SAVE_MAX];

	x87_check(c, true);
	cpu_read(c, mem_operand(c, i, env + 80, MEM_READ), data, env + 80);
	env_get(c, i->size, data);
	for (unsigned n = 0; n < 8; n++) {
		memset(c->xsave + XS_ST + (size_t) n * 16, 0, 16);
		memcpy(c->xsave + XS_ST + (size_t) n * 16, data + env + (size_t) n * 10, 10);
	}
}

static void fnsave_exec(struct cpu *c, const struct insn *i)
{
	uint8_t data[SAVE_MAX];
	unsigned env;

	x87_check(c, false);
	env = env_put(c, i->size, data);
	for (unsigned n = 0; n < 8; n++)
		memcpy(data + env + (size_t) n * 10, c->xsave + XS_ST + (size_t) n * 16, 10);
	cpu_write(c, mem_operand(c, i, env + 80, MEM_WRITE), data, env + 80);
	x87_init(c);
}

static void fldcw_exec(struct cpu *c, const struct insn *i)
{
	x87_check(c, true);
	control_set(c, mem_read16(c, mem_operand(c, i, 2, MEM_READ)));
}

static void fnstcw_exec(struct cpu *c, const struct insn *i)
{
	x87_check(c, false);
	mem_write16(c, mem_operand(c, i, 2, MEM_WRITE), xs_get16(c, XS_FCW));
}

static void fnstsw_exec(struct cpu *c, const struct insn *i)
{
	x87_check(c, false);
	if (i->is_mem)
		mem_write16(c, mem_operand(c, i, 2, MEM_WRITE), xs_get16(c, XS_FSW));
	else
		reg_set16(c, REG_RAX * 8, xs_get16(c, XS_FSW));
}

static void fnclex_exec(struct cpu *c, const struct insn *i)
{
	(void) i;
	x87_check(c, false);
	xs_set16(c, XS_FSW, xs_get16(c, XS_FSW) & 0x7F00);
}

static void fninit_exec(struct cpu *c, const struct insn *i)
{
	(void) i;
	x87_check(c, false);
	x87_init(c);
}

/* FNENI, FNDISI, FNSETPM: for processors before the 80387 */
static void fnop_exec(struct cpu *c, const struct insn *i)
{
	(void) i;
	x87_check(c, false);
}

static cpu_exec_fn *bind_register(const struct insn *i)
{
	switch (i->opcode << 8 | i->modrm) {
	case 0xDBE0:
	case 0xDBE1:
	case 0xDBE4:
		return fnop_exec;
	case 0xDBE2:
		return fnclex_exec;
	case 0xDBE3:
		return fninit_exec;
	case 0xDFE0:
		return fnstsw_exec;
	default:
		return NULL;
	}
}

cpu_exec_fn *x87_env_bind(const struct insn *i)
{
	if (!i->is_mem)
		return bind_register(i);
	switch (i->opcode << 8 | (i->modrm >> 3 & 7)) {
	case 0xD904:
		return fldenv_exec;
	case 0xD905:
		return fldcw_exec;
	case 0xD906:
		return fnstenv_exec;
	case 0xD907:
		return fnstcw_exec;
	case 0xDD04:
		return frstor_exec;
	case 0xDD06:
		return fnsave_exec;
	case 0xDD07:
		return fnstsw_exec;
	default:
		return NULL;
	}
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: IN, OUT and their string forms
 */
#include "vmm/accel/soft/cpu/exec.h"

/* The bitmap of the task says which ports may be used by levels above IOPL. */
static void check_bitmap(struct cpu *c, uint16_t port, unsigned size)
{
	uint64_t map;
	uint16_t bits;

	if (!(c->tr.attr & SEG_P) || !(c->tr.attr & 8) || c->tr.limit < 103)
		cpu_raise_code(c, EXC_GP, 0);
	cpu_read_system(c, c->tr.base + 102, &bits, 2);
	map = bits + (port >> 3);
	if (map + 1 > c->tr.limit)
		cpu_raise_code(c, EXC_GP, 0);
	cpu_read_system(c, c->tr.base + map, &bits, 2);
	if (bits >> (port & 7) & ((1u << size) - 1))
		cpu_raise_code(c, EXC_GP, 0);
}

static void check_port(struct cpu *c, uint16_t port, unsigned size)
{
	unsigned iopl = c->flags >> 12 & 3;

	if ((c->cr0 & CR0_PE) && (cpu_is_v86(c) || c->cpl > iopl))
		check_bitmap(c, port, size);
}

static unsigned io_size(const struct insn *i)
{
	return i->size == 8 ? 4 : i->size;
}

static void in(struct cpu *c, const struct insn *i)
{
	uint16_t port = i->imm_size ? (uint8_t) i->imm : (uint16_t) c->reg[REG_RDX];
	uint64_t v = 0;

	check_port(c, port, io_size(i));
	device_access(c, CPU_EXIT_PIO, false, port, io_size(i), &v);
	if (i->size == 1)
		reg_set8(c, REG_RAX * 8, (uint8_t) v);
	else
		reg_set(c, REG_RAX, io_size(i), v);
}

static void out(struct cpu *c, const struct insn *i)
{
	uint16_t port = i->imm_size ? (uint8_t) i->imm : (uint16_t) c->reg[REG_RDX];
	unsigned size = io_size(i);
	uint64_t v = c->reg[REG_RAX] & (0xFFFFFFFFull >> (32 - size * 8));

	check_port(c, port, size);
	device_access(c, CPU_EXIT_PIO, true, port, size, &v);
}

static void ins_one(struct cpu *c, const struct insn *i, uint64_t mask)
{
	unsigned size = io_size(i), seg = c->mode == CPU_MODE_64 ? SEG_FLAT : SEG_ES;
	uint64_t to = c->reg[REG_RDI] & mask, v = 0, lin;

	lin = mem_linear(c, seg, to, size, MEM_WRITE);
	cpu_check_write(c, lin, size); /* the device must not be asked for nothing */
	device_access(c, CPU_EXIT_PIO, false, (uint16_t) c->reg[REG_RDX], size, &v);
	mem_write_n(c, lin, size, v);
	reg_set(c, REG_RDI, i->addr_size, to + (c->flags & FL_DF ? -(uint64_t) size : size));
}

static void outs_one(struct cpu *c, const struct insn *i, uint64_t mask)
{
	unsigned size = io_size(i);
	uint64_t from = c->reg[REG_RSI] & mask;
	uint64_t v = mem_read_n(c, mem_linear(c, i->seg, from, size, MEM_READ), size);

	device_access(c, CPU_EXIT_PIO, true, (uint16_t) c->reg[REG_RDX], size, &v);
	reg_set(c, REG_RSI, i->addr_size, from + (c->flags & FL_DF ? -(uint64_t) size : size));
}

static void ins_outs(struct cpu *c, const struct insn *i)
{
	uint64_t mask = i->addr_size == 8 ? UINT64_MAX : i->addr_size == 4 ? 0xFFFFFFFF : 0xFFFF, count;
	unsigned budget = STRING_BUDGET;

	check_port(c, (uint16_t) c->reg[REG_RDX], io_size(i)); /* even if it is not repeated at all */
	for (;;) {
		count = c->reg[REG_RCX] & mask;
		if (i->rep != 0 && count == 0)
			return;
		if (i->opcode < 0x6E)
			ins_one(c, i, mask);
		else
			outs_one(c, i, mask);
		if (i->rep == 0)
			return;
		reg_set(c, REG_RCX, i->addr_size, count - 1);
		if (count == 1 || !string_again(c, i, &budget))
			return;
	}
}

cpu_exec_fn *io_bind(const struct insn *i)
{
	cpu_exec_fn *f = NULL;

	if (i->map != MAP_1BYTE)
		return NULL;
	if (i->opcode >= 0x6C && i->opcode <= 0x6F)
		f = ins_outs;
	else if ((i->opcode & 0xF4) == 0xE4)
		f = i->opcode & 2 ? out : in;
	return f != NULL && (i->prefix & PFX_LOCK) ? cpu_undefined : f;
}

/* SPDX-License-Identifier: MIT */
/*
 * What the files that execute instructions share: registers by offset, memory operands that are read
 * and written back, and each file's way to find its functions.
 */
#pragma once

#include "vmm/accel/soft/cpu/mem.h"

/* Operands in memory are where the guest wants them. */
typedef uint8_t any8;
typedef uint16_t any16 __attribute__((aligned(1)));
typedef uint32_t any32 __attribute__((aligned(1)));
typedef uint64_t any64 __attribute__((aligned(1)));

/* Registers by struct insn.reg_off and rm_off.  A write of 4 bytes clears the upper half. */
#define REG_ACCESSORS(bits, stored)                                                              \
	static inline uint##bits##_t reg_get##bits(const struct cpu *c, unsigned off)            \
	{                                                                                        \
		return *(const any##bits *) ((const uint8_t *) c->reg + off);                   \
	}                                                                                        \
	static inline void reg_set##bits(struct cpu *c, unsigned off, uint##bits##_t v)          \
	{                                                                                        \
		*(any##stored *) ((uint8_t *) c->reg + off) = v;                                 \
	}

REG_ACCESSORS(8, 8)
REG_ACCESSORS(16, 16)
REG_ACCESSORS(32, 64)
REG_ACCESSORS(64, 64)

/** reg_get() - register @n, @size bytes: 2, 4 or 8 */
static inline uint64_t reg_get(const struct cpu *c, unsigned n, unsigned size)
{
	return size == 8 ? c->reg[n] : size == 4 ? (uint32_t) c->reg[n] : (uint16_t) c->reg[n];
}

/** reg_set() - register @n, @size bytes: 2, 4 or 8 */
static inline void reg_set(struct cpu *c, unsigned n, unsigned size, uint64_t v)
{
	if (size == 8)
		c->reg[n] = v;
	else if (size == 4)
		c->reg[n] = (uint32_t) v;
	else
		reg_set16(c, n * 8, (uint16_t) v);
}

/**
 * struct rmw - a memory operand that is read, changed and written
 * @p: where it is; @bounce when it is a device or in two pages
 */
struct rmw {
	void *p;
	uint64_t lin;
	_Alignas(16) uint64_t bounce[2];
};

/** rmw_begin_slow() - for what rmw_begin() does not do */
void rmw_begin_slow(struct cpu *c, unsigned size, struct rmw *ret);

/** rmw_begin() - make @size bytes at linear address @lin readable and writable at @ret->p */
static inline void rmw_begin(struct cpu *c, uint64_t lin, unsigned size, struct rmw *ret)
{
	const struct tlb_entry *e = tlb_at(c, lin);

	ret->lin = lin;
	ret->p = tlb_host(e, lin);
	if (__builtin_expect(e->write != ((lin + size - 1) & ~0xFFFull), 0))
		rmw_begin_slow(c, size, ret);
}

/**
 * rmw_split() - is the operand in two cache lines?
 *
 * Then it is not accessed atomically: the host's kernel may make who does so wait for tens of milliseconds.
 */
static inline bool rmw_split(const struct rmw *m, unsigned size)
{
	return (m->lin & 63) + size > 64;
}

/** rmw_begin_atomic() - rmw_begin() for an access that is always atomic */
static inline void rmw_begin_atomic(struct cpu *c, uint64_t lin, unsigned size, struct rmw *ret)
{
	rmw_begin(c, lin, size, ret);
	if (__builtin_expect(rmw_split(ret, size) && ret->p != ret->bounce, 0)) {
		memcpy(ret->bounce, ret->p, size);
		ret->p = ret->bounce;
	}
}

/** rmw_end() - the operand has its new value */
static inline void rmw_end(struct cpu *c, unsigned size, struct rmw *m)
{
	if (__builtin_expect(m->p == m->bounce, 0))
		cpu_write(c, m->lin, m->bounce, size);
	else
		mem_wrote(c, m->p);
}

/** mem_read_n() - read @size bytes: 1, 2, 4, 8 */
static inline uint64_t mem_read_n(struct cpu *c, uint64_t lin, unsigned size)
{
	switch (size) {
	case 1:
		return mem_read8(c, lin);
	case 2:
		return mem_read16(c, lin);
	case 4:
		return mem_read32(c, lin);
	default:
		return mem_read64(c, lin);
	}
}

/** mem_write_n() - write @size bytes: 1, 2, 4, 8 */
static inline void mem_write_n(struct cpu *c, uint64_t lin, unsigned size, uint64_t v)
{
	switch (size) {
	case 1:
		mem_write8(c, lin, (uint8_t) v);
		break;
	case 2:
		mem_write16(c, lin, (uint16_t) v);
		break;
	case 4:
		mem_write32(c, lin, (uint32_t) v);
		break;
	default:
		mem_write64(c, lin, v);
		break;
	}
}

/** rm_read() - the operand that ModRM.rm names, @size bytes: 2, 4, 8 */
static inline uint64_t rm_read(struct cpu *c, const struct insn *i, unsigned size)
{
	if (i->is_mem)
		return mem_read_n(c, mem_operand(c, i, size, MEM_READ), size);
	return reg_get(c, i->rm & 15, size);
}

/** rm_write() - the same, written */
static inline void rm_write(struct cpu *c, const struct insn *i, unsigned size, uint64_t v)
{
	if (i->is_mem)
		mem_write_n(c, mem_operand(c, i, size, MEM_WRITE), size, v);
	else
		reg_set(c, i->rm & 15, size, v);
}

/** size_index() - 0 to 3 for 1, 2, 4, 8 bytes */
static inline unsigned size_index(unsigned size)
{
	return size == 8 ? 3 : size >> 1;
}

/** stack_mask() - the bits of RSP that count */
static inline uint64_t stack_mask(const struct cpu *c)
{
	if (c->mode == CPU_MODE_64)
		return UINT64_MAX;
	return c->seg[SEG_SS].attr & SEG_DB ? 0xFFFFFFFF : 0xFFFF;
}

/** stack_seg() - where the stack is */
static inline unsigned stack_seg(const struct cpu *c)
{
	return c->mode == CPU_MODE_64 ? SEG_FLAT_STACK : SEG_SS;
}

/** stack_set() - RSP becomes @sp in the bits that count */
static inline void stack_set(struct cpu *c, uint64_t sp)
{
	uint64_t mask = stack_mask(c);

	if (mask == 0xFFFF)
		reg_set16(c, REG_RSP * 8, (uint16_t) sp);
	else
		c->reg[REG_RSP] = sp & mask;
}

/** stack_push() - push @size bytes */
static inline void stack_push(struct cpu *c, unsigned size, uint64_t v)
{
	uint64_t sp = c->reg[REG_RSP] - size;

	mem_write_n(c, mem_linear(c, stack_seg(c), sp & stack_mask(c), size, MEM_WRITE), size, v);
	stack_set(c, sp);
}

/** stack_peek() - what is @at bytes above the top of the stack */
static inline uint64_t stack_peek(struct cpu *c, unsigned at, unsigned size)
{
	uint64_t sp = (c->reg[REG_RSP] + at) & stack_mask(c);

	return mem_read_n(c, mem_linear(c, stack_seg(c), sp, size, MEM_READ), size);
}

/** replay_done() - what was asked of devices is done with: one step of a string instruction is complete */
static inline void replay_done(struct cpu *c)
{
	c->replay.nr = 0;
	c->replay.next = 0;
}

/**
 * device_access() - ask a device, or unwind until it has answered
 * @size: 1, 2, 4 or 8 bytes
 */
void device_access(struct cpu *c, enum cpu_exit_kind kind, bool write, uint64_t addr, unsigned size, uint64_t *data);

/**
 * string_again() - a repeated instruction has more to do: start it again later, or now
 *
 * Return: true when it is to go on now.
 */
static inline bool string_again(struct cpu *c, const struct insn *i, unsigned *budget)
{
	replay_done(c);
	if (--*budget != 0 && !(c->flags & FL_TF) && __atomic_load_n(&c->event, __ATOMIC_RELAXED) == 0)
		return true;
	c->reg[REG_RIP] -= i->len;
	c->leave = true;
	return false;
}

#define STRING_BUDGET 4096u /* steps of a repeated instruction before others are looked at */

/** flags_test() - condition 0 to 15 as in Jcc */
bool flags_test(uint32_t status, unsigned condition);

/** cpu_jump() - continue at @rip; #GP if it is outside of the code segment or not canonical */
void cpu_jump(struct cpu *c, uint64_t rip, unsigned size);

/** cpu_undefined() - #UD, as a function that executes */
void cpu_undefined(struct cpu *c, const struct insn *i);

/** cpu_need_cpl0() - #GP(0) at other levels, and in virtual-8086 mode */
void cpu_need_cpl0(struct cpu *c);

/** alu_bind() - arithmetic and logic; NULL: not one of them */
cpu_exec_fn *alu_bind(const struct insn *i);

/** shift_bind() - shifts and rotates */
cpu_exec_fn *shift_bind(const struct insn *i);

/** bits_bind() - bit tests and scans, counts */
cpu_exec_fn *bits_bind(const struct cpu *c, const struct insn *i);

/** mul_bind() - multiplication, division, decimal adjustment */
cpu_exec_fn *mul_bind(const struct insn *i);

/** atomic_bind() - XCHG, XADD, CMPXCHG */
cpu_exec_fn *atomic_bind(const struct insn *i);

/** move_bind() - moves and the stack */
cpu_exec_fn *move_bind(const struct cpu *c, const struct insn *i);

/** string_bind() - string instructions */
cpu_exec_fn *string_bind(const struct insn *i);

/** branch_bind() - jumps, calls, returns, interrupts */
cpu_exec_fn *branch_bind(const struct insn *i);

/** io_bind() - IN, OUT */
cpu_exec_fn *io_bind(const struct insn *i);

/** segment_bind() - segment registers and descriptor tables */
cpu_exec_fn *segment_bind(const struct cpu *c, const struct insn *i);

/** system_bind() - control registers, MSRs and the like */
cpu_exec_fn *system_bind(const struct cpu *c, const struct insn *i);

/** control_bind() - control and debug registers */
cpu_exec_fn *control_bind(const struct cpu *c, const struct insn *i);

/* SPDX-License-Identifier: MIT */
/*
 * Memory as instructions see it.
 *
 * Every function here either succeeds or does not return: a fault, or a device that must be asked,
 * unwinds to cpu_run() (cpu_raise()).  So an instruction makes all accesses that can fail before it
 * changes a register, and owns nothing that would have to be released.
 */
#pragma once

#include <string.h>

#include "vmm/accel/soft/cpu/decode.h"
#include "vmm/accel/soft/cpu/state.h"

/** enum mem_access - bits */
enum mem_access { MEM_READ = 1, MEM_WRITE = 2, MEM_SYSTEM = 4 /* by the processor for itself: as level 0 */ };

/** cpu_raise() - leave the instruction with an exception without error code */
_Noreturn void cpu_raise(struct cpu *c, enum cpu_vector vector);

/** cpu_raise_code() - leave the instruction with an exception that has an error code */
_Noreturn void cpu_raise_code(struct cpu *c, enum cpu_vector vector, uint32_t code);

/** cpu_ea() - offset of the memory operand of @i in its segment */
static inline uint64_t cpu_ea(const struct cpu *c, const struct insn *i)
{
	uint64_t a = c->reg[i->base] + (c->reg[i->index] << i->scale) + (uint64_t) (int64_t) i->disp;

	if (__builtin_expect(i->addr_size == 8, 1))
		return a;
	return i->addr_size == 4 ? (uint32_t) a : (uint16_t) a;
}

/** mem_segment_slow() - mem_linear() with checks */
uint64_t mem_segment_slow(struct cpu *c, unsigned seg, uint64_t ea, unsigned size, unsigned access);

/**
 * mem_linear() - linear address of @size bytes at @ea of segment @seg
 * Return: it; #GP or #SS for what the segment does not allow (64-bit: what is not canonical is found when accessed).
 */
static inline uint64_t mem_linear(struct cpu *c, unsigned seg, uint64_t ea, unsigned size, unsigned access)
{
	if (__builtin_expect((c->seg[seg].flat & access & 3) != (access & 3), 0))
		return mem_segment_slow(c, seg, ea, size, access);
	return c->seg[seg].base + ea;
}

/** mem_operand() - linear address of the memory operand of @i, @size bytes */
static inline uint64_t mem_operand(struct cpu *c, const struct insn *i, unsigned size, unsigned access)
{
	return mem_linear(c, i->seg, cpu_ea(c, i), size, access);
}

/** tlb_index() - which entry of an array is for @lin */
static inline unsigned tlb_index(uint64_t lin)
{
	return lin >> 12 & (TLB_ENTRIES - 1);
}

static inline struct tlb_entry *tlb_at(const struct cpu *c, uint64_t lin)
{
	return &c->tlb_now[tlb_index(lin)];
}

/** tlb_space() - where the array for @right is now; kernel pages are kept for all address spaces together */
static inline struct tlb *tlb_space(const struct cpu *c, enum tlb_right right)
{
	return &c->tlb[right == TLB_KERNEL || right == TLB_SLOW ? 0 : c->space.now];
}

/** tlb_array() - entries of the current address space for @right */
static inline struct tlb_entry *tlb_array(const struct cpu *c, enum tlb_right right)
{
	return tlb_space(c, right)->entry[right];
}

/** tlb_code_at() - the entry for instructions at @lin; those of level 0 to 2 are kept for all spaces together */
static inline struct tlb_code *tlb_code_at(const struct cpu *c, uint64_t lin)
{
	bool user = c->cpl == 3;

	return &c->tlb[user ? c->space.now : 0].code[user][lin >> 12 & (TLB_CODE_ENTRIES - 1)];
}

/** tlb_system() - entries for what the processor accesses for itself: as level 0 does without RFLAGS.AC */
static inline struct tlb_entry *tlb_system(const struct cpu *c)
{
	return tlb_array(c, c->cr4 & CR4_SMAP ? TLB_KERNEL : TLB_KERNEL_AC);
}

/** tlb_host() - host address of @lin by its entry */
static inline void *tlb_host(const struct tlb_entry *e, uint64_t lin)
{
	return (void *) (uintptr_t) (e->host + (lin & 0xFFF));
}

/**
 * cpu_host() - host address of @size bytes at @lin if they are RAM and in one page
 * @access: MEM_READ or MEM_WRITE (or both), with the rights of the current privilege level
 * Return: where to access them until the next call of anything here; NULL: a device, or two pages (use
 * cpu_read(), cpu_write()).  Faults.
 */
void *cpu_host(struct cpu *c, uint64_t lin, unsigned size, unsigned access);

/** cpu_read() - read @size bytes, up to 4096, at linear address @lin */
void cpu_read(struct cpu *c, uint64_t lin, void *ret, unsigned size);

/** cpu_write() - write @size bytes, up to 4096; nothing is written if one of them cannot be */
void cpu_write(struct cpu *c, uint64_t lin, const void *data, unsigned size);

/** cpu_read_system() - cpu_read() by the processor for itself: tables and the like */
void cpu_read_system(struct cpu *c, uint64_t lin, void *ret, unsigned size);

/** cpu_write_system() - cpu_write() by the processor for itself */
void cpu_write_system(struct cpu *c, uint64_t lin, const void *data, unsigned size);

/** cpu_check_write() - fault as cpu_write() would */
void cpu_check_write(struct cpu *c, uint64_t lin, unsigned size);

/** cpu_check_read() - fault as cpu_read() would */
void cpu_check_read(struct cpu *c, uint64_t lin, unsigned size);

/* Note that code which is executing was written, see cpu_run(). */
static inline void mem_wrote(struct cpu *c, const void *host)
{
	if (__builtin_expect((((uintptr_t) host ^ c->code_page) & ~0xFFFull) == 0, 0))
		c->leave = true;
}

#define MEM_ACCESSORS(bits)                                                                           \
	uint##bits##_t mem_read##bits##_slow(struct cpu *c, uint64_t lin);                            \
	void mem_write##bits##_slow(struct cpu *c, uint64_t lin, uint##bits##_t v);                   \
	static inline uint##bits##_t mem_read##bits(struct cpu *c, uint64_t lin)                      \
	{                                                                                             \
		const struct tlb_entry *e = tlb_at(c, lin);                                           \
		uint##bits##_t v;                                                                     \
		if (__builtin_expect(e->read != ((lin + (bits) / 8 - 1) & ~0xFFFull), 0))             \
			return mem_read##bits##_slow(c, lin);                                         \
		memcpy(&v, tlb_host(e, lin), sizeof(v));                                              \
		return v;                                                                             \
	}                                                                                             \
	static inline void mem_write##bits(struct cpu *c, uint64_t lin, uint##bits##_t v)             \
	{                                                                                             \
		const struct tlb_entry *e = tlb_at(c, lin);                                           \
		void *p = tlb_host(e, lin);                                                           \
		if (__builtin_expect(e->write != ((lin + (bits) / 8 - 1) & ~0xFFFull), 0)) {          \
			mem_write##bits##_slow(c, lin, v);                                            \
			return;                                                                       \
		}                                                                                     \
		memcpy(p, &v, sizeof(v));                                                             \
		mem_wrote(c, p);                                                                      \
	}

MEM_ACCESSORS(8)
MEM_ACCESSORS(16)
MEM_ACCESSORS(32)
MEM_ACCESSORS(64)

/* SPDX-License-Identifier: MIT */
/**
 * DOC: bit tests, scans and counts
 */
#include "vmm/accel/soft/cpu/alu.h"
#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/cpu/exec.h"

enum { BT, BTS, BTR, BTC };

static uint64_t changed(unsigned op, uint64_t v, uint64_t bit)
{
	switch (op) {
	case BTS:
		return v | bit;
	case BTR:
		return v & ~bit;
	case BTC:
		return v ^ bit;
	default:
		return v;
	}
}

static void set_carry(struct cpu *c, bool carry)
{
	c->status = (c->status & ~FL_CF) | (carry ? FL_CF : 0);
}

static void in_memory(struct cpu *c, const struct insn *i, unsigned op, uint64_t lin, unsigned n)
{
	unsigned size = i->size;
	uint64_t bit = 1ull << n, old = 0, new;
	struct rmw m;

	if (op == BT) {
		set_carry(c, mem_read_n(c, lin, size) & bit);
		return;
	}
	rmw_begin(c, lin, size, &m);
	if (i->prefix & PFX_LOCK) { /* all that changes is in one byte */
		uint8_t *p = (uint8_t *) m.p + n / 8, byte = __atomic_load_n(p, __ATOMIC_RELAXED);

		while (!__atomic_compare_exchange_n(p, &byte, (uint8_t) changed(op, byte, 1u << n % 8), false,
						    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			continue;
		old = byte >> n % 8 & 1 ? bit : 0;
	} else {
		memcpy(&old, m.p, size);
		new = changed(op, old, bit);
		memcpy(m.p, &new, size);
	}
	rmw_end(c, size, &m);
	set_carry(c, old & bit);
}

static void bit_test(struct cpu *c, const struct insn *i)
{
	unsigned op = i->opcode == 0xBA ? i->modrm >> 3 & 3 : i->opcode >> 3 & 3, size = i->size, log = size_index(size) + 3;
	uint64_t n = i->opcode == 0xBA ? (uint64_t) i->imm & (size * 8 - 1) : reg_get(c, i->reg, size), old;

	if (i->is_mem) {
		int64_t s = (int64_t) (n << (64 - size * 8)) >> (64 - size * 8); /* an index with sign */
		uint64_t ea = cpu_ea(c, i);

		if (i->opcode != 0xBA)
			ea += (uint64_t) (s >> log) * size;
		if (i->addr_size < 8)
			ea &= i->addr_size == 4 ? 0xFFFFFFFF : 0xFFFF;
		in_memory(c, i, op, mem_linear(c, i->seg, ea, size, op == BT ? MEM_READ : MEM_READ | MEM_WRITE),
			  (unsigned) n & (size * 8 - 1));
		return;
	}
	n &= size * 8 - 1;
	old = reg_get(c, i->rm, size);
	if (op != BT)
		reg_set(c, i->rm, size, changed(op, old, 1ull << n));
	set_carry(c, old >> n & 1);
}

/* Instructions of two operands, source and result, whose flags are the host's; @keep: the result may stay as it was */
#define SCAN(name, text, bits)                                                                           \
	static void name##_##bits(struct cpu *c, const struct insn *i)                                   \
	{                                                                                                \
		uint##bits##_t b = i->is_mem ? mem_read##bits(c, mem_operand(c, i, (bits) / 8, MEM_READ)) : \
					       reg_get##bits(c, i->rm_off);                              \
		uint##bits##_t a = reg_get##bits(c, i->reg_off);                                         \
		uint32_t ax = alu_ax(c->status);                                                         \
		__asm__("add $0x7F, %%al\n\tsahf\n\t" text " %[b], %[a]\n\t" ALU_SAVE                    \
			: [a] "+r"(a), "+&a"(ax)                                                         \
			: [b] "r"(b)                                                                     \
			: "cc");                                                                         \
		c->status = alu_status(ax);                                                              \
		if (!keeps(#name, b))                                                                    \
			reg_set##bits(c, i->reg_off, a);                                                 \
	}
#define SCANS(name, text) SCAN(name, text, 16) SCAN(name, text, 32) SCAN(name, text, 64)

/* BSF and BSR of 0 leave the result alone, upper half included, as all processors do. */
static inline bool keeps(const char *name, uint64_t source)
{
	return name[0] == 'b' && source == 0;
}

SCANS(bsf, "bsf")
SCANS(bsr, "bsr")
SCANS(tzcnt, "tzcnt")
SCANS(lzcnt, "lzcnt")
SCANS(popcnt, "popcnt")

#define ROW(name) { NULL, name##_16, name##_32, name##_64 }
enum { BSF, BSR, TZCNT, LZCNT, POPCNT, SCAN_OPS };

static cpu_exec_fn *const scans[SCAN_OPS][4] = { ROW(bsf), ROW(bsr), ROW(tzcnt), ROW(lzcnt), ROW(popcnt) };

static cpu_exec_fn *bind_bit_test(const struct insn *i)
{
	bool bt = i->opcode == 0xA3 || (i->opcode == 0xBA && (i->modrm >> 3 & 7) == 4);

	if ((i->prefix & PFX_LOCK) && (bt || !i->is_mem))
		return cpu_undefined;
	if (i->opcode == 0xBA && (i->modrm >> 3 & 7) < 4)
		return cpu_undefined;
	return bit_test;
}

cpu_exec_fn *bits_bind(const struct cpu *c, const struct insn *i)
{
	const struct cpu_cpuid *f = c->cpuid;
	unsigned op = i->opcode, size = size_index(i->size), scan;

	if (i->map != MAP_0F)
		return NULL;
	if (op == 0xA3 || op == 0xAB || op == 0xB3 || op == 0xBB || op == 0xBA)
		return bind_bit_test(i);
	if (op == 0xBC)
		scan = i->pp == 2 && f->word[CPUID_WORD_7_EBX] >> 3 & 1 ? TZCNT : BSF;
	else if (op == 0xBD)
		scan = i->pp == 2 && f->word[CPUID_WORD_80000001_ECX] >> 5 & 1 ? LZCNT : BSR;
	else if (op == 0xB8 && i->pp == 2 && f->word[CPUID_WORD_1_ECX] >> 23 & 1)
		scan = POPCNT;
	else
		return NULL;
	return i->prefix & PFX_LOCK ? cpu_undefined : scans[scan][size];
}

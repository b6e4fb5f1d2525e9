/* SPDX-License-Identifier: MIT */
/**
 * DOC: shifts and rotates
 *
 * The host does them, with the guest's flags before: a count of 0 changes none, rotates change two.
 */
#include "vmm/accel/soft/cpu/alu.h"
#include "vmm/accel/soft/cpu/exec.h"

/* OF, then the other flags, from AX as alu_ax() makes it. */
#define LOAD_FLAGS "add $0x7F, %%al\n\tsahf\n\t"

#define SHIFT(name, text, bits)                                                                 \
	static inline uint##bits##_t do_##name##_##bits(struct cpu *c, uint##bits##_t a, uint8_t n) \
	{                                                                                       \
		uint32_t ax = alu_ax(c->status);                                                \
		__asm__(LOAD_FLAGS text " %%cl, %[a]\n\t" ALU_SAVE                              \
			: [a] "+q"(a), "+&a"(ax)                                                \
			: "c"(n)                                                                \
			: "cc");                                                                \
		c->status = alu_status(ax);                                                     \
		return a;                                                                       \
	}

#define OPERANDS(name, bits)                                                                            \
	static void name##_##bits(struct cpu *c, const struct insn *i)                                  \
	{                                                                                               \
		uint8_t n = i->imm_size ? (uint8_t) i->imm : i->opcode < 0xD2 ? 1 : (uint8_t) c->reg[REG_RCX]; \
		struct rmw m;                                                                           \
		if (!i->is_mem) {                                                                       \
			reg_set##bits(c, i->rm_off, do_##name##_##bits(c, reg_get##bits(c, i->rm_off), n)); \
			return;                                                                         \
		}                                                                                       \
		rmw_begin(c, mem_operand(c, i, (bits) / 8, MEM_READ | MEM_WRITE), (bits) / 8, &m);      \
		*(any##bits *) m.p = do_##name##_##bits(c, *(any##bits *) m.p, n);            \
		rmw_end(c, (bits) / 8, &m);                                                             \
	}

#define BOTH(name, text, bits) SHIFT(name, text, bits) OPERANDS(name, bits)
#define SIZES(name, text) BOTH(name, text, 8) BOTH(name, text, 16) BOTH(name, text, 32) BOTH(name, text, 64)

SIZES(rol, "rol")
SIZES(ror, "ror")
SIZES(rcl, "rcl")
SIZES(rcr, "rcr")
SIZES(shl, "shl")
SIZES(shr, "shr")
SIZES(sar, "sar")

#define DOUBLE(name, text, bits)                                                                              \
	static void name##_##bits(struct cpu *c, const struct insn *i)                                        \
	{                                                                                                     \
		uint8_t n = i->imm_size ? (uint8_t) i->imm : (uint8_t) c->reg[REG_RCX];                       \
		uint##bits##_t b = reg_get##bits(c, i->reg_off), a;                                           \
		uint32_t ax = alu_ax(c->status);                                                              \
		struct rmw m = { .p = NULL };                                                                 \
		if (i->is_mem) {                                                                              \
			rmw_begin(c, mem_operand(c, i, (bits) / 8, MEM_READ | MEM_WRITE), (bits) / 8, &m);    \
			a = *(any##bits *) m.p;                                                          \
		} else {                                                                                      \
			a = reg_get##bits(c, i->rm_off);                                                      \
		}                                                                                             \
		__asm__(LOAD_FLAGS text " %%cl, %[b], %[a]\n\t" ALU_SAVE                                      \
			: [a] "+r"(a), "+&a"(ax)                                                              \
			: [b] "r"(b), "c"(n)                                                                  \
			: "cc");                                                                              \
		c->status = alu_status(ax);                                                                   \
		if (!i->is_mem) {                                                                             \
			reg_set##bits(c, i->rm_off, a);                                                       \
			return;                                                                               \
		}                                                                                             \
		*(any##bits *) m.p = a;                                                                  \
		rmw_end(c, (bits) / 8, &m);                                                                   \
	}

DOUBLE(shld, "shld", 16)
DOUBLE(shld, "shld", 32)
DOUBLE(shld, "shld", 64)
DOUBLE(shrd, "shrd", 16)
DOUBLE(shrd, "shrd", 32)
DOUBLE(shrd, "shrd", 64)

#define ROW(name) { name##_8, name##_16, name##_32, name##_64 }

static cpu_exec_fn *const shifts[8][4] = {
	ROW(rol), ROW(ror), ROW(rcl), ROW(rcr), ROW(shl), ROW(shr), ROW(shl), ROW(sar),
};

static cpu_exec_fn *const doubles[2][4] = {
	{ NULL, shld_16, shld_32, shld_64 },
	{ NULL, shrd_16, shrd_32, shrd_64 },
};

cpu_exec_fn *shift_bind(const struct insn *i)
{
	unsigned op = i->opcode;
	bool lock = i->prefix & PFX_LOCK;

	if (i->map == MAP_1BYTE && (op == 0xC0 || op == 0xC1 || (op >= 0xD0 && op < 0xD4)))
		return lock ? cpu_undefined : shifts[i->modrm >> 3 & 7][size_index(i->size)];
	if (i->map == MAP_0F && (op == 0xA4 || op == 0xA5))
		return lock ? cpu_undefined : doubles[0][size_index(i->size)];
	if (i->map == MAP_0F && (op == 0xAC || op == 0xAD))
		return lock ? cpu_undefined : doubles[1][size_index(i->size)];
	return NULL;
}

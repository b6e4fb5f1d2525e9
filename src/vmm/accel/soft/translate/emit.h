/* SPDX-License-Identifier: MIT */
/*
 * Writes x86-64 instructions.
 *
 * The processor that runs the code is reached through the host's GS: emit_gs_*() names a field of
 * struct cpu by its offset.  Nothing here knows what a guest is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** enum host_reg - registers by their encoding; HOST_NONE where there is none */
enum host_reg {
	HOST_RAX, HOST_RCX, HOST_RDX, HOST_RBX, HOST_RSP, HOST_RBP, HOST_RSI, HOST_RDI,
	HOST_R8, HOST_R9, HOST_R10, HOST_R11, HOST_R12, HOST_R13, HOST_R14, HOST_R15, HOST_NONE,
};

/* Conditions of jcc */
#define CC_B 2u
#define CC_E 4u
#define CC_NE 5u
#define CC_BE 6u
#define CC_A 7u

/* Opcodes with a ModRM byte, for emit_rr(), emit_rm(), emit_gs() */
#define OP_ADD 0x03u
#define OP_OR 0x0Bu
#define OP_AND 0x23u
#define OP_SUB 0x2Bu
#define OP_XOR 0x33u
#define OP_CMP 0x3Bu
#define OP_LOAD 0x8Bu
#define OP_STORE 0x89u
#define OP_STORE8 0x88u

/* /digit of the group 0x81 */
#define GROUP_ADD 0u
#define GROUP_OR 1u
#define GROUP_AND 4u
#define GROUP_CMP 7u

#define EMIT_SHAPE 80 /* bytes of a struct emit_shape */
#define EMIT_HOLES 5
#define EMIT_SPARE (EMIT_SHAPE + 16) /* bytes that must be there behind @end of a struct emit */

/**
 * struct emit - where code is written
 * @p: next byte; @end: of the room, but for EMIT_SPARE
 * @full: something did not fit; what was written is useless
 */
struct emit {
	uint8_t *p, *end;
	bool full;
};

/**
 * struct emit_shape - instructions that are written often, the same but for a few numbers of 4 bytes
 * @code: @len bytes; @hole: offsets of those numbers
 */
struct emit_shape {
	uint8_t code[EMIT_SHAPE];
	uint8_t len, nr_holes, hole[EMIT_HOLES];
};

/** emit_hole() - the last 4 bytes that were written to @e, which writes to @s->code, are a number to be set later */
void emit_hole(const struct emit *e, struct emit_shape *s);

/** emit_shape() - what @s is; returns where (somewhere in the room when full), so that emit_shape_at() finds its holes */
uint8_t *emit_shape(struct emit *e, const struct emit_shape *s);

/** emit_shape_at() - where hole @n of the shape @s at @p is */
static inline uint8_t *emit_shape_at(const struct emit_shape *s, uint8_t *p, unsigned n)
{
	return p + s->hole[n];
}

/** emit_shape_set() - @value goes to hole @n of the shape @s at @p */
void emit_shape_set(const struct emit_shape *s, uint8_t *p, unsigned n, int32_t value);

/** emit_bytes() - @n bytes as they are, at most 16 */
void emit_bytes(struct emit *e, const void *bytes, size_t n);

/** emit_8() - a byte */
void emit_8(struct emit *e, uint8_t v);

/** emit_32() - a number of four bytes */
void emit_32(struct emit *e, uint32_t v);

/** emit_rr() - one-byte @opcode with registers @reg and @rm; @wide: 64 bits, else 32 */
void emit_rr(struct emit *e, bool wide, unsigned opcode, unsigned reg, unsigned rm);

/** emit_mov() - 64-bit copy of a register; nothing if they are the same */
void emit_mov(struct emit *e, unsigned to, unsigned from);

/** emit_mov_imm() - the shortest that makes @to equal @value */
void emit_mov_imm(struct emit *e, unsigned to, uint64_t value);

/** emit_mov_later() - @to = 64-bit constant that is to be set later; returns where (NULL when full) */
uint8_t *emit_mov_later(struct emit *e, unsigned to);

/** emit_rm() - one-byte @opcode with @reg and memory at @base + @disp */
void emit_rm(struct emit *e, bool wide, unsigned opcode, unsigned reg, unsigned base, int32_t disp);

/** emit_lea() - @to = @base + @index << @scale + @disp; HOST_NONE for what is missing; flags are kept */
void emit_lea(struct emit *e, bool wide, unsigned to, unsigned base, unsigned index, unsigned scale, int32_t disp);

/** emit_group() - group 0x81 /@digit: arithmetic of @reg with @imm */
void emit_group(struct emit *e, bool wide, unsigned digit, unsigned reg, int32_t imm);

/** emit_shift_right() - @reg by @count, filled with zeros */
void emit_shift_right(struct emit *e, bool wide, unsigned reg, unsigned count);

/** emit_shift_left() - @reg by @count */
void emit_shift_left(struct emit *e, bool wide, unsigned reg, unsigned count);

/** emit_shift_arithmetic() - 64-bit @reg to the right by @count, with its sign */
void emit_shift_arithmetic(struct emit *e, unsigned reg, unsigned count);

/** emit_negate() - 64-bit @reg = -@reg */
void emit_negate(struct emit *e, unsigned reg);

/** emit_imul() - 32-bit @to = @from * @factor */
void emit_imul(struct emit *e, unsigned to, unsigned from, int32_t factor);

/** emit_gs() - one-byte @opcode with @reg and the field at @offset */
void emit_gs(struct emit *e, bool wide, unsigned opcode, unsigned reg, size_t offset);

/** emit_gs_store16() - the low 16 bits of @reg to the field */
void emit_gs_store16(struct emit *e, unsigned reg, size_t offset);

/** emit_gs_load16() - two bytes, zero-extended */
void emit_gs_load16(struct emit *e, unsigned reg, size_t offset);

/** emit_gs_load8() - a byte, zero-extended */
void emit_gs_load8(struct emit *e, unsigned reg, size_t offset);

/** emit_gs_store_imm() - 32-bit constant to the field */
void emit_gs_store_imm(struct emit *e, size_t offset, uint32_t value);

/** emit_gs_store_imm8() - a byte to the field */
void emit_gs_store_imm8(struct emit *e, size_t offset, uint8_t value);

/** emit_gs_store_imm64() - a constant to the field of eight bytes, with the sign of 32 bits */
void emit_gs_store_imm64(struct emit *e, size_t offset, int32_t value);

/** emit_gs_test() - the host's flags become those of the 32-bit field and @imm */
void emit_gs_test(struct emit *e, size_t offset, uint32_t imm);

/** emit_gs_group() - 32-bit group 0x81 /@digit of the field with @imm */
void emit_gs_group(struct emit *e, unsigned digit, size_t offset, int32_t imm);

/** emit_jmp() - to @target, or to be set later; returns where its rel32 is (NULL when full) */
uint8_t *emit_jmp(struct emit *e, const uint8_t *target);

/** emit_jcc() - likewise with condition @cc, 0 to 15 */
uint8_t *emit_jcc(struct emit *e, unsigned cc, const uint8_t *target);

/** emit_jmp_mem() - to the address in memory at @base + @disp */
void emit_jmp_mem(struct emit *e, unsigned base, int32_t disp);

/** emit_jmp_reg() - to the address in @reg */
void emit_jmp_reg(struct emit *e, unsigned reg);

/** emit_patch() - make the jump whose rel32 is at @at go to @target; NULL @at is fine */
void emit_patch(uint8_t *at, const uint8_t *target);

/** emit_save_flags() - the six arithmetic flags to the 16-bit field as AH of LAHF and AL of SETO; spoils @scratch */
void emit_save_flags(struct emit *e, unsigned scratch, size_t offset);

/** emit_restore_flags() - the reverse */
void emit_restore_flags(struct emit *e, unsigned scratch, size_t offset);

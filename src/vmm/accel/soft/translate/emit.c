/* SPDX-License-Identifier: MIT */
/*
 * How it works: every function appends one instruction (or a fixed few).  What does not fit is
 * dropped and remembered, so that callers look once, at the end.
 */
#include "vmm/accel/soft/translate/emit.h"

#include <string.h>

#define GS 0x65u
#define REX 0x40u
#define REX_W 0x8u
#define REX_R 0x4u
#define REX_X 0x2u
#define REX_B 0x1u

/* ModRM and SIB of an absolute disp32 */
#define RM_SIB 4u
#define SIB_ABSOLUTE 0x25u

void emit_bytes(struct emit *e, const void *bytes, size_t n)
{
	if (e->full || (size_t) (e->end - e->p) < n) {
		e->full = true;
		return;
	}
	(void) memcpy(e->p, bytes, n);
	e->p += n;
}

void emit_8(struct emit *e, uint8_t v)
{
	emit_bytes(e, &v, sizeof(v));
}

void emit_32(struct emit *e, uint32_t v)
{
	emit_bytes(e, &v, sizeof(v));
}

void emit_64(struct emit *e, uint64_t v)
{
	emit_bytes(e, &v, sizeof(v));
}

static void rex(struct emit *e, bool wide, unsigned reg, unsigned index, unsigned base)
{
	unsigned v = (wide ? REX_W : 0) | (reg >> 3 & 1 ? REX_R : 0) | (index >> 3 & 1 ? REX_X : 0) |
		     (base >> 3 & 1 ? REX_B : 0);

	if (v != 0)
		emit_8(e, (uint8_t) (REX | v));
}

static void modrm(struct emit *e, unsigned mod, unsigned reg, unsigned rm)
{
	emit_8(e, (uint8_t) (mod << 6 | (reg & 7) << 3 | (rm & 7)));
}

void emit_rr(struct emit *e, bool wide, unsigned opcode, unsigned reg, unsigned rm)
{
	rex(e, wide, reg, 0, rm);
	emit_8(e, (uint8_t) opcode);
	modrm(e, 3, reg, rm);
}

void emit_mov(struct emit *e, unsigned to, unsigned from)
{
	if (to != from)
		emit_rr(e, true, OP_LOAD, to, from);
}

void emit_mov_imm(struct emit *e, unsigned to, uint64_t value)
{
	if (value <= UINT32_MAX) {
		rex(e, false, 0, 0, to);
		emit_8(e, (uint8_t) (0xB8 | (to & 7)));
		emit_32(e, (uint32_t) value);
	} else if ((int64_t) value == (int32_t) value) {
		rex(e, true, 0, 0, to);
		emit_8(e, 0xC7);
		modrm(e, 3, 0, to);
		emit_32(e, (uint32_t) value);
	} else {
		rex(e, true, 0, 0, to);
		emit_8(e, (uint8_t) (0xB8 | (to & 7)));
		emit_64(e, value);
	}
}

uint8_t *emit_mov_later(struct emit *e, unsigned to)
{
	rex(e, true, 0, 0, to);
	emit_8(e, (uint8_t) (0xB8 | (to & 7)));
	emit_64(e, 0);
	return e->full ? NULL : e->p - sizeof(uint64_t);
}

/* ModRM, SIB and displacement of memory at @base + @index << @scale + @disp. */
static void address(struct emit *e, unsigned reg, unsigned base, unsigned index, unsigned scale, int32_t disp)
{
	bool has_sib = index != HOST_NONE || base == HOST_NONE || (base & 7) == RM_SIB;
	unsigned mod = 2;

	if (base == HOST_NONE)
		mod = 0;
	else if (disp == 0 && (base & 7) != HOST_RBP)
		mod = 0;
	else if (disp == (int8_t) disp)
		mod = 1;

	modrm(e, mod, reg, has_sib ? RM_SIB : base);
	if (has_sib) {
		unsigned b = base == HOST_NONE ? HOST_RBP : base, i = index == HOST_NONE ? RM_SIB : index;

		emit_8(e, (uint8_t) (scale << 6 | (i & 7) << 3 | (b & 7)));
	}
	if (mod == 1)
		emit_8(e, (uint8_t) disp);
	else if (mod == 2 || base == HOST_NONE)
		emit_32(e, (uint32_t) disp);
}

void emit_rm(struct emit *e, bool wide, unsigned opcode, unsigned reg, unsigned base, int32_t disp)
{
	rex(e, wide, reg, 0, base);
	emit_8(e, (uint8_t) opcode);
	address(e, reg, base, HOST_NONE, 0, disp);
}

void emit_lea(struct emit *e, bool wide, unsigned to, unsigned base, unsigned index, unsigned scale, int32_t disp)
{
	if (wide && index == HOST_NONE && disp == 0 && base != HOST_NONE) {
		emit_mov(e, to, base);
		return;
	}
	rex(e, wide, to, index == HOST_NONE ? 0 : index, base == HOST_NONE ? 0 : base);
	emit_8(e, 0x8D);
	address(e, to, base, index, scale, disp);
}

void emit_group(struct emit *e, bool wide, unsigned digit, unsigned reg, int32_t imm)
{
	bool small = imm == (int8_t) imm;

	rex(e, wide, 0, 0, reg);
	emit_8(e, small ? 0x83 : 0x81);
	modrm(e, 3, digit, reg);
	if (small)
		emit_8(e, (uint8_t) imm);
	else
		emit_32(e, (uint32_t) imm);
}

static void shift(struct emit *e, bool wide, unsigned digit, unsigned reg, unsigned count)
{
	rex(e, wide, 0, 0, reg);
	emit_8(e, 0xC1);
	modrm(e, 3, digit, reg);
	emit_8(e, (uint8_t) count);
}

void emit_shift_right(struct emit *e, bool wide, unsigned reg, unsigned count)
{
	shift(e, wide, 5, reg, count);
}

void emit_shift_left(struct emit *e, bool wide, unsigned reg, unsigned count)
{
	shift(e, wide, 4, reg, count);
}

void emit_shift_arithmetic(struct emit *e, unsigned reg, unsigned count)
{
	shift(e, true, 7, reg, count);
}

void emit_negate(struct emit *e, unsigned reg)
{
	rex(e, true, 0, 0, reg);
	emit_8(e, 0xF7);
	modrm(e, 3, 3, reg);
}

void emit_imul(struct emit *e, unsigned to, unsigned from, int32_t factor)
{
	rex(e, false, to, 0, from);
	emit_8(e, 0x69);
	modrm(e, 3, to, from);
	emit_32(e, (uint32_t) factor);
}

static void gs_operand(struct emit *e, unsigned reg, size_t offset)
{
	modrm(e, 0, reg, RM_SIB);
	emit_8(e, SIB_ABSOLUTE);
	emit_32(e, (uint32_t) offset);
}

void emit_gs(struct emit *e, bool wide, unsigned opcode, unsigned reg, size_t offset)
{
	emit_8(e, GS);
	rex(e, wide, reg, 0, 0);
	emit_8(e, (uint8_t) opcode);
	gs_operand(e, reg, offset);
}

void emit_gs_store16(struct emit *e, unsigned reg, size_t offset)
{
	emit_8(e, 0x66);
	emit_gs(e, false, OP_STORE, reg, offset);
}

static void gs_movzx(struct emit *e, unsigned opcode, unsigned reg, size_t offset)
{
	emit_8(e, GS);
	rex(e, false, reg, 0, 0);
	emit_8(e, 0x0F);
	emit_8(e, (uint8_t) opcode);
	gs_operand(e, reg, offset);
}

void emit_gs_load16(struct emit *e, unsigned reg, size_t offset)
{
	gs_movzx(e, 0xB7, reg, offset);
}

void emit_gs_load8(struct emit *e, unsigned reg, size_t offset)
{
	gs_movzx(e, 0xB6, reg, offset);
}

void emit_gs_store_imm(struct emit *e, size_t offset, uint32_t value)
{
	emit_gs(e, false, 0xC7, 0, offset);
	emit_32(e, value);
}

void emit_gs_store_imm8(struct emit *e, size_t offset, uint8_t value)
{
	emit_gs(e, false, 0xC6, 0, offset);
	emit_8(e, value);
}

void emit_gs_store_imm64(struct emit *e, size_t offset, int32_t value)
{
	emit_gs(e, true, 0xC7, 0, offset);
	emit_32(e, (uint32_t) value);
}

void emit_gs_test(struct emit *e, size_t offset, uint32_t imm)
{
	emit_gs(e, false, 0xF7, 0, offset);
	emit_32(e, imm);
}

void emit_gs_group(struct emit *e, unsigned digit, size_t offset, int32_t imm)
{
	bool small = imm == (int8_t) imm;

	emit_gs(e, false, small ? 0x83 : 0x81, digit, offset);
	if (small)
		emit_8(e, (uint8_t) imm);
	else
		emit_32(e, (uint32_t) imm);
}

void emit_patch(uint8_t *at, const uint8_t *target)
{
	int32_t rel;

	if (at == NULL)
		return;
	rel = (int32_t) (target - (at + sizeof(rel)));
	(void) memcpy(at, &rel, sizeof(rel));
}

static uint8_t *rel32(struct emit *e, const uint8_t *target)
{
	uint8_t *at = e->p;

	emit_32(e, 0);
	if (e->full)
		return NULL;
	if (target != NULL)
		emit_patch(at, target);
	return at;
}

uint8_t *emit_jmp(struct emit *e, const uint8_t *target)
{
	emit_8(e, 0xE9);
	return rel32(e, target);
}

uint8_t *emit_jcc(struct emit *e, unsigned cc, const uint8_t *target)
{
	emit_8(e, 0x0F);
	emit_8(e, (uint8_t) (0x80 | cc));
	return rel32(e, target);
}

void emit_jmp_gs(struct emit *e, size_t offset)
{
	emit_gs(e, false, 0xFF, 4, offset);
}

void emit_jmp_mem(struct emit *e, unsigned base, int32_t disp)
{
	emit_rm(e, false, 0xFF, 4, base, disp);
}

void emit_jmp_reg(struct emit *e, unsigned reg)
{
	rex(e, false, 0, 0, reg);
	emit_8(e, 0xFF);
	modrm(e, 3, 4, reg);
}

void emit_save_flags(struct emit *e, unsigned scratch, size_t offset)
{
	static const uint8_t lahf_seto_al[] = { 0x9F, 0x0F, 0x90, 0xC0 };

	emit_mov(e, scratch, HOST_RAX);
	emit_bytes(e, lahf_seto_al, sizeof(lahf_seto_al));
	emit_gs_store16(e, HOST_RAX, offset);
	emit_mov(e, HOST_RAX, scratch);
}

void emit_restore_flags(struct emit *e, unsigned scratch, size_t offset)
{
	static const uint8_t add_al_7f_sahf[] = { 0x04, 0x7F, 0x9E };

	emit_mov(e, scratch, HOST_RAX);
	emit_gs_load16(e, HOST_RAX, offset);
	emit_bytes(e, add_al_7f_sahf, sizeof(add_al_7f_sahf));
	emit_mov(e, HOST_RAX, scratch);
}

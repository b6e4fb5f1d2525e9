/* SPDX-License-Identifier: MIT */
/*
 * How it works: every function appends one instruction (or a fixed few).  Behind the room there is always enough for
 * one more, so that it is asked once for each whether there is room, not for each byte; callers look once, at the end.
 */
#include "vmm/accel/soft/translate/emit.h"

#include <string.h>

#define GS 0x65u
#define REX 0x40u
#define REX_W 0x8u

/* ModRM and SIB of an absolute disp32 */
#define RM_SIB 4u
#define SIB_ABSOLUTE 0x25u

/* Where the next instruction goes. */
static uint8_t *begin(struct emit *e)
{
	if (__builtin_expect(e->p > e->end, 0)) {
		e->p = e->end;
		e->full = true;
	}
	return e->p;
}

static uint8_t *put_8(uint8_t *p, unsigned v)
{
	*p = (uint8_t) v;
	return p + 1;
}

static uint8_t *put_32(uint8_t *p, uint32_t v)
{
	(void) memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *put_64(uint8_t *p, uint64_t v)
{
	(void) memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *put_rex(uint8_t *p, bool wide, unsigned reg, unsigned index, unsigned base)
{
	unsigned v = (wide ? REX_W : 0) | (reg >> 1 & 4) | (index >> 2 & 2) | (base >> 3 & 1);

	*p = (uint8_t) (REX | v);
	return p + (v != 0);
}

static uint8_t *put_modrm(uint8_t *p, unsigned mod, unsigned reg, unsigned rm)
{
	return put_8(p, mod << 6 | (reg & 7) << 3 | (rm & 7));
}

void emit_hole(const struct emit *e, struct emit_shape *s)
{
	s->hole[s->nr_holes++] = (uint8_t) (e->p - s->code - sizeof(int32_t));
}

uint8_t *emit_shape(struct emit *e, const struct emit_shape *s)
{
	uint8_t *p = begin(e);

	for (unsigned n = 0; n < EMIT_SHAPE; n += 16)
		(void) memcpy(p + n, s->code + n, 16);
	e->p = p + s->len;
	return p;
}

void emit_shape_set(const struct emit_shape *s, uint8_t *p, unsigned n, int32_t value)
{
	(void) memcpy(emit_shape_at(s, p, n), &value, sizeof(value));
}

void emit_bytes(struct emit *e, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;
	uint8_t *p = begin(e);

	if (n >= 8) {
		(void) memcpy(p, from, 8);
		(void) memcpy(p + n - 8, from + n - 8, 8);
	} else if (n >= 4) {
		(void) memcpy(p, from, 4);
		(void) memcpy(p + n - 4, from + n - 4, 4);
	} else if (n >= 2) {
		(void) memcpy(p, from, 2);
		(void) memcpy(p + n - 2, from + n - 2, 2);
	} else if (n == 1) {
		*p = *from;
	}
	e->p = p + n;
}

void emit_8(struct emit *e, uint8_t v)
{
	e->p = put_8(begin(e), v);
}

void emit_32(struct emit *e, uint32_t v)
{
	e->p = put_32(begin(e), v);
}

void emit_rr(struct emit *e, bool wide, unsigned opcode, unsigned reg, unsigned rm)
{
	uint8_t *p = put_rex(begin(e), wide, reg, 0, rm);

	p = put_8(p, opcode);
	e->p = put_modrm(p, 3, reg, rm);
}

void emit_mov(struct emit *e, unsigned to, unsigned from)
{
	if (to != from)
		emit_rr(e, true, OP_LOAD, to, from);
}

void emit_mov_imm(struct emit *e, unsigned to, uint64_t value)
{
	bool zero_extended = value <= UINT32_MAX, sign_extended = (int64_t) value == (int32_t) value;
	uint8_t *p = put_rex(begin(e), !zero_extended, 0, 0, to);

	if (!zero_extended && sign_extended) {
		p = put_8(p, 0xC7);
		p = put_modrm(p, 3, 0, to);
	} else {
		p = put_8(p, 0xB8 | (to & 7));
	}
	e->p = zero_extended || sign_extended ? put_32(p, (uint32_t) value) : put_64(p, value);
}

uint8_t *emit_mov_later(struct emit *e, unsigned to)
{
	uint8_t *p = put_rex(begin(e), true, 0, 0, to);

	p = put_8(p, 0xB8 | (to & 7));
	e->p = put_64(p, 0);
	return e->full ? NULL : p;
}

/* ModRM, SIB and displacement of memory at @base + @index << @scale + @disp. */
static uint8_t *put_address(uint8_t *p, unsigned reg, unsigned base, unsigned index, unsigned scale, int32_t disp)
{
	bool has_sib = index != HOST_NONE || base == HOST_NONE || (base & 7) == RM_SIB;
	unsigned mod = 2;

	if (base == HOST_NONE)
		mod = 0;
	else if (disp == 0 && (base & 7) != HOST_RBP)
		mod = 0;
	else if (disp == (int8_t) disp)
		mod = 1;

	p = put_modrm(p, mod, reg, has_sib ? RM_SIB : base);
	if (has_sib) {
		unsigned b = base == HOST_NONE ? HOST_RBP : base, i = index == HOST_NONE ? RM_SIB : index;

		p = put_modrm(p, scale, i, b);
	}
	if (mod == 1)
		return put_8(p, (unsigned) disp);
	return mod == 2 || base == HOST_NONE ? put_32(p, (uint32_t) disp) : p;
}

void emit_rm(struct emit *e, bool wide, unsigned opcode, unsigned reg, unsigned base, int32_t disp)
{
	uint8_t *p = put_rex(begin(e), wide, reg, 0, base);

	p = put_8(p, opcode);
	e->p = put_address(p, reg, base, HOST_NONE, 0, disp);
}

void emit_lea(struct emit *e, bool wide, unsigned to, unsigned base, unsigned index, unsigned scale, int32_t disp)
{
	uint8_t *p;

	if (wide && index == HOST_NONE && disp == 0 && base != HOST_NONE) {
		emit_mov(e, to, base);
		return;
	}
	p = put_rex(begin(e), wide, to, index == HOST_NONE ? 0 : index, base == HOST_NONE ? 0 : base);
	p = put_8(p, 0x8D);
	e->p = put_address(p, to, base, index, scale, disp);
}

void emit_group(struct emit *e, bool wide, unsigned digit, unsigned reg, int32_t imm)
{
	bool small = imm == (int8_t) imm;
	uint8_t *p = put_rex(begin(e), wide, 0, 0, reg);

	p = put_8(p, small ? 0x83 : 0x81);
	p = put_modrm(p, 3, digit, reg);
	e->p = small ? put_8(p, (unsigned) imm) : put_32(p, (uint32_t) imm);
}

static void shift(struct emit *e, bool wide, unsigned digit, unsigned reg, unsigned count)
{
	uint8_t *p = put_rex(begin(e), wide, 0, 0, reg);

	p = put_8(p, 0xC1);
	p = put_modrm(p, 3, digit, reg);
	e->p = put_8(p, count);
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
	uint8_t *p = put_rex(begin(e), true, 0, 0, reg);

	p = put_8(p, 0xF7);
	e->p = put_modrm(p, 3, 3, reg);
}

void emit_imul(struct emit *e, unsigned to, unsigned from, int32_t factor)
{
	uint8_t *p = put_rex(begin(e), false, to, 0, from);

	p = put_8(p, 0x69);
	p = put_modrm(p, 3, to, from);
	e->p = put_32(p, (uint32_t) factor);
}

static uint8_t *put_gs_operand(uint8_t *p, unsigned reg, size_t offset)
{
	p = put_modrm(p, 0, reg, RM_SIB);
	p = put_8(p, SIB_ABSOLUTE);
	return put_32(p, (uint32_t) offset);
}

static uint8_t *put_gs(uint8_t *p, bool wide, unsigned opcode, unsigned reg, size_t offset)
{
	p = put_8(p, GS);
	p = put_rex(p, wide, reg, 0, 0);
	p = put_8(p, opcode);
	return put_gs_operand(p, reg, offset);
}

void emit_gs(struct emit *e, bool wide, unsigned opcode, unsigned reg, size_t offset)
{
	e->p = put_gs(begin(e), wide, opcode, reg, offset);
}

void emit_gs_store16(struct emit *e, unsigned reg, size_t offset)
{
	e->p = put_gs(put_8(begin(e), 0x66), false, OP_STORE, reg, offset);
}

static void gs_movzx(struct emit *e, unsigned opcode, unsigned reg, size_t offset)
{
	uint8_t *p = put_8(begin(e), GS);

	p = put_rex(p, false, reg, 0, 0);
	p = put_8(p, 0x0F);
	p = put_8(p, opcode);
	e->p = put_gs_operand(p, reg, offset);
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
	e->p = put_32(put_gs(begin(e), false, 0xC7, 0, offset), value);
}

void emit_gs_store_imm8(struct emit *e, size_t offset, uint8_t value)
{
	e->p = put_8(put_gs(begin(e), false, 0xC6, 0, offset), value);
}

void emit_gs_store_imm64(struct emit *e, size_t offset, int32_t value)
{
	e->p = put_32(put_gs(begin(e), true, 0xC7, 0, offset), (uint32_t) value);
}

void emit_gs_test(struct emit *e, size_t offset, uint32_t imm)
{
	e->p = put_32(put_gs(begin(e), false, 0xF7, 0, offset), imm);
}

void emit_gs_group(struct emit *e, unsigned digit, size_t offset, int32_t imm)
{
	bool small = imm == (int8_t) imm;
	uint8_t *p = put_gs(begin(e), false, small ? 0x83 : 0x81, digit, offset);

	e->p = small ? put_8(p, (unsigned) imm) : put_32(p, (uint32_t) imm);
}

void emit_patch(uint8_t *at, const uint8_t *target)
{
	int32_t rel;

	if (at == NULL)
		return;
	rel = (int32_t) (target - (at + sizeof(rel)));
	(void) memcpy(at, &rel, sizeof(rel));
}

/* The rel32 at @p. */
static uint8_t *rel32(struct emit *e, uint8_t *p, const uint8_t *target)
{
	e->p = put_32(p, 0);
	if (e->full)
		return NULL;
	if (target != NULL)
		emit_patch(p, target);
	return p;
}

uint8_t *emit_jmp(struct emit *e, const uint8_t *target)
{
	return rel32(e, put_8(begin(e), 0xE9), target);
}

uint8_t *emit_jcc(struct emit *e, unsigned cc, const uint8_t *target)
{
	uint8_t *p = put_8(begin(e), 0x0F);

	return rel32(e, put_8(p, 0x80 | cc), target);
}

void emit_jmp_mem(struct emit *e, unsigned base, int32_t disp)
{
	emit_rm(e, false, 0xFF, 4, base, disp);
}

void emit_jmp_reg(struct emit *e, unsigned reg)
{
	uint8_t *p = put_rex(begin(e), false, 0, 0, reg);

	p = put_8(p, 0xFF);
	e->p = put_modrm(p, 3, 4, reg);
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

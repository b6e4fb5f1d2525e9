/* SPDX-License-Identifier: MIT */
/*
 * How it works: the guest's registers are in the host's registers of the same name, RSP too, so the
 * host's stack is out of reach while translated code runs.  Leaving stores them all to struct cpu.
 */
#include "vmm/accel/soft/translate/gate.h"

#include "vmm/accel/soft/translate/cache.h"
#include "vmm/accel/soft/translate/gen.h"

#define PAGE 4096

static const uint8_t kept[] = { HOST_RBX, HOST_RBP, HOST_R12, HOST_R13, HOST_R14, HOST_R15 };

static void push(struct emit *e, unsigned reg)
{
	if (reg >= 8)
		emit_8(e, 0x41);
	emit_8(e, (uint8_t) (0x50 | (reg & 7)));
}

static void pop(struct emit *e, unsigned reg)
{
	if (reg >= 8)
		emit_8(e, 0x41);
	emit_8(e, (uint8_t) (0x58 | (reg & 7)));
}

static void write_enter(struct emit *e)
{
	for (size_t i = 0; i < sizeof(kept); i++)
		push(e, kept[i]);
	emit_gs(e, true, OP_STORE, HOST_RSP, AT(hot.host_rsp));
	emit_mov(e, T0, HOST_RDI);
	for (unsigned r = 0; r < 16; r++) {
		if (!gen_is_in_memory(r))
			emit_gs(e, true, OP_LOAD, r, AT_REG(r));
	}
	emit_jmp_reg(e, T0);
}

static const uint8_t *write_leave(struct emit *e)
{
	const uint8_t *at = e->p;

	for (unsigned r = 0; r < 16; r++) {
		if (!gen_is_in_memory(r))
			emit_gs(e, true, OP_STORE, r, AT_REG(r));
	}
	emit_gs(e, true, OP_LOAD, HOST_RSP, AT(hot.host_rsp));
	for (size_t i = sizeof(kept); i-- > 0;)
		pop(e, kept[i]);
	emit_8(e, 0xC3);
	return at;
}

/* T1: hot.arg; GATE_SLOW_*: T0: hot.addr; GATE_JUMP, GATE_ARRIVE: T0 ^ epoch: hot.addr */
static const uint8_t *write_kind(struct emit *e, enum gate_kind kind, const uint8_t *leave)
{
	const uint8_t *at = e->p;

	if (kind == GATE_JUMP || kind == GATE_ARRIVE)
		emit_gs(e, true, OP_XOR, T0, AT(hot.epoch));
	emit_gs(e, true, OP_STORE, T0, AT(hot.addr));
	emit_gs(e, true, OP_STORE, T1, AT(hot.arg));
	emit_gs_store_imm(e, AT(hot.kind), kind);
	(void) emit_jmp(e, leave);
	return at;
}

static void shape_jump(struct emit_shape *s)
{
	struct emit e = { .p = s->code, .end = s->code + EMIT_SHAPE };

	*s = (struct emit_shape) { 0 };
	_Static_assert(sizeof(struct jump) == 16, "shift of the index below");
	emit_gs(&e, true, OP_XOR, T0, AT(hot.epoch));
	emit_imul(&e, T1, T0, (int32_t) JUMPS_FACTOR);
	emit_shift_right(&e, false, T1, 32 - JUMPS_SHIFT);
	emit_shift_left(&e, false, T1, 4);
	emit_gs(&e, true, OP_ADD, T1, AT(hot.jumps));
	emit_rm(&e, true, OP_CMP, T0, T1, offsetof(struct jump, key));
	(void) emit_jcc(&e, CC_NE, NULL);
	emit_hole(&e, s);
	emit_gs(&e, true, OP_XOR, T0, AT(hot.epoch));
	emit_group(&e, true, GROUP_AND, T0, -PAGE);
	emit_gs(&e, true, OP_STORE, T0, AT(hot.page));
	emit_jmp_mem(&e, T1, offsetof(struct jump, code));
	s->len = (uint8_t) (e.p - s->code);
}

uint8_t *gate_jump(const struct gates *s, struct emit *e)
{
	return emit_shape_at(&s->jump, emit_shape(e, &s->jump), 0);
}

void gates_write(struct gates *s, struct cache *cache)
{
	struct emit e = { .p = cache->w, .end = cache->w + GATE_BYTES - EMIT_SPARE };
	const uint8_t *leave;

	s->enter = (void (*)(const uint8_t *))(uintptr_t) cache->x;
	write_enter(&e);
	leave = write_leave(&e);
	for (unsigned kind = 0; kind < GATE_KINDS; kind++)
		s->at[kind] = write_kind(&e, kind, leave);
	shape_jump(&s->jump);
	gen_shape_probe(&s->probe[false], false);
	gen_shape_probe(&s->probe[true], true);
	s->link_save = e.p;
	emit_save_flags(&e, T0, AT(hot.flags));
	(void) emit_jmp(&e, s->at[GATE_LINK]);
	gates_write_syscall(s, &e);
}

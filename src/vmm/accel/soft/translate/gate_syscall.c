/* SPDX-License-Identifier: MIT */
/*
 * SYSCALL and SYSRET without leaving translated code.
 *
 * How it works: everything that they change is a field of struct cpu; which TLB entries and which code count at
 * the other level was written down when translated code was entered.  Whatever is unusual is the interpreter's.
 */
#include "vmm/accel/soft/translate/gate.h"

#include "vmm/accel/soft/translate/gen.h"

/* RFLAGS in struct cpu.flags, and those that SYSRET may set */
#define FLAGS_KEPT (FL_IF | FL_DF | FL_IOPL | FL_NT | FL_AC | FL_VIF | FL_VIP | FL_ID)

#define FLAT (SEG_G | SEG_P | SEG_S | 3u)

/* @seg becomes flat with the selector in T0.  Spoils T0. */
static void set_segment(struct emit *e, unsigned seg, unsigned attr)
{
	size_t at = AT(seg) + seg * sizeof(struct cpu_seg);

	_Static_assert(offsetof(struct cpu_seg, limit) == 8 && offsetof(struct cpu_seg, sel) == 12 &&
		       offsetof(struct cpu_seg, attr) == 14 && offsetof(struct cpu_seg, flat) == 16, "as written here");
	emit_gs_store_imm64(e, at, 0);
	emit_gs_store_imm(e, at + offsetof(struct cpu_seg, limit), UINT32_MAX);
	emit_group(e, false, GROUP_AND, T0, UINT16_MAX);
	emit_group(e, false, GROUP_OR, T0, (int32_t) (attr << 16));
	emit_gs(e, false, OP_STORE, T0, at + offsetof(struct cpu_seg, sel));
	emit_gs_store_imm64(e, at + offsetof(struct cpu_seg, flat), SEG_FLAT_READ | SEG_FLAT_WRITE);
}

/* T0 = two bytes of STAR from bit @shift on, with @add and @or */
static void selector(struct emit *e, unsigned shift, unsigned add, unsigned or)
{
	emit_gs_load16(e, T0, AT(star) + shift / 8);
	if (shift == 32)
		emit_group(e, false, GROUP_AND, T0, 0xFFFC);
	emit_group(e, false, GROUP_ADD, T0, (int32_t) add);
	emit_group(e, false, GROUP_OR, T0, (int32_t) or);
}

/* RFLAGS = T1.  Spoils T0, T1. */
static void set_flags(struct emit *e)
{
	emit_rr(e, false, OP_LOAD, T0, T1);
	emit_group(e, false, GROUP_AND, T0, FLAGS_KEPT);
	emit_gs(e, false, OP_STORE, T0, AT(flags));
	emit_gs(e, false, OP_STORE8, T1, AT(hot.flags) + 1);
	emit_shift_right(e, false, T1, 11);
	emit_group(e, false, GROUP_AND, T1, 1);
	emit_gs(e, false, OP_STORE8, T1, AT(hot.flags));
}

static void set_level(struct emit *e, uint8_t cpl, size_t tlb, size_t epoch)
{
	emit_gs_store_imm8(e, AT(cpl), cpl);
	emit_gs(e, true, OP_LOAD, T0, tlb);
	emit_gs(e, true, OP_STORE, T0, AT(tlb_now));
	emit_gs(e, true, OP_LOAD, T0, epoch);
	emit_gs(e, true, OP_STORE, T0, AT(hot.epoch));
}

static void arrive(const struct gates *s, struct emit *e)
{
	emit_patch(gate_jump(s, e), s->at[GATE_ARRIVE]);
}

static void write_syscall(const struct gates *s, struct emit *e)
{
	emit_gs_test(e, AT(flags), FL_AC);
	(void) emit_jcc(e, CC_NE, s->at[GATE_FAULT]);
	emit_gs_test(e, AT(efer), EFER_SCE);
	(void) emit_jcc(e, CC_E, s->at[GATE_FAULT]);
	emit_mov(e, HOST_RCX, T0);

	emit_gs_load8(e, T1, AT(hot.flags) + 1);
	emit_group(e, false, GROUP_AND, T1, FL_STATUS & 0xFF);
	emit_gs_load8(e, T0, AT(hot.flags));
	emit_shift_left(e, false, T0, 11);
	emit_rr(e, false, OP_OR, T1, T0);
	emit_gs(e, false, OP_OR, T1, AT(flags));
	emit_group(e, false, GROUP_OR, T1, 2);
	emit_gs(e, true, OP_STORE, T1, AT_REG(REG_R11));
	emit_gs(e, false, OP_OR, T1, AT(fmask));
	emit_gs(e, false, OP_XOR, T1, AT(fmask));
	set_flags(e);

	selector(e, 32, 0, 0);
	set_segment(e, SEG_CS, FLAT | SEG_L | SEG_TYPE_CODE);
	selector(e, 32, 8, 0);
	set_segment(e, SEG_SS, FLAT | SEG_DB);
	set_level(e, 0, AT(hot.kernel_tlb), AT(hot.kernel_epoch));
	emit_gs(e, true, OP_LOAD, T0, AT(lstar));
	arrive(s, e);
}

static void write_sysret(const struct gates *s, struct emit *e)
{
	emit_gs_test(e, AT_REG(REG_R11), FL_TF | FL_AC);
	(void) emit_jcc(e, CC_NE, s->at[GATE_FAULT]);
	emit_gs_test(e, AT(efer), EFER_SCE);
	(void) emit_jcc(e, CC_E, s->at[GATE_FAULT]);
	emit_gs(e, true, 0x83, GROUP_CMP, AT(event)); /* and struct cpu.held: interrupts may be allowed now */
	emit_8(e, 0);
	(void) emit_jcc(e, CC_NE, s->at[GATE_FAULT]);
	emit_mov(e, T0, HOST_RCX);
	emit_shift_left(e, true, T0, 16);
	emit_shift_arithmetic(e, T0, 16);
	emit_rr(e, true, OP_CMP, T0, HOST_RCX);
	(void) emit_jcc(e, CC_NE, s->at[GATE_FAULT]);

	emit_gs(e, false, OP_LOAD, T1, AT_REG(REG_R11));
	set_flags(e);
	selector(e, 48, 16, 3);
	set_segment(e, SEG_CS, FLAT | SEG_DPL | SEG_L | SEG_TYPE_CODE);
	selector(e, 48, 8, 3);
	set_segment(e, SEG_SS, FLAT | SEG_DPL | SEG_DB);
	set_level(e, 3, AT(hot.user_tlb), AT(hot.user_epoch));
	emit_mov(e, T0, HOST_RCX);
	arrive(s, e);
}

void gates_write_syscall(struct gates *s, struct emit *e)
{
	s->syscall = e->p;
	write_syscall(s, e);
	s->sysret = e->p;
	write_sysret(s, e);
}

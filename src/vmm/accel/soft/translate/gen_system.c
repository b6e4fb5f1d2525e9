/* SPDX-License-Identifier: MIT */
/*
 * Instructions of an operating system that are frequent: interrupt flag, RFLAGS on the stack, SWAPGS, user
 * access windows, time stamps.
 *
 * How it works: what they change are fields of struct cpu.  Whatever could raise an exception is the
 * interpreter's: op.c lets them through at level 0 only.
 */
#include "vmm/accel/soft/translate/gen.h"

/* Bits of RFLAGS that POPF at level 0 may change and that mean more than a bit */
#define POPF_SPECIAL (FL_TF | FL_DF | FL_IOPL | FL_NT | FL_RF | FL_VM | FL_AC | FL_VIF | FL_VIP | FL_ID)

/* If somebody wants attention, also by an interrupt that waits until it is allowed.  Spoils the host's flags. */
static void if_wanted(struct gen *g, enum gen_cold_kind kind, unsigned off)
{
	_Static_assert(AT(held) == AT(event) + sizeof(uint32_t), "both at once");
	emit_gs(&g->e, true, 0x83, GROUP_CMP, AT(event));
	emit_8(&g->e, 0);
	gen_cold_add(g, &(struct gen_cold) { .kind = kind, .from = emit_jcc(&g->e, CC_NE, NULL), .off = off });
}

/* The instruction behind STI comes before an interrupt that waits: the interpreter knows how.  One that comes later may come. */
static void set_interrupts(struct gen *g, const struct gen_item *it, bool on)
{
	gen_spoil_flags(g, it->live);
	if (on)
		if_wanted(g, COLD_FAULT, it->off);
	emit_gs_group(&g->e, on ? GROUP_OR : GROUP_AND, AT(flags), on ? (int32_t) FL_IF : ~(int32_t) FL_IF);
}

/* T1 = the arithmetic flags in the slot but OF; then OF in T1. */
static void push_flags(struct gen *g, const struct gen_item *it)
{
	struct emit *e = &g->e;

	gen_spoil_flags(g, FL_STATUS);
	gen_stack(g, -8, 8, true);
	emit_gs_load8(e, T1, AT(hot.flags) + 1);
	emit_group(e, false, GROUP_AND, T1, FL_STATUS & 0xFF);
	emit_gs(e, false, OP_OR, T1, AT(flags));
	emit_group(e, false, GROUP_OR, T1, 2);
	emit_rm(e, true, OP_STORE, T1, T0, 0);
	emit_gs_load8(e, T1, AT(hot.flags));
	emit_shift_left(e, false, T1, 11);
	emit_rm(e, true, 0x09, T1, T0, 0); /* OR to memory */
	emit_lea(e, true, HOST_RSP, HOST_RSP, HOST_NONE, 0, -8);
	(void) it;
}

static void pop_flags(struct gen *g, const struct gen_item *it)
{
	struct emit *e = &g->e;

	gen_spoil_flags(g, FL_STATUS);
	gen_stack(g, 0, 8, false);
	emit_rm(e, false, OP_LOAD, T0, T0, 0);
	emit_rr(e, false, OP_LOAD, T1, T0);
	emit_gs(e, false, OP_XOR, T1, AT(flags));
	emit_group(e, false, GROUP_AND, T1, POPF_SPECIAL);
	gen_cold_add(g, &(struct gen_cold) { .kind = COLD_FAULT, .from = emit_jcc(e, CC_NE, NULL), .off = it->off });
	emit_rr(e, false, OP_LOAD, T1, T0);
	emit_gs(e, false, OP_XOR, T1, AT(flags));
	emit_group(e, false, GROUP_AND, T1, FL_IF);
	emit_gs(e, false, 0x31, T1, AT(flags)); /* XOR to memory */
	emit_gs(e, false, OP_STORE8, T0, AT(hot.flags) + 1);
	emit_shift_right(e, false, T0, 11);
	emit_group(e, false, GROUP_AND, T0, 1);
	emit_gs(e, false, OP_STORE8, T0, AT(hot.flags));
	emit_lea(e, true, HOST_RSP, HOST_RSP, HOST_NONE, 0, 8);
	g->flags = IN_SLOT;
	if_wanted(g, COLD_POLL, (unsigned) it->off + it->i.len);
}

static void swap_gs(struct gen *g)
{
	size_t base = AT(seg) + SEG_GS * sizeof(struct cpu_seg) + offsetof(struct cpu_seg, base);

	emit_gs(&g->e, true, OP_LOAD, T0, base);
	emit_gs(&g->e, true, OP_LOAD, T1, AT(kernel_gs_base));
	emit_gs(&g->e, true, OP_STORE, T0, AT(kernel_gs_base));
	emit_gs(&g->e, true, OP_STORE, T1, base);
}

/* STAC, CLAC: other TLB entries count, and other code for the same addresses. */
static void user_access(struct gen *g, const struct gen_item *it, bool on)
{
	gen_spoil_flags(g, it->live);
	emit_gs_group(&g->e, on ? GROUP_OR : GROUP_AND, AT(flags), on ? (int32_t) FL_AC : ~(int32_t) FL_AC);
	emit_gs(&g->e, true, OP_LOAD, T0, AT(hot.kernel_tlb) + on * sizeof(uint64_t));
	emit_gs(&g->e, true, OP_STORE, T0, AT(tlb_now));
	emit_gs(&g->e, true, OP_LOAD, T0, AT(hot.kernel_epoch) + on * sizeof(uint64_t));
	emit_gs(&g->e, true, OP_STORE, T0, AT(hot.epoch));
	g->ways = on ? WAYS_KERNEL_AC : WAYS_KERNEL;
}

static void time_stamp(struct gen *g, const struct gen_item *it)
{
	/* RDTSCP waits for what was executed before: Linux compares what processors read behind a lock */
	static const uint8_t rdtsc[] = { 0x0F, 0x31 }, lfence[] = { 0x0F, 0xAE, 0xE8 };
	bool ordered = it->i.opcode == 0x01;
	struct emit *e = &g->e;

	gen_spoil_flags(g, it->live);
	if (ordered)
		emit_bytes(e, lfence, sizeof(lfence));
	emit_bytes(e, rdtsc, sizeof(rdtsc));
	emit_shift_left(e, true, HOST_RDX, 32);
	emit_rr(e, true, OP_OR, HOST_RDX, HOST_RAX);
	emit_gs(e, true, OP_ADD, HOST_RDX, AT(tsc_offset));
	emit_rr(e, false, OP_LOAD, HOST_RAX, HOST_RDX);
	emit_shift_right(e, true, HOST_RDX, 32);
	if (ordered)
		emit_gs(e, false, OP_LOAD, HOST_RCX, AT(tsc_aux));
}

static void selector(struct gen *g, const struct gen_item *it)
{
	size_t at = AT(seg) + (it->i.modrm >> 3 & 7) * sizeof(struct cpu_seg) + offsetof(struct cpu_seg, sel);
	unsigned reg = it->i.rm;
	struct emit *e = &g->e;

	if (it->i.is_mem) {
		gen_spoil_flags(g, it->live);
		gen_operand(g, it);
		emit_gs_load16(e, T1, at);
		emit_8(e, 0x66);
		emit_rm(e, false, OP_STORE, T1, T0, 0);
		return;
	}
	if (it->i.size >= 4 && !gen_is_in_memory(reg)) {
		emit_gs_load16(e, reg, at);
		return;
	}
	emit_gs_load16(e, T0, at);
	if (!gen_is_in_memory(reg)) { /* two bytes of it */
		emit_8(e, 0x66);
		emit_rr(e, false, OP_LOAD, reg, T0);
	} else if (it->i.size == 2) {
		emit_gs_store16(e, T0, AT_REG(reg));
	} else {
		emit_gs(e, true, OP_STORE, T0, AT_REG(reg));
	}
}

static void control(struct gen *g, const struct gen_item *it)
{
	static const size_t at[] = { AT(cr0), 0, AT(cr2), AT(cr3), AT(cr4) };
	bool in_memory = gen_is_in_memory(it->i.rm);
	unsigned to = in_memory ? T0 : it->i.rm;

	emit_gs(&g->e, true, OP_LOAD, to, at[it->i.reg]);
	if (in_memory)
		emit_gs(&g->e, true, OP_STORE, to, AT_REG(it->i.rm));
}

static void fault_if(struct gen *g, const struct gen_item *it, unsigned cc)
{
	gen_cold_add(g, &(struct gen_cold) { .kind = COLD_FAULT, .from = emit_jcc(&g->e, cc, NULL), .off = it->off });
}

/* RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE */
static void segment_base(struct gen *g, const struct gen_item *it)
{
	const struct insn *i = &it->i;
	unsigned seg = i->modrm >> 3 & 1 ? SEG_GS : SEG_FS;
	size_t base = AT(seg) + seg * sizeof(struct cpu_seg) + offsetof(struct cpu_seg, base);
	bool wide = i->size == 8;
	struct emit *e = &g->e;

	gen_spoil_flags(g, it->live);
	emit_gs_test(e, AT(cr4), CR4_FSGSBASE);
	fault_if(g, it, CC_E);
	if (i->modrm >> 3 & 2) {
		emit_rr(e, wide, OP_LOAD, T0, gen_reg_to(g, i->rm, T0));
		emit_mov(e, T1, T0);
		emit_shift_left(e, true, T1, 16);
		emit_shift_arithmetic(e, T1, 16);
		emit_rr(e, true, OP_CMP, T1, T0);
		fault_if(g, it, CC_NE);
		emit_gs(e, true, OP_STORE, T0, base);
		return;
	}
	emit_gs(e, wide, OP_LOAD, gen_is_in_memory(i->rm) ? T0 : i->rm, base);
	if (gen_is_in_memory(i->rm))
		emit_gs(e, true, OP_STORE, T0, AT_REG(i->rm));
}

/* To code of another level. */
static void other_level(struct gen *g, const struct gen_item *it, const uint8_t *gate)
{
	gen_spoil_flags(g, FL_STATUS);
	if (it->op.kind == OP_SYSCALL)
		gen_page_address(g, T0, (int64_t) it->off + it->i.len);
	emit_mov_imm(&g->e, T1, it->off);
	(void) emit_jmp(&g->e, gate);
}

bool gen_system(struct gen *g, const struct gen_item *it)
{
	switch (it->op.kind) {
	case OP_CLI:
		set_interrupts(g, it, false);
		break;
	case OP_STI:
		set_interrupts(g, it, true);
		break;
	case OP_PUSHF:
		push_flags(g, it);
		break;
	case OP_POPF:
		pop_flags(g, it);
		break;
	case OP_SWAPGS:
		swap_gs(g);
		break;
	case OP_STAC:
		user_access(g, it, true);
		break;
	case OP_CLAC:
		user_access(g, it, false);
		break;
	case OP_RDTSC:
		time_stamp(g, it);
		break;
	case OP_SELECTOR:
		selector(g, it);
		break;
	case OP_CONTROL:
		control(g, it);
		break;
	case OP_BASE:
		segment_base(g, it);
		break;
	case OP_SYSCALL:
		other_level(g, it, g->gates->syscall);
		break;
	case OP_SYSRET:
		other_level(g, it, g->gates->sysret);
		break;
	default:
		return false;
	}
	return true;
}

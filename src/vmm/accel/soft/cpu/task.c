/* SPDX-License-Identifier: MIT */
/**
 * DOC: task switches by hardware
 *
 * As 32-bit kernels use them for double faults.  Spec: Intel SDM volume 3, chapter 7.
 */
#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/cpu/seg.h"

#define BUSY 2u
#define TSS32 8u /* bit of the type */

/** struct tss32 - what a task switch saves and loads; the rest of the TSS is only read by others */
struct tss32 {
	uint16_t link, pad;
	uint32_t stacks[6];
	uint32_t cr3, eip, eflags, reg[8];
	uint32_t sel[6]; /* ES CS SS DS FS GS */
	uint32_t ldt;
} __attribute__((packed));

/** struct tss16 - likewise */
struct tss16 {
	uint16_t link, stacks[6], ip, flags, reg[8], sel[4], ldt;
} __attribute__((packed));

static void save(struct cpu *c, uint32_t flags)
{
	struct tss32 t;
	struct tss16 s;

	if (c->tr.attr & TSS32) {
		cpu_read_system(c, c->tr.base, &t, sizeof(t));
		t.eip = (uint32_t) c->reg[REG_RIP];
		t.eflags = flags;
		for (unsigned i = 0; i < 8; i++)
			t.reg[i] = (uint32_t) c->reg[i];
		for (unsigned i = 0; i < 6; i++)
			t.sel[i] = c->seg[i].sel;
		cpu_write_system(c, c->tr.base + offsetof(struct tss32, eip), &t.eip,
				 offsetof(struct tss32, ldt) - offsetof(struct tss32, eip));
		return;
	}
	cpu_read_system(c, c->tr.base, &s, sizeof(s));
	s.ip = (uint16_t) c->reg[REG_RIP];
	s.flags = (uint16_t) flags;
	for (unsigned i = 0; i < 8; i++)
		s.reg[i] = (uint16_t) c->reg[i];
	for (unsigned i = 0; i < 4; i++)
		s.sel[i] = c->seg[i].sel;
	cpu_write_system(c, c->tr.base + offsetof(struct tss16, ip), &s.ip,
			 offsetof(struct tss16, ldt) - offsetof(struct tss16, ip));
}

/* The new task's TSS, a 16-bit one in the form of the other. */
static void load(struct cpu *c, const struct cpu_seg *tr, struct tss32 *t)
{
	struct tss16 s;

	if (tr->attr & TSS32) {
		cpu_read_system(c, tr->base, t, sizeof(*t));
		return;
	}
	cpu_read_system(c, tr->base, &s, sizeof(s));
	*t = (struct tss32) { .link = s.link, .cr3 = (uint32_t) c->cr3, .eip = s.ip, .eflags = s.flags, .ldt = s.ldt };
	for (unsigned i = 0; i < 8; i++)
		t->reg[i] = s.reg[i] | 0xFFFF0000u;
	for (unsigned i = 0; i < 4; i++)
		t->sel[i] = s.sel[i];
}

static void set_busy(struct cpu *c, uint16_t sel, bool busy)
{
	uint64_t at = c->gdt.base + (sel & 0xFFF8u) + 5;
	uint8_t type;

	cpu_read_system(c, at, &type, 1);
	type = (uint8_t) (busy ? type | BUSY : type & ~BUSY);
	cpu_write_system(c, at, &type, 1);
}

static void load_ldt(struct cpu *c, uint16_t sel)
{
	struct descriptor d;

	c->ldtr = (struct cpu_seg) { .sel = sel };
	if ((sel & 0xFFFC) == 0)
		return;
	if ((sel & 4) || !seg_descriptor(c, sel, &d) || (descriptor_attr(&d) & (SEG_P | SEG_S | SEG_TYPE)) != (SEG_P | 2))
		cpu_raise_code(c, EXC_TS, sel & 0xFFFC);
	c->ldtr = (struct cpu_seg) { .base = descriptor_base(&d), .limit = descriptor_limit(&d), .sel = sel,
				     .attr = descriptor_attr(&d) };
}

static void load_segments(struct cpu *c, const struct tss32 *t)
{
	static const uint8_t data[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
	struct descriptor d;
	uint16_t cs = (uint16_t) t->sel[SEG_CS];
	unsigned cpl = cs & 3;

	if (t->eflags & FL_VM) {
		c->cpl = 3;
		for (unsigned i = 0; i < 6; i++)
			seg_set_real(c, i, (uint16_t) t->sel[i]);
		cpu_mode_changed(c);
		return;
	}
	c->cpl = (uint8_t) cpl;
	if ((cs & 0xFFFC) == 0 || !seg_descriptor(c, cs, &d) ||
	    (descriptor_attr(&d) & (SEG_S | SEG_TYPE_CODE)) != (SEG_S | SEG_TYPE_CODE))
		cpu_raise_code(c, EXC_TS, cs & 0xFFFC);
	if (!(descriptor_attr(&d) & SEG_P))
		cpu_raise_code(c, EXC_NP, cs & 0xFFFC);
	seg_accessed(c, cs, &d);
	seg_enter(c, cs, &d, cpl, t->eip);
	seg_load_stack(c, (uint16_t) t->sel[SEG_SS], cpl, EXC_TS);
	for (unsigned i = 0; i < 4; i++)
		seg_load(c, data[i], (uint16_t) t->sel[data[i]]);
	cpu_mode_changed(c);
}

void task_switch(struct cpu *c, uint16_t sel, struct descriptor *d, enum task_how how, int64_t code)
{
	struct cpu_seg tr = { .base = descriptor_base(d), .limit = descriptor_limit(d), .sel = sel,
			      .attr = (uint16_t) (descriptor_attr(d) | BUSY) };
	bool nests = how == TASK_CALL || how == TASK_GATE;
	uint32_t flags = cpu_rflags(c);
	uint16_t old = c->tr.sel;
	struct tss32 t;

	if ((sel & 4) || (descriptor_attr(d) & (SEG_S | 7)) != (how == TASK_IRET ? 3 : 1))
		cpu_raise_code(c, how == TASK_IRET ? EXC_TS : EXC_GP, sel & 0xFFFC);
	if (!(descriptor_attr(d) & SEG_P))
		cpu_raise_code(c, EXC_NP, sel & 0xFFFC);
	if (tr.limit < (tr.attr & TSS32 ? 0x67u : 0x2Bu))
		cpu_raise_code(c, EXC_TS, sel & 0xFFFC);
	load(c, &tr, &t);
	if (!nests)
		set_busy(c, old, false);
	save(c, how == TASK_IRET ? flags & ~FL_NT : flags);
	if (nests) {
		cpu_write_system(c, tr.base, &old, 2);
		t.eflags |= FL_NT;
	}
	if (how != TASK_IRET)
		set_busy(c, sel, true);

	c->insn = NULL; /* faults from here on are the new task's */
	c->tr = tr;
	c->cr0 |= CR0_TS;
	if ((c->cr0 & CR0_PG) && (tr.attr & TSS32)) {
		if (c->cr4 & CR4_PAE)
			(void) mmu_load_pdptes(c, t.cr3); /* with bad ones nothing is mapped */
		mmu_set_cr3(c, t.cr3);
	}
	for (unsigned i = 0; i < 8; i++)
		c->reg[i] = t.reg[i];
	c->reg[REG_RIP] = t.eip;
	c->leave = true;
	cpu_set_rflags(c, t.eflags);
	load_ldt(c, (uint16_t) t.ldt);
	load_segments(c, &t);
	if (code >= 0)
		stack_push(c, tr.attr & TSS32 ? 4 : 2, (uint64_t) code);
}

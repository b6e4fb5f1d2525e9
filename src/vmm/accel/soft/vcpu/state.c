/* SPDX-License-Identifier: MIT */
/**
 * DOC: all of a processor in software, saved and loaded
 *
 * What is remembered for speed is not part of it.  What is loaded may come from anywhere: what no guest could have
 * brought about is refused.
 */
#include <errno.h>
#include <string.h>

#include "vmm/accel/soft/cpu/blocks.h"
#include "vmm/accel/soft/cpu/control.h"
#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/msr.h"
#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/simd/regs.h"
#include "vmm/accel/soft/simd/x87.h"
#include "vmm/accel/soft/translate/translate.h"
#include "vmm/accel/soft/vcpu/vcpu_priv.h"

#define RFLAGS_KNOWN 0x3F7FD5u
#define SEG_KNOWN 0xF0FFu
#define XSAVE_LEGACY 416 /* bytes of x87 and SSE; what follows belongs to software, then comes the header */
#define DR6_FIXED 0xFFFF0FF0u
#define DR6_KNOWN 0x0000E00Fu
#define DR7_FIXED 0x400u
#define DR7_KNOWN 0xFFFF2BFFu

_Static_assert(ACCEL_APIC_SIZE == LAPIC_PAGE_SIZE, "all of it");
_Static_assert(XS_YMM == 576 && XS_K == 1088 && XS_ZMM == 1152 && XS_HI16 == 1664, "as accel_state_part[] has them");
_Static_assert(ACCEL_XSAVE_SIZE == XS_HI16 + 1024 && ACCEL_XSAVE_SIZE <= XSAVE_SIZE, "up to AVX-512");
_Static_assert((int) CPU_RUNS == ACCEL_RUNS && (int) CPU_HALTED == ACCEL_HALTED && (int) CPU_WAITS_SIPI == ACCEL_WAITS_SIPI,
	       "the same order");

static const enum cpu_seg_id order[6] = { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS };

/* An instruction that got the answer of a device is over after this. */
static int settle(struct vcpu *v)
{
	struct cpu *c = v->cpu;

	if (c->replay.nr != 0) {
		c->exit.data = v->slot->exit.data;
		if (cpu_step(c)) {
			if (c->exit.kind != CPU_EXIT_PIO && c->exit.kind != CPU_EXIT_MMIO)
				return -EIO;
			c->replay.nr--; /* it asks for one more: as if it had not been tried */
			return -EAGAIN;
		}
	}
	for (unsigned i = 0; i < 8; i++)
		if (v->eoi[i] != 0)
			return -EAGAIN;
	return c->pending_db != 0 ? -EAGAIN : 0;
}

static struct accel_segment save_segment(const struct cpu_seg *s)
{
	return (struct accel_segment) { .base = s->base, .limit = s->limit, .selector = s->sel, .attr = s->attr };
}

static struct cpu_seg load_segment(const struct accel_segment *s)
{
	return (struct cpu_seg) { .base = s->base, .limit = s->limit, .sel = s->selector, .attr = s->attr & SEG_KNOWN };
}

int state_save(struct vcpu *v, struct accel_state *ret)
{
	struct cpu *c = v->cpu;
	int r = settle(v);

	if (r < 0)
		return r;
	vcpu_take_events(v);
	cpu_take_init(c);
	*ret = (struct accel_state) { .version = ACCEL_STATE_VERSION, .activity = (uint8_t) c->activity, .shadow = c->shadow,
				      .nmi_blocked = c->nmi_blocked, .rip = c->reg[REG_RIP], .rflags = cpu_rflags(c),
				      .ldtr = save_segment(&c->ldtr), .tr = save_segment(&c->tr),
				      .gdt = { c->gdt.base, c->gdt.limit }, .idt = { c->idt.base, c->idt.limit },
				      .cr0 = c->cr0, .cr2 = c->cr2, .cr3 = c->cr3, .cr4 = c->cr4, .efer = c->efer,
				      .xcr0 = c->xcr0, .apic_base = v->lapic->base, .dr6 = c->dr6, .dr7 = c->dr7,
				      .tsc = cpu_tsc(c), .tsc_adjust = c->tsc_adjust };
	if (__atomic_load_n(&c->event, __ATOMIC_SEQ_CST) & EVENT_NMI)
		ret->nmi_pending = c->nmi_again ? 2 : 1;
	memcpy(ret->gpr, c->reg, sizeof(ret->gpr));
	memcpy(ret->dr, c->dr, sizeof(ret->dr));
	for (unsigned i = 0; i < 6; i++)
		ret->seg[i] = save_segment(&c->seg[order[i]]);
	ret->seg[2].attr = (uint16_t) ((ret->seg[2].attr & ~SEG_DPL) | c->cpl << SEG_DPL_SHIFT);
	for (unsigned i = 0; i < ACCEL_STATE_MSRS; i++)
		if (!msr_read(c, accel_state_msr[i], &ret->msr[i]))
			ret->msr[i] = 0;
	lapic_save(&v->bus, v->lapic, clock_now(), ret->apic);
	memcpy(ret->xsave, c->xsave, sizeof(ret->xsave));
	memset(ret->xsave + XSAVE_LEGACY, 0, XS_YMM - XSAVE_LEGACY);
	return 0;
}

/* Whether this processor can have it. */
static int check(const struct cpu *c, const struct accel_state *s)
{
	uint32_t mxcsr;

	memcpy(&mxcsr, s->xsave + XS_MXCSR, sizeof(mxcsr));
	if (s->version != ACCEL_STATE_VERSION || s->activity >= ACCEL_N_ACTIVITIES_ || s->shadow >= ACCEL_N_SHADOWS_ ||
	    s->nmi_blocked > 1 || s->nmi_pending > 2 || s->rflags & ~(uint64_t) (RFLAGS_KNOWN | 2) || mxcsr & ~MXCSR_VALID)
		return -EINVAL;
	if (!control_ok(c, s->cr0, s->cr3, s->cr4, s->efer) || !xcr0_ok(c, s->xcr0))
		return -ENOTSUP;
	for (unsigned i = 0; i < ACCEL_STATE_PARTS; i++)
		if (!(c->cpuid->xcr0 >> accel_state_part[i].bit & 1) && accel_state_uses(s, &accel_state_part[i]))
			return -ENOTSUP;
	return 0;
}

static void load_registers(struct cpu *c, const struct accel_state *s)
{
	memcpy(c->reg, s->gpr, sizeof(s->gpr));
	c->reg[REG_RIP] = s->rip;
	for (unsigned i = 0; i < 6; i++)
		c->seg[order[i]] = load_segment(&s->seg[i]);
	c->ldtr = load_segment(&s->ldtr);
	c->tr = load_segment(&s->tr);
	c->gdt = (struct cpu_table) { s->gdt.base, (uint16_t) s->gdt.limit };
	c->idt = (struct cpu_table) { s->idt.base, (uint16_t) s->idt.limit };
	memcpy(c->dr, s->dr, sizeof(c->dr));
	c->dr6 = (s->dr6 & DR6_KNOWN) | DR6_FIXED;
	c->dr7 = (s->dr7 & DR7_KNOWN) | DR7_FIXED;
	memcpy(c->xsave, s->xsave, sizeof(s->xsave));
	c->xsave[XS_FTW + 1] = 0;
	xs_set16(c, XS_FCW, (xs_get16(c, XS_FCW) & 0x1F7F) | 0x40);
	xs_set16(c, XS_FOP, xs_get16(c, XS_FOP) & 0x7FF);
	for (unsigned n = 0; n < 8; n++)
		memset(c->xsave + XS_ST + (size_t) n * 16 + 10, 0, 6);
	x87_pending(c);
}

/* Modes and the address space, with nothing remembered of others. */
static int load_mode(struct cpu *c, const struct accel_state *s)
{
	c->cr0 = s->cr0 | CR0_ET;
	c->cr2 = s->cr2;
	c->cr3 = s->cr3;
	c->cr4 = s->cr4;
	c->efer = s->efer;
	c->xcr0 = s->xcr0;
	c->status = (uint32_t) s->rflags & FL_STATUS;
	c->flags = (uint32_t) s->rflags & RFLAGS_KNOWN & ~FL_STATUS;
	c->cpl = cpu_is_v86(c) ? 3 : cpu_is_real(c) ? 0 : c->seg[SEG_SS].attr >> SEG_DPL_SHIFT & 3;
	mmu_reset(c);
	mmu_set_cr3(c, s->cr3);
	cpu_mode_changed(c);
	if ((c->cr0 & CR0_PG) && (c->cr4 & CR4_PAE) && !cpu_is_long(c) && !mmu_load_pdptes(c, c->cr3))
		return -EINVAL;
	return 0;
}

static int load_msrs(struct cpu *c, const struct accel_state *s)
{
	uint64_t now;

	c->tsc_adjust = s->tsc_adjust;
	c->tsc_offset += s->tsc - cpu_tsc(c);
	for (unsigned i = 0; i < ACCEL_STATE_MSRS; i++) {
		if (s->msr[i] == 0 && !msr_read(c, accel_state_msr[i], &now))
			continue; /* there is none, and none is needed */
		if (!msr_write(c, accel_state_msr[i], s->msr[i]))
			return -ENOTSUP;
	}
	return 0;
}

int state_load(struct vcpu *v, const struct accel_state *s)
{
	struct cpu *c = v->cpu;
	int r = check(c, s);

	if (r == 0)
		r = lapic_load(&v->bus, v->lapic, s->apic_base, clock_now(), s->apic);
	if (r < 0)
		return r;
	replay_done(c);
	memset(v->eoi, 0, sizeof(v->eoi));
	(void) __atomic_fetch_and(&c->event, ~(EVENT_IRQ | EVENT_NMI | EVENT_INIT | EVENT_SIPI), __ATOMIC_SEQ_CST);
	c->held = 0;
	c->pending_db = 0;
	c->apic_base = v->lapic->base;
	c->activity = (enum cpu_activity) s->activity;
	c->shadow = s->shadow;
	c->nmi_blocked = s->nmi_blocked;
	c->nmi_again = s->nmi_pending == 2;
	if (s->nmi_pending > 0)
		cpu_set_event(c, EVENT_NMI);
	load_registers(c, s);
	r = load_mode(c, s);
	if (r == 0)
		r = load_msrs(c, s);
	blocks_flush(c->blocks);
	if (c->translator != NULL)
		translate_forget(c);
	vcpu_timer(v);
	return r;
}

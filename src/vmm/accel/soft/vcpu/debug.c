/* SPDX-License-Identifier: MIT */
/**
 * DOC: a processor that is debugged from outside of the guest
 *
 * INT3 stops it at full speed; steps and breaks without INT3 make the interpreter look at every instruction, those for
 * data at every access, too.
 */
#include <errno.h>
#include <string.h>

#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/translate/translate.h"
#include "vmm/accel/soft/vcpu/vcpu_priv.h"

#define MXCSR_OFFSET 24 /* in the FXSAVE format */
#define MXCSR_KNOWN 0xFFFFu
#define RFLAGS_KNOWN 0x3F7FD5u

_Static_assert(ACCEL_BREAKS_MAX <= CPU_BREAKS_MAX, "all of them fit");

void debug_watch(struct cpu *c)
{
	if (c->debug.step || c->debug.nr > 0)
		cpu_set_event(c, EVENT_DEBUG);
	else
		(void) __atomic_fetch_and(&c->event, ~EVENT_DEBUG, __ATOMIC_SEQ_CST);
}

int debug_set(struct vcpu *v, const struct accel_debug *debug)
{
	struct cpu_debug d = { .on = debug->on, .pass = debug->on && debug->guest_int3,
			       .step = debug->on && debug->step };

	if (debug->nr > ACCEL_BREAKS_MAX)
		return -EINVAL;
	for (unsigned i = 0; debug->on && i < debug->nr; i++) {
		d.at[d.nr++] = (struct cpu_break) { .at = debug->at[i].addr, .how = (uint8_t) debug->at[i].kind,
						    .len = (uint8_t) debug->at[i].len };
		d.data = d.data || debug->at[i].kind != ACCEL_BREAK_EXECUTE;
	}
	v->cpu->debug = d;
	mmu_select(v->cpu);
	debug_watch(v->cpu);
	if (debug->code_changed) {
		cpu_set_event(v->cpu, EVENT_FLUSH);
		translate_forget(v->cpu);
	}
	return 0;
}

void debug_write_regs(struct vcpu *v, const struct accel_regs *regs)
{
	struct cpu *c = v->cpu;
	uint32_t mxcsr;

	if (c->reg[REG_RIP] != regs->rip)
		replay_done(c); /* the instruction that waits for a device is given up */
	memcpy(c->reg, regs->gpr, sizeof(regs->gpr));
	c->reg[REG_RIP] = regs->rip;
	c->seg[SEG_FS].base = regs->fs_base;
	c->seg[SEG_GS].base = regs->gs_base;
	c->kernel_gs_base = regs->kernel_gs_base;
	memcpy(c->xsave, regs->fx, sizeof(regs->fx));
	memcpy(&mxcsr, c->xsave + MXCSR_OFFSET, sizeof(mxcsr));
	mxcsr &= MXCSR_KNOWN;
	memcpy(c->xsave + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
	cpu_set_rflags(c, (uint32_t) regs->rflags & RFLAGS_KNOWN);
}

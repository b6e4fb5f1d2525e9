/* SPDX-License-Identifier: MIT */
/**
 * DOC: registers of a processor in software, from outside
 *
 * They are read where they are, in the shared world, as a guest's word; the processor's process writes them, since
 * other things that only it knows depend on them.
 */
#include <string.h>

#include "vmm/accel/soft/soft_internal.h"

int soft_regs_read(struct accel_vcpu *v, struct accel_regs *ret)
{
	static const enum cpu_seg_id order[6] = { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS };
	const struct cpu *c = &v->soft->world->cpu[v->index];

	*ret = (struct accel_regs) { .rip = c->reg[REG_RIP], .rflags = cpu_rflags(c),
				     .fs_base = c->seg[SEG_FS].base, .gs_base = c->seg[SEG_GS].base,
				     .kernel_gs_base = c->kernel_gs_base, .cr0 = c->cr0, .cr2 = c->cr2, .cr3 = c->cr3,
				     .cr4 = c->cr4, .cr8 = lapic_tpr(&v->soft->world->lapic[v->index]), .efer = c->efer };
	memcpy(ret->gpr, c->reg, sizeof(ret->gpr));
	for (unsigned i = 0; i < 6; i++)
		ret->seg[i] = c->seg[order[i]].sel;
	memcpy(ret->fx, c->xsave, sizeof(ret->fx));
	return 0;
}

int soft_regs_write(struct accel_vcpu *v, const struct accel_regs *regs)
{
	v->soft->world->slot[v->index].regs = *regs;
	return soft_do(v, WORLD_REGS, NULL);
}

int soft_debug(struct accel_vcpu *v, const struct accel_debug *debug)
{
	v->soft->world->slot[v->index].debug = *debug;
	return soft_do(v, WORLD_DEBUG, NULL);
}

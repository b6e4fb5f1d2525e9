/* SPDX-License-Identifier: MIT */
/**
 * DOC: control and debug registers
 *
 * Spec: Intel SDM volume 3, chapters 2.5 and 18; volume 2, MOV.
 */
#include "vmm/accel/soft/cpu/control.h"
#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/run.h"

#define CR0_KNOWN                                                                                              \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)
#define DR6_FIXED 0xFFFF0FF0u
#define DR6_KNOWN 0x0000E00Fu
#define DR7_FIXED 0x400u
#define DR7_KNOWN 0xFFFF2BFFu
#define DR7_GD 0x2000u
#define DR6_BD 0x2000u

_Noreturn static void refuse(struct cpu *c)
{
	cpu_raise_code(c, EXC_GP, 0);
}

static void write_cr0(struct cpu *c, uint64_t v)
{
	uint64_t changed, efer = c->efer;

	if (v >> 32)
		refuse(c);
	v = (v & CR0_KNOWN) | CR0_ET;
	changed = v ^ c->cr0;
	if (((v & CR0_PG) && !(v & CR0_PE)) || ((v & CR0_NW) && !(v & CR0_CD)))
		refuse(c);
	if ((changed & v & CR0_PG) && (efer & EFER_LME)) {
		if (!(c->cr4 & CR4_PAE) || (c->seg[SEG_CS].attr & SEG_L))
			refuse(c);
		efer |= EFER_LMA;
	} else if ((changed & CR0_PG) && !(v & CR0_PG)) {
		if (c->mode == CPU_MODE_64 || (c->cr4 & CR4_PCIDE))
			refuse(c);
		efer &= ~(uint64_t) EFER_LMA;
	}
	if ((v & CR0_PG) && (c->cr4 & CR4_PAE) && !(efer & EFER_LMA) && (changed & (CR0_PG | CR0_CD | CR0_NW)) &&
	    !mmu_load_pdptes(c, c->cr3))
		refuse(c);
	c->cr0 = v;
	c->efer = efer;
	if (changed & (CR0_PG | CR0_WP | CR0_PE))
		cpu_flush_tlb(c, true);
	if ((changed & CR0_PE) && (v & CR0_PE))
		c->cpl = 0;
	cpu_mode_changed(c);
}

static void write_cr3(struct cpu *c, uint64_t v)
{
	uint64_t high = ~((1ull << c->cpuid->phys_bits) - 1);

	if (c->cr4 & CR4_PCIDE)
		high &= ~(1ull << 63);
	if (cpu_is_long(c) && (v & high))
		refuse(c);
	if (!cpu_is_long(c))
		v &= 0xFFFFFFFF;
	if ((c->cr0 & CR0_PG) && (c->cr4 & CR4_PAE) && !cpu_is_long(c) && !mmu_load_pdptes(c, v))
		refuse(c);
	mmu_set_cr3(c, v);
}

static uint64_t cr4_known(const struct cpu *c)
{
	uint64_t v = CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	v |= cpuid_has(c, CPUID_WORD_7_ECX, 2) ? CR4_UMIP : 0;
	v |= cpuid_has(c, CPUID_WORD_7_EBX, 0) ? CR4_FSGSBASE : 0;
	v |= cpuid_has(c, CPUID_WORD_1_ECX, 17) ? CR4_PCIDE : 0;
	v |= cpuid_has(c, CPUID_WORD_1_ECX, 26) ? CR4_OSXSAVE : 0;
	v |= cpuid_has(c, CPUID_WORD_7_EBX, 7) ? CR4_SMEP : 0;
	v |= cpuid_has(c, CPUID_WORD_7_EBX, 20) ? CR4_SMAP : 0;
	return v;
}

bool control_ok(const struct cpu *c, uint64_t cr0, uint64_t cr3, uint64_t cr4, uint64_t efer)
{
	bool paging = cr0 & CR0_PG, active = efer & EFER_LMA;

	if ((cr0 & ~(uint64_t) CR0_KNOWN) || (paging && !(cr0 & CR0_PE)) || ((cr0 & CR0_NW) && !(cr0 & CR0_CD)))
		return false;
	if ((efer & ~(uint64_t) (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) || active != (paging && (efer & EFER_LME)))
		return false;
	if ((cr4 & ~cr4_known(c)) || (active && !(cr4 & CR4_PAE)) || (!active && (cr4 & CR4_PCIDE)))
		return false;
	return cr3 >> (active ? c->cpuid->phys_bits : 32) == 0;
}

static void write_cr4(struct cpu *c, uint64_t v)
{
	uint64_t changed = v ^ c->cr4, old = c->cr4;

	if (v & ~cr4_known(c))
		refuse(c);
	if (cpu_is_long(c) && !(v & CR4_PAE))
		refuse(c);
	if ((changed & v & CR4_PCIDE) && (!cpu_is_long(c) || (c->cr3 & 0xFFF)))
		refuse(c);
	c->cr4 = v;
	if ((c->cr0 & CR0_PG) && (v & CR4_PAE) && !cpu_is_long(c) &&
	    (changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)) && !mmu_load_pdptes(c, c->cr3)) {
		c->cr4 = old;
		refuse(c);
	}
	if (changed & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP))
		cpu_flush_tlb(c, true);
	mmu_select(c);
}

static void mov_to_cr(struct cpu *c, const struct insn *i)
{
	uint64_t v = reg_get(c, i->rm, i->size);

	cpu_need_cpl0(c);
	c->leave = true;
	switch (i->reg) {
	case 0:
		write_cr0(c, v);
		break;
	case 2:
		c->cr2 = v;
		break;
	case 3:
		write_cr3(c, v);
		break;
	case 4:
		write_cr4(c, v);
		break;
	default:
		if (v > 15)
			refuse(c);
		c->ops->cr8_write(c, v);
		break;
	}
}

static void mov_from_cr(struct cpu *c, const struct insn *i)
{
	uint64_t v;

	cpu_need_cpl0(c);
	switch (i->reg) {
	case 0:
		v = c->cr0;
		break;
	case 2:
		v = c->cr2;
		break;
	case 3:
		v = c->cr3;
		break;
	case 4:
		v = c->cr4;
		break;
	default:
		v = c->ops->cr8_read(c);
		break;
	}
	reg_set(c, i->rm, i->size, v);
}

/* DR4 and DR5 are other names of DR6 and DR7, or nothing. */
static unsigned debug_register(struct cpu *c, const struct insn *i)
{
	unsigned n = i->reg;

	if (n == 4 || n == 5) {
		if (c->cr4 & CR4_DE)
			cpu_raise(c, EXC_UD);
		n += 2;
	}
	cpu_need_cpl0(c);
	if (c->dr7 & DR7_GD) {
		c->fault.addr = DR6_BD;
		cpu_raise(c, EXC_DB);
	}
	return n;
}

static void mov_to_dr(struct cpu *c, const struct insn *i)
{
	unsigned n = debug_register(c, i);
	uint64_t v = reg_get(c, i->rm, i->size);

	if (n >= 6 && v >> 32)
		refuse(c);
	if (n == 6) {
		c->dr6 = (v & DR6_KNOWN) | DR6_FIXED;
	} else if (n == 7) {
		c->dr7 = (v & DR7_KNOWN) | DR7_FIXED;
		mmu_select(c);
	} else {
		c->dr[n] = v;
	}
}

static void mov_from_dr(struct cpu *c, const struct insn *i)
{
	unsigned n = debug_register(c, i);

	reg_set(c, i->rm, i->size, n == 6 ? c->dr6 : n == 7 ? c->dr7 : c->dr[n]);
}

cpu_exec_fn *control_bind(const struct cpu *c, const struct insn *i)
{
	bool exists = i->reg < 5 && i->reg != 1;

	if (i->map != MAP_0F || i->opcode < 0x20 || i->opcode > 0x23)
		return NULL;
	if (i->prefix & PFX_LOCK)
		return cpu_undefined;
	if (i->opcode & 1)
		return i->reg >= 8 ? cpu_undefined : i->opcode & 2 ? mov_to_dr : mov_from_dr;
	exists = exists || (i->reg == 8 && c->mode == CPU_MODE_64);
	return !exists ? cpu_undefined : i->opcode & 2 ? mov_to_cr : mov_from_cr;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: model-specific registers
 *
 * Spec: Intel SDM volume 4; AMD APM volume 2, appendix A.
 */
#include "vmm/accel/soft/cpu/msr.h"

#include <stddef.h>

#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/run.h"

#define MSR_PLATFORM_ID 0x17
#define MSR_APIC_BASE 0x1B
#define MSR_FEATURE_CONTROL 0x3A
#define MSR_TSC 0x10
#define MSR_TSC_ADJUST 0x3B
#define MSR_SPEC_CTRL 0x48
#define MSR_PRED_CMD 0x49
#define MSR_UCODE_WRITE 0x79
#define MSR_UCODE_REV 0x8B
#define MSR_MTRRCAP 0xFE
#define MSR_ARCH_CAPABILITIES 0x10A
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_MCG_CAP 0x179
#define MSR_MCG_STATUS 0x17A
#define MSR_PERF_STATUS 0x198
#define MSR_MISC_ENABLE 0x1A0
#define MSR_DEBUGCTL 0x1D9
#define MSR_MTRR_VAR 0x200 /* 16 of them */
#define MSR_MTRR_FIX64K 0x250
#define MSR_MTRR_FIX16K 0x258
#define MSR_MTRR_FIX4K 0x268 /* 8 of them */
#define MSR_PAT 0x277
#define MSR_MTRR_DEF 0x2FF
#define MSR_TSC_DEADLINE 0x6E0
#define MSR_X2APIC 0x800
#define MSR_KVM 0x4B564D00
#define MSR_EFER 0xC0000080
#define MSR_STAR 0xC0000081
#define MSR_LSTAR 0xC0000082
#define MSR_CSTAR 0xC0000083
#define MSR_FMASK 0xC0000084
#define MSR_FS_BASE 0xC0000100
#define MSR_GS_BASE 0xC0000101
#define MSR_KERNEL_GS_BASE 0xC0000102
#define MSR_TSC_AUX 0xC0000103
#define MSR_XSS 0xDA0
#define MSR_SYSCFG 0xC0010010 /* this and the next two: AMD's */
#define MSR_HWCR 0xC0010015
#define MSR_NB_CFG 0xC001001F

/* No known way to learn secrets by speculation leads out of an interpreter: RDCL, SSB, MDS, PSCHANGE, TAA, SBDR_SSDP,
 * FBSDP, PSDP, BHI, PBRSB, GDS, RFDS, ITS "no", and IBRS always. */
#define ARCH_CAPABILITIES                                                                                              \
	(0x1 | 0x2 | 0x10 | 0x20 | 0x40 | 0x100 | 0xE000 | 0x100000 | 0x1000000 | 0x4000000 | 0x8000000 | 1ull << 62)

#define HWCR_TSC_STEADY 0x1000000u /* the TSC counts at one speed */
#define EFER_FFXSR 0x4000u
#define MISC_ENABLE_DEFAULT 0x1 /* fast strings */

static bool is_canonical(uint64_t v)
{
	return (uint64_t) ((int64_t) (v << 16) >> 16) == v;
}

/* Those that belong to the owner of the local APIC and the clock. */
static bool is_owners(uint32_t msr)
{
	return msr == MSR_APIC_BASE || msr == MSR_TSC_DEADLINE || (msr >= MSR_X2APIC && msr < MSR_X2APIC + 0x100) ||
		(msr >= MSR_KVM && msr < MSR_KVM + 0x100) || msr == 0x11 || msr == 0x12;
}

/* Those that simply keep a value; NULL if @msr is none of them. */
static uint64_t *plain(struct cpu *c, uint32_t msr)
{
	switch (msr) {
	case MSR_SYSENTER_CS:
		return &c->sysenter_cs;
	case MSR_STAR:
		return &c->star;
	case MSR_FMASK:
		return &c->fmask;
	case MSR_TSC_AUX:
		return &c->tsc_aux;
	case MSR_MISC_ENABLE:
		return &c->misc_enable;
	case MSR_DEBUGCTL:
		return &c->debugctl;
	case MSR_SPEC_CTRL:
		return &c->spec_ctrl;
	case MSR_MTRR_DEF:
		return &c->mtrr_def_type;
	case MSR_MTRR_FIX64K:
		return &c->mtrr_fixed[0];
	case MSR_MTRR_FIX16K:
	case MSR_MTRR_FIX16K + 1:
		return &c->mtrr_fixed[1 + msr - MSR_MTRR_FIX16K];
	default:
		break;
	}
	if (msr >= MSR_MTRR_FIX4K && msr < MSR_MTRR_FIX4K + 8)
		return &c->mtrr_fixed[3 + msr - MSR_MTRR_FIX4K];
	if (msr >= MSR_MTRR_VAR && msr < MSR_MTRR_VAR + 16)
		return &c->mtrr_var[msr - MSR_MTRR_VAR];
	return NULL;
}

/* Those that keep an address. */
static uint64_t *address(struct cpu *c, uint32_t msr)
{
	switch (msr) {
	case MSR_SYSENTER_ESP:
		return &c->sysenter_esp;
	case MSR_SYSENTER_EIP:
		return &c->sysenter_eip;
	case MSR_LSTAR:
		return &c->lstar;
	case MSR_CSTAR:
		return &c->cstar;
	case MSR_FS_BASE:
		return &c->seg[SEG_FS].base;
	case MSR_GS_BASE:
		return &c->seg[SEG_GS].base;
	case MSR_KERNEL_GS_BASE:
		return &c->kernel_gs_base;
	default:
		return NULL;
	}
}

bool msr_read(struct cpu *c, uint32_t msr, uint64_t *ret)
{
	uint64_t *p = plain(c, msr);

	if (is_owners(msr))
		return c->ops->msr_read(c, msr, ret);
	if (p == NULL)
		p = address(c, msr);
	if (p != NULL) {
		*ret = *p;
		return true;
	}
	switch (msr) {
	case MSR_TSC:
		*ret = cpu_tsc(c);
		return true;
	case MSR_TSC_ADJUST:
		*ret = c->tsc_adjust;
		return true;
	case MSR_EFER:
		*ret = c->efer;
		return true;
	case MSR_PAT:
		*ret = c->pat;
		return true;
	case MSR_XSS:
		*ret = c->xss;
		return true;
	case MSR_ARCH_CAPABILITIES:
		*ret = ARCH_CAPABILITIES;
		return true;
	case MSR_MTRRCAP:
		*ret = 0x508; /* 8 variable ranges, fixed ranges, write-combining */
		return true;
	case MSR_FEATURE_CONTROL:
		*ret = 1; /* locked, nothing enabled */
		return true;
	case MSR_UCODE_REV:
		*ret = 1ull << 32;
		return true;
	case MSR_HWCR:
		*ret = HWCR_TSC_STEADY;
		return c->cpuid->amd;
	case MSR_SYSCFG:
	case MSR_NB_CFG:
		*ret = 0;
		return c->cpuid->amd;
	case MSR_PLATFORM_ID:
	case MSR_MCG_CAP:
	case MSR_MCG_STATUS:
	case MSR_PERF_STATUS:
		*ret = 0;
		return true;
	default:
		return false;
	}
}

static bool write_efer(struct cpu *c, uint64_t value)
{
	uint64_t changed = c->efer ^ value;

	if (value & ~(uint64_t) (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE))
		return false;
	if ((changed & EFER_LME) && (c->cr0 & CR0_PG))
		return false;
	c->efer = (value & ~(uint64_t) EFER_LMA) | (c->efer & EFER_LMA);
	if (changed & EFER_NXE)
		cpu_flush_tlb(c, true);
	return true;
}

static bool pat_ok(uint64_t value)
{
	for (unsigned i = 0; i < 64; i += 8) {
		uint8_t type = (uint8_t) (value >> i);

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

bool msr_write(struct cpu *c, uint32_t msr, uint64_t value)
{
	uint64_t *p = plain(c, msr);

	if (is_owners(msr))
		return c->ops->msr_write(c, msr, value);
	if (p != NULL) {
		*p = value;
		return true;
	}
	p = address(c, msr);
	if (p != NULL) {
		if (!is_canonical(value))
			return false;
		*p = value;
		return true;
	}
	switch (msr) {
	case MSR_TSC:
		c->tsc_offset += value - cpu_tsc(c);
		return true;
	case MSR_TSC_ADJUST:
		c->tsc_offset += value - c->tsc_adjust;
		c->tsc_adjust = value;
		return true;
	case MSR_EFER:
		return write_efer(c, value);
	case MSR_PAT:
		if (!pat_ok(value))
			return false;
		c->pat = value;
		return true;
	case MSR_XSS:
		return value == 0;
	case MSR_PRED_CMD:
	case MSR_UCODE_WRITE:
	case MSR_UCODE_REV:
	case MSR_MCG_STATUS:
		return true;
	case MSR_SYSCFG:
	case MSR_HWCR:
	case MSR_NB_CFG:
		return c->cpuid->amd; /* nothing of it changes what a guest sees */
	default:
		return false;
	}
}

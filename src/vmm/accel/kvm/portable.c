/* SPDX-License-Identifier: MIT */
/**
 * DOC: a processor of KVM in the format that all accelerators share
 *
 * The kernel's own format differs by host: where the parts of the XSAVE area are, which registers it knows.  It also tells
 * of an event that was taken and not delivered yet: that is given back to where it came from.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "vmm/accel/kvm/state.h"

#define XSAVE_LEGACY 416u /* bytes of x87 and SSE; what follows belongs to software */
#define XSAVE_HEADER 512u
#define XSAVE_FIRST 576u /* end of the header */
#define XCR0_X87_SSE 3u

#define APIC_ISR 0x100u
#define APIC_IRR 0x200u
#define APIC_TPR 0x80u

#define MSR_TSC 0x10u
#define MSR_TSC_ADJUST 0x3Bu
#define MSR_TSC_DEADLINE 0x6E0u

#define SHADOW_MOV_SS KVM_X86_SHADOW_INT_MOV_SS
#define SHADOW_STI KVM_X86_SHADOW_INT_STI

/* Exceptions that the instruction raises again when it is executed again. */
#define FAULTS (1u << 0 | 1u << 5 | 1u << 6 | 1u << 7 | 0x1Fu << 10 | 1u << 16 | 1u << 17 | 1u << 19)

/* Where the host's area has a part; 0: it has not. */
static uint32_t part_at(const struct kvm *k, const struct accel_state_part *p)
{
	for (uint32_t i = 0; i < k->cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &k->cpuid->entries[i];

		if (e->function == 0xD && e->index == p->bit && e->eax == p->size && e->ebx >= XSAVE_FIRST &&
		    e->ebx <= KVM_XSAVE_SIZE - p->size)
			return e->ebx;
	}
	return 0;
}

static struct accel_segment from_segment(const struct kvm_segment *s)
{
	uint32_t attr = s->type | (uint32_t) s->s << 4 | (uint32_t) s->dpl << 5 | (uint32_t) s->present << 7 |
			(uint32_t) s->avl << 12 | (uint32_t) s->l << 13 | (uint32_t) s->db << 14 | (uint32_t) s->g << 15;

	if (s->unusable)
		attr &= ~0x80u;
	return (struct accel_segment) { .base = s->base, .limit = s->limit, .selector = s->selector, .attr = (uint16_t) attr };
}

static struct kvm_segment to_segment(const struct accel_segment *s)
{
	return (struct kvm_segment) { .base = s->base, .limit = s->limit, .selector = s->selector, .type = s->attr & 15,
				      .s = s->attr >> 4 & 1, .dpl = s->attr >> 5 & 3, .present = s->attr >> 7 & 1,
				      .avl = s->attr >> 12 & 1, .l = s->attr >> 13 & 1, .db = s->attr >> 14 & 1,
				      .g = s->attr >> 15 & 1, .unusable = !(s->attr >> 7 & 1) };
}

/* General registers and segments */
static void exchange(struct kvm_state *k, struct accel_state *a, bool to_kvm)
{
	struct kvm_segment *const segs[8] = { &k->sregs.es, &k->sregs.cs, &k->sregs.ss, &k->sregs.ds, &k->sregs.fs,
					      &k->sregs.gs, &k->sregs.ldt, &k->sregs.tr };
	struct accel_segment *const to[8] = { &a->seg[0], &a->seg[1], &a->seg[2], &a->seg[3], &a->seg[4], &a->seg[5],
					      &a->ldtr, &a->tr };

	kvm_gprs(&k->regs, a->gpr, to_kvm);
	for (unsigned i = 0; i < 8; i++) {
		if (to_kvm)
			*segs[i] = to_segment(to[i]);
		else
			*to[i] = from_segment(segs[i]);
	}
}

static bool apic_bit(uint8_t *page, uint32_t at, uint8_t vector, bool set)
{
	uint8_t *byte = page + at + vector / 32 * 16 + vector % 32 / 8, bit = (uint8_t) (1u << vector % 8);
	bool was = *byte & bit;

	*byte = (uint8_t) (set ? *byte | bit : *byte & ~bit);
	return was;
}

/* What was about to be delivered goes back. */
static int take_back(struct kvm_vcpu_events *e, struct accel_state *a)
{
	if ((e->exception.injected || e->exception.pending) && (e->exception.nr > 31 || !(FAULTS >> e->exception.nr & 1)))
		return -EAGAIN;
	if (e->interrupt.injected && (e->interrupt.soft || !apic_bit(a->apic, APIC_ISR, e->interrupt.nr, false)))
		return -EAGAIN;
	if (e->interrupt.injected)
		(void) apic_bit(a->apic, APIC_IRR, e->interrupt.nr, true); /* whatever it was */
	a->nmi_pending = e->nmi.pending;
	a->nmi_blocked = e->nmi.masked && !e->nmi.injected;
	a->nmi_pending = (uint8_t) (a->nmi_pending + e->nmi.injected);
	if (a->nmi_pending > 2)
		a->nmi_pending = 2;
	a->shadow = e->interrupt.shadow & SHADOW_MOV_SS ? ACCEL_SHADOW_MOV_SS :
		    e->interrupt.shadow & SHADOW_STI	? ACCEL_SHADOW_STI :
							  ACCEL_SHADOW_NONE;
	return 0;
}

static void read_msrs(struct kvm_state *k, struct accel_state *a)
{
	for (unsigned i = 0; i < ACCEL_STATE_MSRS; i++) {
		const uint64_t *value = kvm_state_msr(k, accel_state_msr[i]);

		a->msr[i] = value != NULL ? *value : 0;
	}
}

static int read_all(struct accel_vcpu *v, struct accel_state *ret)
{
	_cleanup_free_ struct kvm_state *k = NULL;
	int r = kvm_settle(v);

	if (r == 0)
		r = kvm_state_read(v, &k);
	if (r < 0)
		return r;
	*ret = (struct accel_state) { .version = ACCEL_STATE_VERSION, .rip = k->regs.rip, .rflags = k->regs.rflags,
				      .gdt = { k->sregs.gdt.base, k->sregs.gdt.limit },
				      .idt = { k->sregs.idt.base, k->sregs.idt.limit }, .cr0 = k->sregs.cr0,
				      .cr2 = k->sregs.cr2, .cr3 = k->sregs.cr3, .cr4 = k->sregs.cr4, .efer = k->sregs.efer,
				      .apic_base = k->sregs.apic_base, .dr6 = k->debug.dr6, .dr7 = k->debug.dr7 };
	exchange(k, ret, false);
	memcpy(ret->dr, k->debug.db, sizeof(ret->dr));
	for (uint32_t i = 0; i < k->xcrs.nr_xcrs && i < KVM_MAX_XCRS; i++)
		if (k->xcrs.xcrs[i].xcr == 0)
			ret->xcr0 = k->xcrs.xcrs[i].value;
	ret->activity = k->mp.mp_state == KVM_MP_STATE_RUNNABLE ? ACCEL_RUNS :
			k->mp.mp_state == KVM_MP_STATE_HALTED	? ACCEL_HALTED :
								  ACCEL_WAITS_SIPI;
	memcpy(ret->apic, k->lapic.regs, sizeof(ret->apic));
	memcpy(ret->xsave, k->xsave, XSAVE_LEGACY);
	for (unsigned i = 0; i < ACCEL_STATE_PARTS; i++) {
		const struct accel_state_part *p = &accel_state_part[i];
		uint32_t at = part_at(v->kvm, p);

		if (at != 0)
			memcpy(ret->xsave + p->at, k->xsave + at, p->size);
	}
	read_msrs(k, ret);
	r = kvm_msr(v->fd, KVM_GET_MSRS, MSR_TSC, &ret->tsc);
	if (r == 0 && kvm_msr(v->fd, KVM_GET_MSRS, MSR_TSC_ADJUST, &ret->tsc_adjust) < 0)
		ret->tsc_adjust = 0; /* there is none */
	return r < 0 ? r : take_back(&k->events, ret);
}

int kvm_portable_read(struct accel_vcpu *v, struct accel_state *ret, struct err *err)
{
	int r = read_all(v, ret);

	if (r == -EAGAIN)
		return err_msg(err, r, "processor %u: it is in the middle of an instruction", v->index);
	return r < 0 ? err_set(err, r, "read state of processor %u", v->index) : 0;
}

static int write_xsave(const struct kvm *kvm, const struct accel_state *a, struct kvm_state *k)
{
	uint64_t used = XCR0_X87_SSE;

	memset(k->xsave, 0, sizeof(k->xsave));
	memcpy(k->xsave, a->xsave, XSAVE_LEGACY);
	for (unsigned i = 0; i < ACCEL_STATE_PARTS; i++) {
		const struct accel_state_part *p = &accel_state_part[i];
		uint32_t at = part_at(kvm, p);

		if (at != 0) {
			memcpy(k->xsave + at, a->xsave + p->at, p->size);
			used |= 1ull << p->bit;
		} else if (accel_state_uses(a, p)) {
			return -ENOTSUP;
		}
	}
	memcpy(k->xsave + XSAVE_HEADER, &used, sizeof(used));
	return 0;
}

static int fill(const struct accel_vcpu *v, const struct accel_state *state, struct kvm_state *k, uint32_t *bad)
{
	static const uint32_t activity[] = { KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_HALTED, KVM_MP_STATE_INIT_RECEIVED };
	struct accel_state copy = *state;

	if (copy.version != ACCEL_STATE_VERSION || copy.activity >= ARRAY_LEN(activity) || copy.shadow >= ACCEL_N_SHADOWS_ ||
	    copy.nmi_blocked > 1 || copy.nmi_pending > 2)
		return -EINVAL;
	exchange(k, &copy, true);
	k->regs.rip = copy.rip;
	k->regs.rflags = copy.rflags;
	k->sregs.gdt = (struct kvm_dtable) { .base = copy.gdt.base, .limit = (uint16_t) copy.gdt.limit };
	k->sregs.idt = (struct kvm_dtable) { .base = copy.idt.base, .limit = (uint16_t) copy.idt.limit };
	k->sregs.cr0 = copy.cr0;
	k->sregs.cr2 = copy.cr2;
	k->sregs.cr3 = copy.cr3;
	k->sregs.cr4 = copy.cr4;
	k->sregs.cr8 = copy.apic[APIC_TPR] >> 4;
	k->sregs.efer = copy.efer;
	k->sregs.apic_base = copy.apic_base;
	memset(k->sregs.interrupt_bitmap, 0, sizeof(k->sregs.interrupt_bitmap));
	k->xcrs = (struct kvm_xcrs) { .nr_xcrs = 1, .xcrs = { { .xcr = 0, .value = copy.xcr0 } } };
	memcpy(k->debug.db, copy.dr, sizeof(k->debug.db));
	k->debug.dr6 = copy.dr6;
	k->debug.dr7 = copy.dr7;
	memcpy(k->lapic.regs, copy.apic, sizeof(copy.apic));
	k->mp.mp_state = activity[copy.activity];
	k->events = (struct kvm_vcpu_events) {
		.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW,
		.nmi = { .pending = copy.nmi_pending, .masked = copy.nmi_blocked },
		.interrupt.shadow = copy.shadow == ACCEL_SHADOW_MOV_SS ? SHADOW_MOV_SS :
				    copy.shadow == ACCEL_SHADOW_STI	   ? SHADOW_STI :
									     0,
	};
	for (unsigned i = 0; i < ACCEL_STATE_MSRS; i++) {
		uint64_t *value = kvm_state_msr(k, accel_state_msr[i]);

		*bad = accel_state_msr[i];
		if (value != NULL)
			*value = copy.msr[i];
		else if (copy.msr[i] != 0)
			return -ENOTSUP;
	}
	*bad = 0;
	return write_xsave(v->kvm, &copy, k);
}

/* The kernel leaves a register alone whose value it refuses. */
static int compare_msrs(const struct accel_vcpu *v, const struct accel_state *state, uint32_t *bad)
{
	_cleanup_free_ struct kvm_state *k = NULL;
	int r = kvm_state_read(v, &k);

	for (unsigned i = 0; i < ACCEL_STATE_MSRS && r == 0; i++) {
		const uint64_t *value = kvm_state_msr(k, accel_state_msr[i]);

		*bad = accel_state_msr[i];
		if (value != NULL && *value != state->msr[i] && *bad != MSR_TSC_DEADLINE)
			r = -ENOTSUP;
	}
	return r;
}

static int write_all(struct accel_vcpu *v, const struct accel_state *state, uint32_t *bad)
{
	_cleanup_free_ struct kvm_state *k = NULL;
	uint64_t tsc = state->tsc, adjust = state->tsc_adjust;
	int r = kvm_settle(v);

	v->again = false;
	if (r == 0 || r == -EAGAIN)
		r = kvm_state_read(v, &k);
	if (r == 0)
		r = fill(v, state, k, bad);
	/* before the timer that counts it */
	if (r == 0 && (kvm_msr(v->fd, KVM_SET_MSRS, MSR_TSC, &tsc) < 0 ||
		       (kvm_msr(v->fd, KVM_SET_MSRS, MSR_TSC_ADJUST, &adjust) < 0 && adjust != 0)))
		r = -ENOTSUP;
	if (r == 0)
		r = kvm_state_write(v, k);
	return r < 0 ? r : compare_msrs(v, state, bad);
}

int kvm_portable_write(struct accel_vcpu *v, const struct accel_state *state, struct err *err)
{
	uint32_t bad = 0;
	int r = write_all(v, state, &bad);

	if (r == -EINVAL)
		return err_msg(err, r, "processor %u: no processor can be in the state that was saved", v->index);
	if (r == -ENOTSUP && bad != 0)
		return err_msg(err, r, "processor %u: this host has no register %#x as it was saved", v->index, bad);
	if (r == -ENOTSUP)
		return err_msg(err, r, "processor %u: the state that was saved needs features that it does not have", v->index);
	return r < 0 ? err_set(err, r, "write state of processor %u", v->index) : 0;
}

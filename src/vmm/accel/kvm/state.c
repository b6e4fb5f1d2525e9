/* SPDX-License-Identifier: MIT */
/**
 * DOC: all state of a processor
 *
 * Read before a processor has run, it is what a reset puts back.  The time stamp counter is left alone:
 * it never goes backwards.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "vmm/accel/kvm/kvm_internal.h"

#define MSR_TSC 0x10
#define XSAVE_SIZE 4096 /* bytes that KVM_GET_XSAVE returns */

/** struct msr_block - struct kvm_msrs with room for its entries */
struct msr_block {
	uint32_t nr, pad;
	struct kvm_msr_entry entry[KVM_MSRS_MAX];
};

_Static_assert(offsetof(struct msr_block, entry) == offsetof(struct kvm_msrs, entries), "the kernel's layout");

/** struct kvm_state - state of a processor */
struct kvm_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	_Alignas(8) uint8_t xsave[XSAVE_SIZE];
	struct kvm_xcrs xcrs;
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debug;
	struct msr_block msrs;
};

static int list_msrs(int dev, struct kvm_state *s)
{
	struct {
		uint32_t nr, index[KVM_MSRS_MAX];
	} list = { .nr = KVM_MSRS_MAX }; /* as struct kvm_msr_list */

	if (ioctl(dev, KVM_GET_MSR_INDEX_LIST, &list) < 0)
		return -errno;
	for (uint32_t i = 0; i < list.nr; i++)
		if (list.index[i] != MSR_TSC)
			s->msrs.entry[s->msrs.nr++].index = list.index[i];
	return 0;
}

/*
 * The kernel stops at the first register that this host does not have; it is left out and the rest
 * is tried again.
 */
static int each_msr(int fd, struct kvm_state *s, unsigned long request)
{
	struct msr_block part;
	uint32_t at = 0, kept = 0;

	while (at < s->msrs.nr) {
		int n;

		part.nr = s->msrs.nr - at;
		part.pad = 0;
		memcpy(part.entry, &s->msrs.entry[at], part.nr * sizeof(part.entry[0]));
		n = ioctl(fd, request, &part);
		if (n < 0)
			return -errno;
		memcpy(&s->msrs.entry[kept], part.entry, (size_t) n * sizeof(part.entry[0]));
		kept += (uint32_t) n;
		at += (uint32_t) n + 1;
	}
	if (request == KVM_GET_MSRS)
		s->msrs.nr = kept;
	return 0;
}

int kvm_state_read(const struct accel_vcpu *v, struct kvm_state **ret)
{
	_cleanup_free_ struct kvm_state *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return -ENOMEM;
	if (ioctl(v->fd, KVM_GET_REGS, &s->regs) < 0 || ioctl(v->fd, KVM_GET_SREGS, &s->sregs) < 0 ||
	    ioctl(v->fd, KVM_GET_XSAVE, s->xsave) < 0 || ioctl(v->fd, KVM_GET_XCRS, &s->xcrs) < 0 ||
	    ioctl(v->fd, KVM_GET_LAPIC, &s->lapic) < 0 || ioctl(v->fd, KVM_GET_MP_STATE, &s->mp) < 0 ||
	    ioctl(v->fd, KVM_GET_VCPU_EVENTS, &s->events) < 0 ||
	    ioctl(v->fd, KVM_GET_DEBUGREGS, &s->debug) < 0)
		return -errno;
	r = list_msrs(v->kvm->dev, s);
	if (r == 0)
		r = each_msr(v->fd, s, KVM_GET_MSRS);
	if (r < 0)
		return r;
	*ret = take_ptr(s);
	return 0;
}

int kvm_state_write(const struct accel_vcpu *v, const struct kvm_state *state)
{
	_cleanup_free_ struct kvm_state *s = malloc(sizeof(*s));
	int r;

	if (s == NULL)
		return -ENOMEM;
	*s = *state;
	/* registers that say which others exist come first, the local APIC before its timer */
	if (ioctl(v->fd, KVM_SET_SREGS, &s->sregs) < 0 || ioctl(v->fd, KVM_SET_REGS, &s->regs) < 0 ||
	    ioctl(v->fd, KVM_SET_XCRS, &s->xcrs) < 0 || ioctl(v->fd, KVM_SET_XSAVE, s->xsave) < 0 ||
	    ioctl(v->fd, KVM_SET_LAPIC, &s->lapic) < 0)
		return -errno;
	r = each_msr(v->fd, s, KVM_SET_MSRS);
	if (r < 0)
		return r;
	if (ioctl(v->fd, KVM_SET_DEBUGREGS, &s->debug) < 0 || ioctl(v->fd, KVM_SET_VCPU_EVENTS, &s->events) < 0 ||
	    ioctl(v->fd, KVM_SET_MP_STATE, &s->mp) < 0)
		return -errno;
	return 0;
}

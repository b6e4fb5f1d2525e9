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
#include "vmm/accel/kvm/state.h"

#define MSR_TSC 0x10

_Static_assert(offsetof(struct kvm_msr_block, entry) == offsetof(struct kvm_msrs, entries), "the kernel's layout");

void kvm_gprs(struct kvm_regs *k, uint64_t gpr[16], bool to_kvm)
{
	__u64 *const order[16] = { &k->rax, &k->rcx, &k->rdx, &k->rbx, &k->rsp, &k->rbp, &k->rsi, &k->rdi,
				   &k->r8, &k->r9, &k->r10, &k->r11, &k->r12, &k->r13, &k->r14, &k->r15 };

	for (unsigned i = 0; i < 16; i++) {
		if (to_kvm)
			*order[i] = gpr[i];
		else
			gpr[i] = *order[i];
	}
}

int kvm_msr(int fd, unsigned long request, uint32_t index, uint64_t *value)
{
	struct kvm_msr_block m = { .nr = 1, .entry = { { .index = index, .data = *value } } };

	if (ioctl(fd, request, &m) != 1)
		return -EIO;
	*value = m.entry[0].data;
	return 0;
}

uint64_t *kvm_state_msr(struct kvm_state *s, uint32_t index)
{
	for (uint32_t i = 0; i < s->msrs.nr; i++)
		if (s->msrs.entry[i].index == index)
			return (uint64_t *) &s->msrs.entry[i].data;
	return NULL;
}

static int list_msrs(int dev, struct kvm_state *s)
{
	struct {
		uint32_t nr, index[KVM_MSRS_MAX];
	} list = { .nr = KVM_MSRS_MAX - ACCEL_STATE_MSRS }; /* as struct kvm_msr_list */

	if (ioctl(dev, KVM_GET_MSR_INDEX_LIST, &list) < 0)
		return -errno;
	for (uint32_t i = 0; i < list.nr; i++)
		if (list.index[i] != MSR_TSC)
			s->msrs.entry[s->msrs.nr++].index = list.index[i];
	for (unsigned i = 0; i < ACCEL_STATE_MSRS; i++) /* not all of them are in the kernel's list */
		if (kvm_state_msr(s, accel_state_msr[i]) == NULL)
			s->msrs.entry[s->msrs.nr++].index = accel_state_msr[i];
	return 0;
}

/*
 * The kernel stops at the first register that this host does not have; it is left out and the rest
 * is tried again.
 */
static int each_msr(int fd, struct kvm_state *s, unsigned long request)
{
	struct kvm_msr_block part;
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
	/* first what carries out INIT and SIPI that wait */
	if (ioctl(v->fd, KVM_GET_MP_STATE, &s->mp) < 0 || ioctl(v->fd, KVM_GET_REGS, &s->regs) < 0 || ioctl(v->fd, KVM_GET_SREGS, &s->sregs) < 0 ||
	    ioctl(v->fd, KVM_GET_XSAVE, s->xsave) < 0 || ioctl(v->fd, KVM_GET_XCRS, &s->xcrs) < 0 ||
	    ioctl(v->fd, KVM_GET_LAPIC, &s->lapic) < 0 ||
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

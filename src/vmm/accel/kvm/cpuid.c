/* SPDX-License-Identifier: MIT */
/**
 * DOC: what processors tell of themselves
 *
 * The guest sees what the host's KVM supports, and a topology of one socket with a core per processor:
 * leaves that depend on the processor, or that would describe the host's cores, are written anew.
 * Spec: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "vmm/accel/kvm/kvm_internal.h"

#define EXTRA 8 /* leaves that topology adds */

#define ECX1_X2APIC (1u << 21)
#define ECX1_TSC_DEADLINE (1u << 24)
#define ECX1_HYPERVISOR (1u << 31)
#define EDX1_HTT (1u << 28)
#define ECX_EXT_CMP_LEGACY (1u << 1)

static struct kvm_cpuid2 *cpuid_new(void)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + (KVM_CPUID_MAX + EXTRA) * sizeof(c->entries[0]));

	if (c != NULL)
		c->nent = KVM_CPUID_MAX;
	return c;
}

int kvm_cpuid_read(int dev, struct kvm_cpuid2 **ret)
{
	_cleanup_free_ struct kvm_cpuid2 *c = cpuid_new();

	if (c == NULL)
		return -ENOMEM;
	if (ioctl(dev, KVM_GET_SUPPORTED_CPUID, c) < 0)
		return -errno;
	for (uint32_t i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[i];

		if (e->function != 1)
			continue;
		e->ecx |= ECX1_HYPERVISOR;
		if (ioctl(dev, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0)
			e->ecx |= ECX1_TSC_DEADLINE; /* the kernel's local APIC has it, whatever the host's has */
	}
	*ret = take_ptr(c);
	return 0;
}

/* Bits that number @n things. */
static uint32_t bits_for(unsigned n)
{
	uint32_t bits = 0;

	while ((1u << bits) < n)
		bits++;
	return bits;
}

static void add(struct kvm_cpuid2 *c, struct kvm_cpuid_entry2 e)
{
	e.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	c->entries[c->nent++] = e;
}

/* Extended topology: one thread per core, @cpus cores. */
static void add_topology(struct kvm_cpuid2 *c, uint32_t leaf, unsigned cpus, unsigned index)
{
	add(c, (struct kvm_cpuid_entry2) { .function = leaf, .index = 0, .ebx = 1, .ecx = 0x100, .edx = index });
	add(c, (struct kvm_cpuid_entry2) { .function = leaf, .index = 1, .eax = bits_for(cpus), .ebx = cpus,
					   .ecx = 0x201, .edx = index });
	add(c, (struct kvm_cpuid_entry2) { .function = leaf, .index = 2, .ecx = 2, .edx = index });
}

/* Caches of level 3 and up are shared by all, others belong to a core. */
static uint32_t cache_sharing(uint32_t eax, unsigned cpus)
{
	uint32_t level = eax >> 5 & 7, sharing = level >= 3 ? cpus - 1 : 0;

	return (eax & ~0x03FFC000u) | sharing << 14;
}

static void adapt(struct kvm_cpuid_entry2 *e, unsigned cpus, unsigned index)
{
	switch (e->function) {
	case 1:
		e->ebx = (e->ebx & 0xFFFF) | cpus << 16 | index << 24;
		e->edx = cpus > 1 ? e->edx | EDX1_HTT : e->edx & ~EDX1_HTT;
		break;
	case 4:
		if ((e->eax & 0x1F) != 0)
			e->eax = (cache_sharing(e->eax, cpus) & 0x03FFFFFF) | (cpus - 1) << 26;
		break;
	case 0x80000001:
		e->ecx = cpus > 1 ? e->ecx | ECX_EXT_CMP_LEGACY : e->ecx & ~ECX_EXT_CMP_LEGACY;
		break;
	case 0x80000008:
		e->ecx = (e->ecx & ~0xF0FFu) | bits_for(cpus) << 12 | (cpus - 1);
		break;
	case 0x8000001D:
		if ((e->eax & 0x1F) != 0)
			e->eax = cache_sharing(e->eax, cpus);
		break;
	case 0x8000001E:
		e->eax = index;
		e->ebx = index;
		e->ecx = 0;
		break;
	default:
		break;
	}
}

int kvm_cpuid_set(const struct kvm *kvm, int vcpu_fd, unsigned index)
{
	_cleanup_free_ struct kvm_cpuid2 *c = cpuid_new();
	bool topology = false;

	if (c == NULL)
		return -ENOMEM;
	c->nent = 0;
	for (uint32_t i = 0; i < kvm->cpuid->nent; i++) {
		struct kvm_cpuid_entry2 e = kvm->cpuid->entries[i];

		if (e.function == 0xB || e.function == 0x1F) {
			topology = topology || e.function == 0xB;
			continue;
		}
		adapt(&e, kvm->nr_cpus, index);
		c->entries[c->nent++] = e;
	}
	if (topology)
		add_topology(c, 0xB, kvm->nr_cpus, index);
	return ioctl(vcpu_fd, KVM_SET_CPUID2, c) < 0 ? -errno : 0;
}

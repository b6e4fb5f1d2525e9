/* SPDX-License-Identifier: MIT */
/**
 * DOC: what processors tell of themselves
 *
 * The guest sees what the host's KVM supports, and a topology of one socket with a core per processor:
 * leaves that depend on the processor, or that would describe the host's cores, are written anew.
 * Spec: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "vmm/accel/cpu_model.h"
#include "vmm/accel/kvm/kvm_internal.h"

#define EXTRA 8 /* leaves that topology adds */
#define XSAVE_LEGACY 576u /* bytes of the x87 and SSE states, and the header */

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

/* Where a word of features is. */
static const struct {
	uint32_t leaf, index;
	size_t offset;
} places[CPUID_WORDS] = {
	[CPUID_WORD_1_ECX] = { 1, 0, offsetof(struct kvm_cpuid_entry2, ecx) },
	[CPUID_WORD_1_EDX] = { 1, 0, offsetof(struct kvm_cpuid_entry2, edx) },
	[CPUID_WORD_7_EBX] = { 7, 0, offsetof(struct kvm_cpuid_entry2, ebx) },
	[CPUID_WORD_7_ECX] = { 7, 0, offsetof(struct kvm_cpuid_entry2, ecx) },
	[CPUID_WORD_7_EDX] = { 7, 0, offsetof(struct kvm_cpuid_entry2, edx) },
	[CPUID_WORD_7_1_EAX] = { 7, 1, offsetof(struct kvm_cpuid_entry2, eax) },
	[CPUID_WORD_D_1_EAX] = { 0xD, 1, offsetof(struct kvm_cpuid_entry2, eax) },
	[CPUID_WORD_80000001_ECX] = { 0x80000001, 0, offsetof(struct kvm_cpuid_entry2, ecx) },
	[CPUID_WORD_80000001_EDX] = { 0x80000001, 0, offsetof(struct kvm_cpuid_entry2, edx) },
};

static uint32_t *word_of(struct kvm_cpuid2 *c, unsigned w)
{
	for (uint32_t i = 0; i < c->nent; i++)
		if (c->entries[i].function == places[w].leaf && c->entries[i].index == places[w].index)
			return (uint32_t *) ((uint8_t *) &c->entries[i] + places[w].offset);
	return NULL;
}

/* Leaves that tell of features which have no word: tracing, enclaves, tiles, performance counters. */
static bool is_about_others(uint32_t leaf)
{
	return leaf == 0xA || leaf == 0xF || leaf == 0x10 || leaf == 0x12 || leaf == 0x14 || (leaf >= 0x17 && leaf <= 0x1E) ||
	       (leaf >= 0x20 && leaf <= 0x3F) || leaf == 0x8000000A || leaf == 0x8000001B ||
	       (leaf >= 0x8000001F && leaf <= 0x800000FF);
}

/* The states of XSAVE, and how much memory all of them take, are what features need. */
static void limit_states(struct kvm_cpuid2 *c, const uint32_t word[CPUID_WORDS])
{
	struct kvm_cpuid_entry2 *first = NULL;
	uint64_t xcr0 = 0;
	uint32_t size = XSAVE_LEGACY;

	for (uint32_t i = 0; i < c->nent; i++)
		if (c->entries[i].function == 0xD && c->entries[i].index == 0)
			first = &c->entries[i];
	if (first == NULL)
		return;
	xcr0 = cpu_model_xcr0(word, first->eax | (uint64_t) first->edx << 32);
	for (uint32_t i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[i];

		if (e->function != 0xD || e->index < 2)
			continue;
		if (e->index >= 64 || !(xcr0 >> e->index & 1))
			e->eax = e->ebx = e->ecx = e->edx = 0;
		else if (e->eax + e->ebx > size)
			size = e->eax + e->ebx;
	}
	first->eax = (uint32_t) xcr0;
	first->edx = (uint32_t) (xcr0 >> 32);
	first->ebx = first->ecx = size;
}

int kvm_cpuid_choose(struct kvm_cpuid2 *c, const struct cpu_model *model, struct err *err)
{
	uint32_t word[CPUID_WORDS] = { 0 }, *at;
	int r;

	for (unsigned w = 0; w < CPUID_WORDS; w++)
		if ((at = word_of(c, w)) != NULL)
			word[w] = *at;
	r = cpu_model_apply(model, word, err);
	if (r < 0)
		return r;
	for (unsigned w = 0; w < CPUID_WORDS; w++)
		if ((at = word_of(c, w)) != NULL)
			*at = word[w];
	for (uint32_t i = 0; i < c->nent; i++)
		if (model->named && is_about_others(c->entries[i].function))
			c->entries[i].eax = c->entries[i].ebx = c->entries[i].ecx = c->entries[i].edx = 0;
	limit_states(c, word);
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

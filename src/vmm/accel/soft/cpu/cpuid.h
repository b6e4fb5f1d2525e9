/* SPDX-License-Identifier: MIT */
/*
 * What a processor tells of itself.
 */
#pragma once

#include <stdint.h>

#include "vmm/accel/cpu_model.h"
#include "vmm/accel/soft/cpu/state.h"

/** struct cpuid_regs - an answer */
struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

/** cpuid_get() - answer of @c for @leaf and @subleaf */
struct cpuid_regs cpuid_get(const struct cpu *c, uint32_t leaf, uint32_t subleaf);

/** cpuid_host() - the host's answer */
struct cpuid_regs cpuid_host(uint32_t leaf, uint32_t subleaf);

/**
 * struct cpu_cpuid - features of the guest's processors: never more than what the host has
 * @amd: in compatibility mode there is SYSCALL, not SYSENTER
 */
struct cpu_cpuid {
	uint32_t word[CPUID_WORDS];
	uint64_t xcr0; /* bits that the guest may set */
	uint32_t max_leaf;
	uint8_t phys_bits;
	bool amd;
};

/** cpuid_has() - does the guest's processor have bit @bit of CPUID_WORD_* @word? */
static inline bool cpuid_has(const struct cpu *c, unsigned word, unsigned bit)
{
	return c->cpuid->word[word] >> bit & 1;
}

/** cpuid_features() - those of this host's processor which can be executed here; one answer for all callers */
const struct cpu_cpuid *cpuid_features(void);

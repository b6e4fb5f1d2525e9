/* SPDX-License-Identifier: MIT */
/*
 * Which features of processors a guest may see: those of the host, or a named set.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct err;

/* Words of features: leaf of CPUID, subleaf where there are several, register */
#define CPUID_WORD_1_ECX 0
#define CPUID_WORD_1_EDX 1
#define CPUID_WORD_7_EBX 2
#define CPUID_WORD_7_ECX 3
#define CPUID_WORD_7_EDX 4
#define CPUID_WORD_7_1_EAX 5
#define CPUID_WORD_D_1_EAX 6
#define CPUID_WORD_80000001_ECX 7
#define CPUID_WORD_80000001_EDX 8
#define CPUID_WORDS 9

/**
 * struct cpu_model - which features
 * @named: it is a set with a name: leaves about features that are not in words are empty
 * @keep: a guest may see these; @need: and these must be there
 */
struct cpu_model {
	bool named;
	uint32_t keep[CPUID_WORDS], need[CPUID_WORDS];
};

/**
 * cpu_model_parse() - "host", "x86-64-v1" to "x86-64-v4", then ",+FEATURE" and ",-FEATURE"
 * Return: 0; -EINVAL with a message that names the option --cpu.
 */
int cpu_model_parse(const char *text, struct cpu_model *ret, struct err *err);

/**
 * cpu_model_apply() - what the guest gets
 * @word: in: what can be executed here; out: what of it the guest sees.  Without what a feature builds on it is not
 *        seen either
 * Return: 0; -ENOTSUP with a message that names a feature which is needed and not there.
 */
int cpu_model_apply(const struct cpu_model *m, uint32_t word[CPUID_WORDS], struct err *err);

/** cpu_model_xcr0() - states that XSAVE has for these features, of @host */
uint64_t cpu_model_xcr0(const uint32_t word[CPUID_WORDS], uint64_t host);

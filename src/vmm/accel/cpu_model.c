/* SPDX-License-Identifier: MIT */
/**
 * DOC: models of processors
 *
 * The levels of the x86-64 psABI, which distributions and compilers know; a model is never above what the host can
 * execute.  What only a kernel uses, and what a processor says of its flaws, is as the host has it in every model.
 * Spec: x86-64 psABI, 3.1.1 "Processor Architecture"; Intel SDM volume 2, CPUID.
 */
#include "vmm/accel/cpu_model.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"

#define BIT(n) (1u << (n))
#define XCR0_AVX 0x4u
#define XCR0_MPX 0x18u
#define XCR0_AVX512 0xE0u
#define XCR0_PKRU 0x200u
#define XCR0_TILES 0x60000u
#define XCR0_X87_SSE 0x3u

/* From which level on a feature is part of models: in all of them if the host has it; in none */
#define KERNEL 0
#define NEVER 9

/** enum base - what a feature cannot be without */
enum base { ALONE, XSAVE, AVX, AVX2, AVX512F };

struct feature {
	const char *name;
	uint8_t word, bit, level, base;
};

#define ROW(name, where, bit, level, base) { name, CPUID_WORD_##where, bit, level, base }

/* What others build on comes first. */
static const struct feature features[] = {
	ROW("xsave", 1_ECX, 26, 3, ALONE),
	ROW("avx", 1_ECX, 28, 3, XSAVE),
	ROW("avx2", 7_EBX, 5, 3, AVX),
	ROW("avx512f", 7_EBX, 16, 4, AVX2),
	ROW("sse3", 1_ECX, 0, 2, ALONE),
	ROW("pclmulqdq", 1_ECX, 1, NEVER, ALONE),
	ROW("ssse3", 1_ECX, 9, 2, ALONE),
	ROW("fma", 1_ECX, 12, 3, AVX),
	ROW("cx16", 1_ECX, 13, 2, ALONE),
	ROW("pcid", 1_ECX, 17, KERNEL, ALONE),
	ROW("sse4.1", 1_ECX, 19, 2, ALONE),
	ROW("sse4.2", 1_ECX, 20, 2, ALONE),
	ROW("x2apic", 1_ECX, 21, KERNEL, ALONE),
	ROW("movbe", 1_ECX, 22, 3, ALONE),
	ROW("popcnt", 1_ECX, 23, 2, ALONE),
	ROW("tsc-deadline", 1_ECX, 24, KERNEL, ALONE),
	ROW("aes", 1_ECX, 25, NEVER, ALONE),
	ROW("f16c", 1_ECX, 29, 3, AVX),
	ROW("rdrand", 1_ECX, 30, NEVER, ALONE),
	ROW("hypervisor", 1_ECX, 31, KERNEL, ALONE),
	ROW("fsgsbase", 7_EBX, 0, NEVER, ALONE),
	ROW("bmi1", 7_EBX, 3, 3, ALONE),
	ROW("hle", 7_EBX, 4, NEVER, ALONE),
	ROW("smep", 7_EBX, 7, KERNEL, ALONE),
	ROW("bmi2", 7_EBX, 8, 3, ALONE),
	ROW("erms", 7_EBX, 9, NEVER, ALONE),
	ROW("invpcid", 7_EBX, 10, KERNEL, ALONE),
	ROW("rtm", 7_EBX, 11, NEVER, ALONE),
	ROW("avx512dq", 7_EBX, 17, 4, AVX512F),
	ROW("rdseed", 7_EBX, 18, NEVER, ALONE),
	ROW("adx", 7_EBX, 19, NEVER, ALONE),
	ROW("smap", 7_EBX, 20, KERNEL, ALONE),
	ROW("avx512ifma", 7_EBX, 21, NEVER, AVX512F),
	ROW("clflushopt", 7_EBX, 23, NEVER, ALONE),
	ROW("clwb", 7_EBX, 24, NEVER, ALONE),
	ROW("avx512cd", 7_EBX, 28, 4, AVX512F),
	ROW("sha", 7_EBX, 29, NEVER, ALONE),
	ROW("avx512bw", 7_EBX, 30, 4, AVX512F),
	ROW("avx512vl", 7_EBX, 31, 4, AVX512F),
	ROW("avx512vbmi", 7_ECX, 1, NEVER, AVX512F),
	ROW("umip", 7_ECX, 2, KERNEL, ALONE),
	ROW("pku", 7_ECX, 3, NEVER, XSAVE),
	ROW("avx512vbmi2", 7_ECX, 6, NEVER, AVX512F),
	ROW("gfni", 7_ECX, 8, NEVER, ALONE),
	ROW("vaes", 7_ECX, 9, NEVER, AVX),
	ROW("vpclmulqdq", 7_ECX, 10, NEVER, AVX),
	ROW("avx512vnni", 7_ECX, 11, NEVER, AVX512F),
	ROW("avx512bitalg", 7_ECX, 12, NEVER, AVX512F),
	ROW("avx512vpopcntdq", 7_ECX, 14, NEVER, AVX512F),
	ROW("la57", 7_ECX, 16, KERNEL, ALONE),
	ROW("rdpid", 7_ECX, 22, NEVER, ALONE),
	ROW("fsrm", 7_EDX, 4, NEVER, ALONE),
	ROW("avx512fp16", 7_EDX, 23, NEVER, AVX512F),
	ROW("avxvnni", 7_1_EAX, 4, NEVER, AVX2),
	ROW("avx512bf16", 7_1_EAX, 5, NEVER, AVX512F),
	ROW("xsaveopt", D_1_EAX, 0, NEVER, XSAVE),
	ROW("xsavec", D_1_EAX, 1, NEVER, XSAVE),
	ROW("xgetbv1", D_1_EAX, 2, NEVER, XSAVE),
	ROW("xsaves", D_1_EAX, 3, NEVER, XSAVE),
	ROW("lahf", 80000001_ECX, 0, 2, ALONE),
	ROW("lzcnt", 80000001_ECX, 5, 3, ALONE),
	ROW("sse4a", 80000001_ECX, 6, NEVER, ALONE),
	ROW("prefetchw", 80000001_ECX, 8, NEVER, ALONE),
	ROW("nx", 80000001_EDX, 20, KERNEL, ALONE),
	ROW("1gpages", 80000001_EDX, 26, KERNEL, ALONE),
	ROW("rdtscp", 80000001_EDX, 27, NEVER, ALONE),
};

static const struct feature *const bases[] = {
	[XSAVE] = &features[0],
	[AVX] = &features[1],
	[AVX2] = &features[2],
	[AVX512F] = &features[3],
};

/* In every model: what each x86-64 processor has, how processors are numbered, and their flaws. */
static const uint32_t everywhere[CPUID_WORDS] = {
	[CPUID_WORD_1_ECX] = BIT(27), /* OSXSAVE: the guest's own doing */
	/* FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2 HTT */
	[CPUID_WORD_1_EDX] = 0x178BFBFF,
	/* MD_CLEAR, IBRS, STIBP, L1D_FLUSH, ARCH_CAPABILITIES, SSBD */
	[CPUID_WORD_7_EDX] = BIT(10) | BIT(26) | BIT(27) | BIT(28) | BIT(29) | BIT(31),
	[CPUID_WORD_80000001_ECX] = BIT(1) | BIT(22), /* CMP_LEGACY TOPOEXT */
	[CPUID_WORD_80000001_EDX] = BIT(11) | BIT(29) | 0x0183F3FF, /* SYSCALL LM, and a copy of leaf 1 */
};


static const struct feature *find(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(features); i++)
		if (strlen(features[i].name) == n && strncmp(features[i].name, name, n) == 0)
			return &features[i];
	return NULL;
}

static void choose_level(struct cpu_model *m, unsigned level)
{
	memcpy(m->keep, everywhere, sizeof(m->keep));
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		const struct feature *f = &features[i];

		if (f->level > level)
			continue;
		m->keep[f->word] |= BIT(f->bit);
		if (f->level != KERNEL)
			m->need[f->word] |= BIT(f->bit);
	}
}

static int choose_model(const char *name, size_t n, struct cpu_model *m, struct err *err)
{
	static const char prefix[] = "x86-64-v";
	size_t before = sizeof(prefix) - 1;

	*m = (struct cpu_model) { .named = true };
	if (n == 4 && strncmp(name, "host", n) == 0) {
		m->named = false;
		memset(m->keep, 0xFF, sizeof(m->keep));
		return 0;
	}
	if (n != before + 1 || strncmp(name, prefix, before) != 0 || name[before] < '1' || name[before] > '4')
		return err_msg(err, -EINVAL, "option --cpu: model '%.*s' is none of host, x86-64-v1, x86-64-v2, x86-64-v3, x86-64-v4",
			       (int) n, name);
	choose_level(m, (unsigned) (name[before] - '0'));
	return 0;
}

static void add(struct cpu_model *m, const struct feature *f)
{
	m->keep[f->word] |= BIT(f->bit);
	m->need[f->word] |= BIT(f->bit);
}

/* And what builds on it. */
static void take_away(struct cpu_model *m, const struct feature *f)
{
	m->keep[f->word] &= ~BIT(f->bit);
	m->need[f->word] &= ~BIT(f->bit);
	for (const struct feature *other = f + 1; other < features + ARRAY_LEN(features); other++)
		if (other->base != ALONE && bases[other->base]->word == f->word && bases[other->base]->bit == f->bit)
			take_away(m, other);
}

int cpu_model_parse(const char *text, struct cpu_model *ret, struct err *err)
{
	size_t n = strcspn(text, ",");
	struct cpu_model m;
	int r = choose_model(text, n, &m, err);

	while (r == 0 && text[n] == ',') {
		const struct feature *f;
		char sign = text[n + 1];

		text += n + 1;
		n = strcspn(text, ",");
		f = sign == '+' || sign == '-' ? find(text + 1, n - 1) : NULL;
		if (f == NULL)
			return err_msg(err, -EINVAL, "option --cpu: '%.*s' is not + or - and a feature that is known", (int) n, text);
		if (sign == '+')
			add(&m, f);
		else
			take_away(&m, f);
	}
	if (r == 0)
		*ret = m;
	return r;
}

static bool has(const uint32_t word[CPUID_WORDS], unsigned w, unsigned bit)
{
	return word[w] >> bit & 1;
}

int cpu_model_apply(const struct cpu_model *m, uint32_t word[CPUID_WORDS], struct err *err)
{
	uint32_t seen[CPUID_WORDS];

	for (unsigned w = 0; w < CPUID_WORDS; w++)
		seen[w] = word[w] & m->keep[w];
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		const struct feature *f = &features[i];

		if (f->base != ALONE && !has(seen, bases[f->base]->word, bases[f->base]->bit))
			seen[f->word] &= ~BIT(f->bit);
	}
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		const struct feature *f = &features[i];

		if (!has(m->need, f->word, f->bit) || has(seen, f->word, f->bit))
			continue;
		if (has(word, f->word, f->bit))
			return err_msg(err, -ENOTSUP, "option --cpu: feature '%s' is nothing without '%s'", f->name,
				       bases[f->base]->name);
		return err_msg(err, -ENOTSUP, "option --cpu: this host cannot execute feature '%s'", f->name);
	}
	memcpy(word, seen, sizeof(seen));
	return 0;
}

uint64_t cpu_model_xcr0(const uint32_t word[CPUID_WORDS], uint64_t host)
{
	uint64_t gone = XCR0_MPX;

	if (!has(word, CPUID_WORD_1_ECX, 26))
		return host & XCR0_X87_SSE;
	if (!has(word, CPUID_WORD_1_ECX, 28))
		gone |= XCR0_AVX;
	if (!has(word, CPUID_WORD_7_EBX, 16))
		gone |= XCR0_AVX512;
	if (!has(word, CPUID_WORD_7_ECX, 3))
		gone |= XCR0_PKRU;
	if (!has(word, CPUID_WORD_7_EDX, 24))
		gone |= XCR0_TILES;
	return host & ~gone;
}

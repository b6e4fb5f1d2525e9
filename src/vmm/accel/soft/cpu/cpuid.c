/* SPDX-License-Identifier: MIT */
/**
 * DOC: CPUID
 *
 * The guest has those features of the host's processor that are carried out here, and KVM's leaves,
 * whose clock the local APIC's owner keeps.
 * Spec: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E; Linux, Documentation/virt/kvm/x86/cpuid.rst.
 */
#include "vmm/accel/soft/cpu/cpuid.h"

#include <pthread.h>
#include <string.h>

#define BIT(n) (1u << (n))

#define APIC_ENABLED BIT(11) /* of IA32_APIC_BASE */

/* First letters of a vendor's name */
#define AMD_VENDOR 0x68747541u /* Auth */
#define HYGON_VENDOR 0x6F677948u /* Hygo */

/* Leaf 0x80000008, EBX */
#define AMD_XSAVEERPTR BIT(2) /* FXSAVE and its kind always store the pointers of x87 */
#define AMD_BTC_NO BIT(29)
/* Leaf 0x80000021, EAX and ECX */
#define AMD_LFENCE_SERIALIZES BIT(2)
#define AMD_NULL_SELECTOR_CLEARS BIT(6)
#define AMD_SRSO_NO BIT(29)
#define AMD_TSA_NO (BIT(1) | BIT(2))

#define KVM_BASE 0x40000000u
#define KVM_FEATURES 0x40000001u
#define KVM_CLOCKSOURCE2 BIT(3)
#define KVM_STEAL_TIME BIT(5)
#define KVM_PV_SEND_IPI BIT(11)
#define KVM_CLOCKSOURCE_STABLE BIT(24)

/* Bits that are carried out here, by word; the host's answer is masked with them. */
static const uint32_t supported[CPUID_WORDS] = {
	/* SSE3 PCLMULQDQ SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 x2APIC MOVBE POPCNT TSC-deadline AES XSAVE AVX F16C RDRAND */
	[CPUID_WORD_1_ECX] = BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | BIT(19) | BIT(20) | BIT(21) |
		BIT(22) | BIT(23) | BIT(24) | BIT(25) | BIT(26) | BIT(28) | BIT(29) | BIT(30),
	/* FPU DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2 */
	[CPUID_WORD_1_EDX] = 0x7 << 2 | BIT(0) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(9) | BIT(11) | BIT(12) |
		BIT(13) | BIT(14) | BIT(15) | BIT(16) | BIT(17) | BIT(19) | BIT(23) | BIT(24) | BIT(25) | BIT(26),
	/* FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS INVPCID AVX512F AVX512DQ RDSEED ADX SMAP AVX512IFMA CLFLUSHOPT CLWB AVX512CD
	   SHA AVX512BW AVX512VL */
	[CPUID_WORD_7_EBX] = BIT(0) | BIT(3) | BIT(5) | BIT(7) | BIT(8) | BIT(9) | BIT(10) | BIT(16) | BIT(17) |
		BIT(18) | BIT(19) | BIT(20) | BIT(21) | BIT(23) | BIT(24) | BIT(28) | BIT(29) | BIT(30) | BIT(31),
	/* AVX512VBMI UMIP VBMI2 GFNI VAES VPCLMULQDQ VNNI BITALG VPOPCNTDQ RDPID */
	[CPUID_WORD_7_ECX] = BIT(1) | BIT(2) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | BIT(14) | BIT(22),
	/* FSRM AVX512_FP16 */
	[CPUID_WORD_7_EDX] = BIT(4) | BIT(23),
	/* AVX-VNNI AVX512_BF16 */
	[CPUID_WORD_7_1_EAX] = BIT(4) | BIT(5),
	/* XSAVEOPT XGETBV(1) */
	[CPUID_WORD_D_1_EAX] = BIT(0) | BIT(1) | BIT(2),
	/* LAHF LZCNT PREFETCHW */
	[CPUID_WORD_80000001_ECX] = BIT(0) | BIT(5) | BIT(8),
	/* SYSCALL NX 1GB RDTSCP LM */
	[CPUID_WORD_80000001_EDX] = BIT(11) | BIT(20) | BIT(26) | BIT(27) | BIT(29) | 0x0183F3FF,
};

/* Software has them whatever the host's processor has. */
static const uint32_t always[CPUID_WORDS] = {
	[CPUID_WORD_1_ECX] = BIT(17) | BIT(21) | BIT(24) | BIT(31),
	[CPUID_WORD_1_EDX] = BIT(9),
	[CPUID_WORD_7_EBX] = BIT(0) | BIT(7) | BIT(10) | BIT(20),
	[CPUID_WORD_7_ECX] = BIT(2) | BIT(22),
	[CPUID_WORD_7_EDX] = BIT(26) | BIT(27) | BIT(29) | BIT(31), /* IBRS, STIBP, ARCH_CAPABILITIES, SSBD */
	[CPUID_WORD_80000001_EDX] = BIT(26) | BIT(27),
};

static struct cpuid_regs ask_host(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r;

	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

#define ANSWERS 64u

enum { NO_ANSWER, BEING_WRITTEN, ANSWERED };

/** struct answer - of the host, which takes microseconds where that is a guest itself; @state: atomic */
static struct answer {
	uint32_t state, leaf, subleaf;
	struct cpuid_regs regs;
} answers[ANSWERS];

/* The first question of those that share a place is remembered. */
struct cpuid_regs cpuid_host(uint32_t leaf, uint32_t subleaf)
{
	struct answer *a = &answers[(leaf ^ leaf >> 26 ^ subleaf << 3) % ANSWERS];
	uint32_t state = __atomic_load_n(&a->state, __ATOMIC_ACQUIRE), empty = NO_ANSWER;
	struct cpuid_regs r;

	if (state == ANSWERED && a->leaf == leaf && a->subleaf == subleaf)
		return a->regs;
	r = ask_host(leaf, subleaf);
	if (__atomic_compare_exchange_n(&a->state, &empty, BEING_WRITTEN, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED)) {
		a->leaf = leaf;
		a->subleaf = subleaf;
		a->regs = r;
		__atomic_store_n(&a->state, ANSWERED, __ATOMIC_RELEASE);
	}
	return r;
}

static uint64_t host_xcr0(void)
{
	uint32_t lo, hi;

	if (!(cpuid_host(1, 0).ecx & BIT(27)))
		return 3;
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return lo | (uint64_t) hi << 32;
}

static void read_words(uint32_t word[CPUID_WORDS], uint32_t max)
{
	struct cpuid_regs r = cpuid_host(1, 0);

	word[CPUID_WORD_1_ECX] = r.ecx;
	word[CPUID_WORD_1_EDX] = r.edx;
	if (max >= 7) {
		r = cpuid_host(7, 0);
		word[CPUID_WORD_7_EBX] = r.ebx;
		word[CPUID_WORD_7_ECX] = r.ecx;
		word[CPUID_WORD_7_EDX] = r.edx;
		if (r.eax >= 1)
			word[CPUID_WORD_7_1_EAX] = cpuid_host(7, 1).eax;
	}
	if (max >= 0xD)
		word[CPUID_WORD_D_1_EAX] = cpuid_host(0xD, 1).eax;
	r = cpuid_host(0x80000001, 0);
	word[CPUID_WORD_80000001_ECX] = r.ecx;
	word[CPUID_WORD_80000001_EDX] = r.edx;
}

/* What needs registers that the host's kernel does not save cannot be executed. */
static void without_avx(struct cpu_cpuid *f)
{
	if ((f->xcr0 & 6) != 6) {
		f->xcr0 &= 3;
		f->word[CPUID_WORD_1_ECX] &= ~(BIT(12) | BIT(28) | BIT(29));
		f->word[CPUID_WORD_7_EBX] &= ~BIT(5);
		f->word[CPUID_WORD_7_ECX] &= ~(BIT(9) | BIT(10));
		f->word[CPUID_WORD_7_1_EAX] &= ~BIT(4);
	}
	if ((f->xcr0 & 0xE6) != 0xE6) {
		f->xcr0 &= 7;
		f->word[CPUID_WORD_7_EBX] &= ~(BIT(16) | BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31));
		f->word[CPUID_WORD_7_ECX] &= ~(BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14));
		f->word[CPUID_WORD_7_EDX] &= ~BIT(23);
		f->word[CPUID_WORD_7_1_EAX] &= ~BIT(5);
	}
}

static struct cpu_cpuid features;
static pthread_once_t features_once = PTHREAD_ONCE_INIT;

static void find_features(void)
{
	features.max_leaf = cpuid_host(0, 0).eax;
	if (features.max_leaf > 0x16)
		features.max_leaf = 0x16;
	read_words(features.word, features.max_leaf);
	for (unsigned i = 0; i < CPUID_WORDS; i++)
		features.word[i] = (features.word[i] & supported[i]) | always[i];
	features.xcr0 = host_xcr0() & 0xE7;
	features.amd = cpuid_host(0, 0).ebx == AMD_VENDOR || cpuid_host(0, 0).ebx == HYGON_VENDOR;
	without_avx(&features);
	features.phys_bits = (uint8_t) cpuid_host(0x80000008, 0).eax;
	if (features.phys_bits < 36 || features.phys_bits > 52)
		features.phys_bits = 40;
}

const struct cpu_cpuid *cpuid_features(void)
{
	(void) pthread_once(&features_once, find_features); /* cannot fail */
	return &features;
}

static uint32_t bits_for(unsigned n)
{
	uint32_t bits = 0;

	while ((1u << bits) < n)
		bits++;
	return bits;
}

static struct cpuid_regs leaf_1(const struct cpu *c)
{
	struct cpuid_regs r = cpuid_host(1, 0);

	r.ebx = (r.ebx & 0xFF00) | c->nr_cpus << 16 | c->index << 24;
	r.ecx = c->cpuid->word[CPUID_WORD_1_ECX] | (c->cr4 & CR4_OSXSAVE ? BIT(27) : 0);
	r.edx = c->cpuid->word[CPUID_WORD_1_EDX] | (c->nr_cpus > 1 ? BIT(28) : 0);
	if (!(c->apic_base & APIC_ENABLED))
		r.edx &= ~BIT(9);
	return r;
}

static struct cpuid_regs topology(const struct cpu *c, uint32_t subleaf)
{
	switch (subleaf) {
	case 0:
		return (struct cpuid_regs) { .ebx = 1, .ecx = 0x100, .edx = c->index };
	case 1:
		return (struct cpuid_regs) { .eax = bits_for(c->nr_cpus), .ebx = c->nr_cpus, .ecx = 0x201, .edx = c->index };
	default:
		return (struct cpuid_regs) { .ecx = subleaf, .edx = c->index };
	}
}

/* Components of the XSAVE area: the guest's own layout, the same on all hosts. */
static const struct {
	uint16_t at, size;
} components[8] = { [2] = { 576, 256 }, [5] = { 1088, 64 }, [6] = { 1152, 512 }, [7] = { 1664, 1024 } };

/* Bytes of the area for the components in @mask. */
static uint32_t xsave_size(uint64_t mask, bool compact)
{
	uint32_t end = 576;

	for (unsigned i = 2; i < 8; i++)
		if (mask >> i & 1)
			end = (compact ? end : components[i].at) + components[i].size;
	return end;
}

static struct cpuid_regs leaf_d(const struct cpu *c, uint32_t subleaf)
{
	switch (subleaf) {
	case 0:
		return (struct cpuid_regs) { .eax = (uint32_t) c->cpuid->xcr0, .ebx = xsave_size(c->xcr0, false),
					     .ecx = xsave_size(c->cpuid->xcr0, false) };
	case 1:
		return (struct cpuid_regs) { .eax = c->cpuid->word[CPUID_WORD_D_1_EAX],
					     .ebx = xsave_size(c->xcr0, true) };
	default:
		if (subleaf >= 8 || !(c->cpuid->xcr0 >> subleaf & 1))
			return (struct cpuid_regs) { 0 };
		return (struct cpuid_regs) { .eax = components[subleaf].size, .ebx = components[subleaf].at };
	}
}

static struct cpuid_regs leaf_4(const struct cpu *c, uint32_t subleaf)
{
	struct cpuid_regs r = cpuid_host(4, subleaf);
	uint32_t sharing = (r.eax >> 5 & 7) >= 3 ? c->nr_cpus - 1 : 0;

	if ((r.eax & 0x1F) != 0)
		r.eax = (r.eax & 0x3FFF) | sharing << 14 | (c->nr_cpus - 1) << 26;
	return r;
}

/* ARCH_CAPABILITIES says so, and AMD's leaves. */
static bool immune(const struct cpu *c)
{
	return c->cpuid->word[CPUID_WORD_7_EDX] & BIT(29);
}

static struct cpuid_regs leaf_7(const struct cpu *c, uint32_t subleaf)
{
	const uint32_t *w = c->cpuid->word;

	switch (subleaf) {
	case 0:
		return (struct cpuid_regs) { .eax = immune(c) ? 2 : w[CPUID_WORD_7_1_EAX] != 0, .ebx = w[CPUID_WORD_7_EBX],
					     .ecx = w[CPUID_WORD_7_ECX], .edx = w[CPUID_WORD_7_EDX] };
	case 1:
		return (struct cpuid_regs) { .eax = w[CPUID_WORD_7_1_EAX] };
	case 2: /* BHI_CTRL: kernels that do not believe BHI_NO set a bit of SPEC_CTRL, and do nothing at each system call */
		return (struct cpuid_regs) { .edx = immune(c) ? BIT(4) : 0 };
	default:
		return (struct cpuid_regs) { 0 };
	}
}

static struct cpuid_regs kvm_leaf(uint32_t leaf)
{
	struct cpuid_regs r = { 0 };

	if (leaf == KVM_BASE) {
		r.eax = KVM_FEATURES;
		memcpy(&r.ebx, "KVMK", 4);
		memcpy(&r.ecx, "VMKV", 4);
		memcpy(&r.edx, "M\0\0\0", 4);
	} else if (leaf == KVM_FEATURES) {
		r.eax = KVM_CLOCKSOURCE2 | KVM_STEAL_TIME | KVM_PV_SEND_IPI | KVM_CLOCKSOURCE_STABLE;
	}
	return r;
}

/* The last one of 0x80000000 and so on */
static uint32_t extended_max(const struct cpu *c)
{
	return c->cpuid->amd ? 0x80000021 : 0x80000008;
}

static struct cpuid_regs extended_leaf(const struct cpu *c, uint32_t leaf)
{
	struct cpuid_regs r = { 0 };

	switch (leaf) {
	case 0x80000000:
		r = cpuid_host(leaf, 0);
		r.eax = extended_max(c);
		break;
	case 0x80000001:
		r = cpuid_host(leaf, 0);
		r.ecx = c->cpuid->word[CPUID_WORD_80000001_ECX];
		r.edx = c->cpuid->word[CPUID_WORD_80000001_EDX];
		break;
	case 0x80000002:
	case 0x80000003:
	case 0x80000004:
	case 0x80000005:
	case 0x80000006:
		r = cpuid_host(leaf, 0);
		break;
	case 0x80000007:
		r.edx = BIT(8); /* invariant TSC */
		break;
	case 0x80000008:
		r.eax = c->cpuid->phys_bits | 48u << 8;
		r.ebx = c->cpuid->amd ? AMD_XSAVEERPTR | (immune(c) ? AMD_BTC_NO : 0) : 0;
		r.ecx = bits_for(c->nr_cpus) << 12 | (c->nr_cpus - 1);
		break;
	case 0x80000021:
		r.eax = AMD_LFENCE_SERIALIZES | AMD_NULL_SELECTOR_CLEARS | (immune(c) ? AMD_SRSO_NO : 0);
		r.ecx = immune(c) ? AMD_TSA_NO : 0;
		break;
	default:
		break;
	}
	return r;
}

struct cpuid_regs cpuid_get(const struct cpu *c, uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r = { 0 };

	if (leaf >= KVM_BASE && leaf <= KVM_FEATURES)
		return kvm_leaf(leaf);
	if (leaf >= 0x80000000 && leaf <= extended_max(c))
		return extended_leaf(c, leaf);
	if (leaf > c->cpuid->max_leaf)
		return r;
	switch (leaf) {
	case 0:
		r = cpuid_host(0, 0);
		r.eax = c->cpuid->max_leaf;
		return r;
	case 1:
		return leaf_1(c);
	case 2:
		return cpuid_host(2, 0);
	case 4:
		return leaf_4(c, subleaf);
	case 6:
		r.eax = BIT(2); /* the APIC timer never stops */
		return r;
	case 7:
		return leaf_7(c, subleaf);
	case 0xB:
		return topology(c, subleaf);
	case 0xD:
		return leaf_d(c, subleaf);
	case 0x15:
	case 0x16:
		return cpuid_host(leaf, 0);
	default:
		return r;
	}
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "vmm/accel/cpu_model.h"

#define POPCNT 0x800000u /* of leaf 1, ECX */
#define AES 0x2000000u
#define XSAVE 0x4000000u
#define AVX 0x10000000u
#define AVX2 0x20u /* of leaf 7, EBX */
#define SMEP 0x80u
#define AVX512F 0x10000u

/* What a guest sees of a host that has everything but @lacks of word @w; false: an error that has @message. */
static bool apply(const char *text, unsigned w, uint32_t lacks, uint32_t seen[CPUID_WORDS], const char *message)
{
	struct cpu_model m;
	struct err err = { 0 };

	assert_int_equal(cpu_model_parse(text, &m, &err), 0);
	memset(seen, 0xFF, CPUID_WORDS * sizeof(*seen));
	seen[w] &= ~lacks;
	if (message == NULL) {
		assert_int_equal(cpu_model_apply(&m, seen, &err), 0);
		return true;
	}
	assert_int_equal(cpu_model_apply(&m, seen, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, message));
	return false;
}

static void test_levels(void **state)
{
	uint32_t w[CPUID_WORDS];

	(void) state;
	(void) apply("host", 0, 0, w, NULL);
	for (unsigned i = 0; i < CPUID_WORDS; i++)
		assert_int_equal(w[i], UINT32_MAX);
	(void) apply("x86-64-v1", 0, POPCNT | XSAVE, w, NULL);
	assert_int_equal(w[CPUID_WORD_1_ECX] & (POPCNT | XSAVE | AES | AVX), 0);
	assert_int_equal(w[CPUID_WORD_7_EBX] & (SMEP | AVX2), SMEP); /* a kernel's feature */
	assert_int_equal(cpu_model_xcr0(w, UINT64_MAX), 3);
	(void) apply("x86-64-v2", 0, 0, w, NULL);
	assert_int_equal(w[CPUID_WORD_1_ECX] & (POPCNT | XSAVE | AES | AVX), POPCNT);
	(void) apply("x86-64-v3", CPUID_WORD_7_EBX, SMEP | AVX512F, w, NULL);
	assert_int_equal(w[CPUID_WORD_1_ECX] & (POPCNT | XSAVE | AES | AVX), POPCNT | XSAVE | AVX);
	assert_int_equal(w[CPUID_WORD_7_EBX] & (SMEP | AVX2), AVX2);
	assert_int_equal(cpu_model_xcr0(w, 0x2E7), 7);
	(void) apply("x86-64-v4,+aes,+pku", 0, 0, w, NULL);
	assert_true(w[CPUID_WORD_1_ECX] & AES && w[CPUID_WORD_7_EBX] & AVX512F);
	assert_int_equal(cpu_model_xcr0(w, 0x2FF), 0x2E7);
	assert_int_equal(cpu_model_xcr0(w, 7), 7); /* never more than the host has */
}

static void test_missing(void **state)
{
	uint32_t w[CPUID_WORDS];

	(void) state;
	(void) apply("x86-64-v2", CPUID_WORD_1_ECX, POPCNT, w, "cannot execute feature 'popcnt'");
	(void) apply("x86-64-v3", CPUID_WORD_7_EBX, AVX2, w, "cannot execute feature 'avx2'");
	(void) apply("x86-64-v4", CPUID_WORD_7_EBX, AVX512F, w, "cannot execute feature 'avx512f'");
	(void) apply("host,+aes", CPUID_WORD_1_ECX, AES, w, "cannot execute feature 'aes'");
	(void) apply("x86-64-v2,+avx", 0, 0, w, "'avx' is nothing without 'xsave'");
	(void) apply("x86-64-v2,-popcnt", CPUID_WORD_1_ECX, POPCNT, w, NULL);
}

static void test_without(void **state)
{
	uint32_t w[CPUID_WORDS];

	(void) state;
	(void) apply("host,-xsave", 0, 0, w, NULL);
	assert_int_equal(w[CPUID_WORD_1_ECX] & (XSAVE | AVX | AES), AES);
	assert_int_equal(w[CPUID_WORD_7_EBX] & (AVX2 | AVX512F), 0); /* what builds on it */
	assert_int_equal(w[CPUID_WORD_D_1_EAX] & 0xF, 0);
	(void) apply("x86-64-v4,-avx", 0, 0, w, NULL);
	assert_int_equal(cpu_model_xcr0(w, 0xE7), 3);
	(void) apply("host,-aes,+aes", 0, 0, w, NULL); /* the last word counts */
	assert_true(w[CPUID_WORD_1_ECX] & AES);
}

static void test_words(void **state)
{
	static const char *const wrong[] = { "", "v3", "x86-64-v5", "x86-64-v", "x86-64-v33", "host,", "host,aes", "host,+",
					     "host,+none", "host,,+aes", "host,-aesx", ",+aes" };
	struct cpu_model m;
	struct err err = { 0 };

	(void) state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(cpu_model_parse(wrong[i], &m, &err), -EINVAL);
		assert_non_null(strstr(err.text, "option --cpu"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The decoder beside Zydis: lengths and operands of random bytes, and of this program's own code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <Zydis/Zydis.h>
#include <cmocka.h>

#include "vmm/accel/soft/cpu/decode.h"

#define ROUNDS 300000

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void show(const char *what, uint8_t mode, const uint8_t *code, const struct insn *i, const ZydisDecodedInstruction *z)
{
	fprintf(stderr, "mode %u, %s: length %u, here %u:", mode, what, z->length, i->len);
	for (unsigned n = 0; n < INSN_MAX; n++)
		fprintf(stderr, " %02x", code[n]);
	fprintf(stderr, "\n");
	fail();
}

/* Families that are not carried out here, whose length does not matter. */
static bool is_foreign(const ZydisDecodedInstruction *z)
{
	return z->encoding == ZYDIS_INSTRUCTION_ENCODING_XOP || z->encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX ||
		z->encoding == ZYDIS_INSTRUCTION_ENCODING_3DNOW || (z->meta.isa_ext >= ZYDIS_ISA_EXT_KNC && z->meta.isa_ext <= ZYDIS_ISA_EXT_KNCV) ||
		z->meta.isa_ext == ZYDIS_ISA_EXT_SSE4A || z->meta.isa_ext == ZYDIS_ISA_EXT_PADLOCK ||
		z->meta.isa_ext == ZYDIS_ISA_EXT_AMX_TILE;
}

static void compare(const ZydisDecoder *decoder, uint8_t mode, const uint8_t *code, unsigned *compared)
{
	ZydisDecodedInstruction z;
	struct insn i = { .len = 0 };
	enum insn_result r;

	if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(decoder, NULL, code, INSN_MAX, &z)) || is_foreign(&z))
		return;
	r = insn_decode(mode, code, INSN_MAX, &i);
	if (r != INSN_OK || i.len != z.length)
		show("length", mode, code, &i, &z);
	if (i.has_modrm != ((z.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0))
		show("ModRM", mode, code, &i, &z);
	if (i.has_modrm && (i.modrm_off != z.raw.modrm.offset || i.is_mem != (z.raw.modrm.mod != 3)) &&
	    !(i.map == MAP_0F && i.enc == ENC_LEGACY && (i.opcode & 0xFC) == 0x20))
		show("ModRM", mode, code, &i, &z);
	if (i.has_modrm && i.is_mem && i.disp != z.raw.disp.value)
		show("displacement", mode, code, &i, &z);
	if (i.opcode != z.opcode)
		show("opcode", mode, code, &i, &z);
	if (z.raw.imm[0].size != 0 && i.imm_off != z.raw.imm[0].offset)
		show("immediate", mode, code, &i, &z);
	(*compared)++;
}

/* Prefixes and opcodes are met as often as in programs, and more. */
static void make(uint64_t *seed, uint8_t code[INSN_MAX])
{
	static const uint8_t first[] = { 0x66, 0x67, 0xF2, 0xF3, 0xF0, 0x2E, 0x64, 0x48, 0x41, 0x0F,
					 0x0F, 0x0F, 0xC4, 0xC5, 0x62, 0x4F };
	unsigned n = 0, count = next_random(seed) % 4;

	for (unsigned at = 0; at < INSN_MAX; at++)
		code[at] = (uint8_t) next_random(seed);
	for (; n < count; n++)
		code[n] = first[next_random(seed) % sizeof(first)];
	if (code[n ? n - 1 : 0] == 0x0F && next_random(seed) % 2)
		code[n] = next_random(seed) % 2 ? 0x38 : 0x3A;
	if (code[n ? n - 1 : 0] == 0x62) { /* EVEX: bits that must be as they are */
		code[n] = (code[n] & 0xF0) | (1 + next_random(seed) % 3);
		code[n + 1] |= 4;
	}
}

static void random_bytes(ZydisMachineMode zmode, ZydisStackWidth width, uint8_t mode)
{
	ZydisDecoder decoder;
	uint8_t code[INSN_MAX];
	uint64_t seed = 88172645463325252ull + mode;
	unsigned compared = 0;

	assert_true(ZYAN_SUCCESS(ZydisDecoderInit(&decoder, zmode, width)));
	for (unsigned n = 0; n < ROUNDS; n++) {
		make(&seed, code);
		compare(&decoder, mode, code, &compared);
	}
	assert_true(compared > ROUNDS / 4);
}

static void test_random_16(void **state)
{
	(void) state;
	random_bytes(ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16, CPU_MODE_16);
}

static void test_random_32(void **state)
{
	(void) state;
	random_bytes(ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32, CPU_MODE_32);
}

static void test_random_64(void **state)
{
	(void) state;
	random_bytes(ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64, CPU_MODE_64);
}

static void test_own_code(void **state)
{
	extern const uint8_t __executable_start[], etext[];
	const uint8_t *at = (const uint8_t *) (uintptr_t) &insn_decode, *end = etext;
	ZydisDecoder decoder;
	unsigned compared = 0;

	(void) state;
	(void) __executable_start;
	assert_true(ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)));
	for (; at + INSN_MAX < end && compared < 100000; at++)
		compare(&decoder, CPU_MODE_64, at, &compared);
	assert_true(compared > 1000);
}

/* What follows an instruction does not matter: with its bytes alone, none is left out because it is a usual one. */
static void test_alone(void **state)
{
	struct insn i, alone;
	uint8_t code[INSN_MAX];
	uint64_t seed = 362436069;
	unsigned compared = 0;

	(void) state;
	memset(&i, 0, sizeof(i));
	memset(&alone, 0, sizeof(alone));
	for (unsigned n = 0; n < ROUNDS; n++) {
		make(&seed, code);
		if (insn_decode(CPU_MODE_64, code, INSN_MAX, &i) != INSN_OK || i.len == INSN_MAX)
			continue;
		assert_int_equal(insn_decode(CPU_MODE_64, code, i.len, &alone), INSN_OK);
		assert_memory_equal(&i, &alone, sizeof(i));
		compared++;
	}
	assert_true(compared > ROUNDS / 4);
}

static void test_operands(void **state)
{
	static const uint8_t sib[] = { 0x4A, 0x8B, 0x84, 0xE5, 0x10, 0x00, 0x00, 0x80 }; /* mov rax, [rbp+r12*8-0x7ffffff0] */
	static const uint8_t rip[] = { 0x48, 0x8D, 0x05, 0x04, 0x03, 0x02, 0x01 }; /* lea rax, [rip+0x1020304] */
	static const uint8_t high[] = { 0x88, 0xE5 }; /* mov ch, ah */
	static const uint8_t low[] = { 0x40, 0x88, 0xE5 }; /* mov bpl, spl */
	struct insn i;

	(void) state;
	assert_int_equal(insn_decode(CPU_MODE_64, sib, sizeof(sib), &i), INSN_OK);
	assert_int_equal(i.base, REG_RBP);
	assert_int_equal(i.index, REG_R12);
	assert_int_equal(i.scale, 3);
	assert_int_equal(i.disp, -0x7FFFFFF0);
	assert_int_equal(i.seg, SEG_FLAT_STACK);
	assert_int_equal(i.size, 8);
	assert_int_equal(insn_decode(CPU_MODE_64, rip, sizeof(rip), &i), INSN_OK);
	assert_int_equal(i.base, REG_RIP);
	assert_int_equal(insn_decode(CPU_MODE_64, high, sizeof(high), &i), INSN_OK);
	assert_int_equal(i.reg_off, 1);
	assert_int_equal(i.rm_off, 9);
	assert_int_equal(insn_decode(CPU_MODE_64, low, sizeof(low), &i), INSN_OK);
	assert_int_equal(i.reg_off, 8 * REG_RSP);
	assert_int_equal(i.rm_off, 8 * REG_RBP);
}

static void test_limits(void **state)
{
	uint8_t code[16];
	struct insn i;

	(void) state;
	memset(code, 0x66, sizeof(code));
	assert_int_equal(insn_decode(CPU_MODE_64, code, sizeof(code), &i), INSN_LONG);
	assert_int_equal(insn_decode(CPU_MODE_64, code, 3, &i), INSN_SHORT);
	assert_int_equal(insn_decode(CPU_MODE_64, (const uint8_t *) "\x06", 1, &i), INSN_BAD);
	assert_int_equal(insn_decode(CPU_MODE_32, (const uint8_t *) "\x06", 1, &i), INSN_OK);
	assert_int_equal(insn_decode(CPU_MODE_64, (const uint8_t *) "\xF0\xC5\xF8\x77", 4, &i), INSN_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operands), cmocka_unit_test(test_limits),	   cmocka_unit_test(test_random_64),
		cmocka_unit_test(test_random_32), cmocka_unit_test(test_random_16), cmocka_unit_test(test_own_code),
		cmocka_unit_test(test_alone),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The table of vector instructions beside Zydis: names and memory operands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <Zydis/Zydis.h>
#include <cmocka.h>

#include "vmm/accel/soft/simd/table.h"

static unsigned key_of(const struct simd_row *r)
{
	return (unsigned) r->enc << 16 | (unsigned) r->map << 12 | (unsigned) r->opcode << 4 | r->pp;
}

static void test_sorted(void **state)
{
	(void) state;
	for (unsigned n = 1; n < simd_rows_nr; n++)
		assert_true(key_of(&simd_rows[n - 1]) <= key_of(&simd_rows[n]));
}

/* Bytes of an instruction of @r: registers 0, or memory at RAX and VSIB; vector length @l. */
static unsigned encode(const struct simd_row *r, bool mem, unsigned l, uint8_t *to)
{
	static const uint8_t prefixes[] = { 0, 0x66, 0xF3, 0xF2 };
	uint8_t ext = r->ext == EXT_ANY ? 1 : r->ext, w = r->w == W_1 ? 0x80 : 0;
	uint8_t k = r->flags & (R_MASK | R_NEEDK) ? 1 : 0, vvvv = r->vvvv == OP_NO ? 15 : 13;
	unsigned n = 0;

	if (r->enc == SIMD_SSE) {
		if (r->pp)
			to[n++] = prefixes[r->pp];
		if (w)
			to[n++] = 0x48;
		to[n++] = 0x0F;
		if (r->map > SIMD_MAP_0F)
			to[n++] = r->map == SIMD_MAP_0F38 ? 0x38 : 0x3A;
	} else if (r->enc == SIMD_VEX) {
		to[n++] = 0xC4;
		to[n++] = 0xE0 | r->map;
		to[n++] = (uint8_t) (w | vvvv << 3 | l << 2 | r->pp);
	} else {
		to[n++] = 0x62;
		to[n++] = 0xF0 | r->map;
		to[n++] = (uint8_t) (w | vvvv << 3 | 4 | r->pp);
		to[n++] = (uint8_t) (l << 5 | 8 | k);
	}
	to[n++] = r->opcode;
	if (r->how == HOW_ZERO)
		return n;
	to[n++] = (uint8_t) ((mem ? 0x04 : 0xC6) | ext << 3);
	if (mem)
		to[n++] = 0x38; /* RAX and number 7 */
	to[n++] = 0;
	return n;
}

static unsigned memory_bytes(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o)
{
	for (unsigned n = 0; n < z->operand_count; n++)
		if (o[n].type == ZYDIS_OPERAND_TYPE_MEMORY && o[n].visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
			return o[n].size / 8;
	return 0;
}

static void check(const ZydisDecoder *d, const struct simd_row *r, bool mem, unsigned l)
{
	uint8_t code[INSN_MAX + 1] = { 0 };
	ZydisDecodedOperand o[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction z;
	struct insn i = { 0 };
	unsigned len = encode(r, mem, l, code);

	assert_int_equal(insn_decode(CPU_MODE_64, code, INSN_MAX, &i), INSN_OK);
	if (simd_row_find(&i) != r || !ZYAN_SUCCESS(ZydisDecoderDecodeFull(d, code, INSN_MAX, &z, o)) ||
	    strcmp(ZydisMnemonicGetString(z.mnemonic), r->name) != 0 ||
	    (mem && memory_bytes(&z, o) != simd_row_mem(r, &i))) {
		fprintf(stderr, "%s, length %u, %s:", r->name, l, mem ? "memory" : "registers");
		for (unsigned n = 0; n < len; n++)
			fprintf(stderr, " %02x", code[n]);
		fprintf(stderr, "\n");
		fail();
	}
}

static void test_rows(void **state)
{
	ZydisDecoder d;

	(void) state;
	assert_true(ZYAN_SUCCESS(ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)));
	for (unsigned n = 0; n < simd_rows_nr; n++) {
		const struct simd_row *r = &simd_rows[n];

		for (unsigned l = 0; l < 3; l++) {
			if (!(r->l == L_IG ? l == 0 : r->l >> l & 1))
				continue;
			if (r->mod & MOD_R)
				check(&d, r, false, l);
			if (r->mod & MOD_M)
				check(&d, r, true, l);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

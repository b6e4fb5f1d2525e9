/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic with the flags that the host's processor makes of it.
 *
 * alu_OP_BITS(cpu, a, b) gives the result and sets cpu->status.
 */
#pragma once

#include "vmm/accel/soft/cpu/state.h"

/* AH as LAHF leaves it, AL as SETO: to FL_STATUS */
static inline uint32_t alu_status(uint32_t ax)
{
	return (ax >> 8 & 0xD5) | (ax & 1) << 11;
}

/* The other way round, for SAHF after ADD AL, 0x7F */
static inline uint32_t alu_ax(uint32_t status)
{
	return (status & 0xD5) << 8 | (status >> 11 & 1);
}

#define ALU_SAVE "lahf\n\tseto %%al"

#define ALU_BINARY(name, text, bits, carry)                                                     \
	static inline uint##bits##_t alu_##name##_##bits(struct cpu *c, uint##bits##_t a,       \
							 uint##bits##_t b)                      \
	{                                                                                       \
		uint32_t ax;                                                                    \
		__asm__(carry text " %[b], %[a]\n\t" ALU_SAVE                                   \
			: [a] "+q"(a), "=&a"(ax)                                                \
			: [b] "q"(b), [st] "r"(c->status)                                       \
			: "cc");                                                                \
		c->status = alu_status(ax);                                                     \
		return a;                                                                       \
	}

#define ALU_UNARY(name, text, bits)                                                             \
	static inline uint##bits##_t alu_##name##_##bits(struct cpu *c, uint##bits##_t a)       \
	{                                                                                       \
		uint32_t ax;                                                                    \
		__asm__("bt $0, %[st]\n\t" text " %[a]\n\t" ALU_SAVE                            \
			: [a] "+q"(a), "=&a"(ax)                                                \
			: [st] "r"(c->status)                                                   \
			: "cc");                                                                \
		c->status = alu_status(ax);                                                     \
		return a;                                                                       \
	}

#define ALU_CARRY "bt $0, %[st]\n\t"

#define ALU_SIZE(bits)                            \
	ALU_BINARY(add, "add", bits, "")          \
	ALU_BINARY(or, "or", bits, "")            \
	ALU_BINARY(adc, "adc", bits, ALU_CARRY)   \
	ALU_BINARY(sbb, "sbb", bits, ALU_CARRY)   \
	ALU_BINARY(and, "and", bits, "")          \
	ALU_BINARY(sub, "sub", bits, "")          \
	ALU_BINARY(xor, "xor", bits, "")          \
	ALU_BINARY(cmp, "cmp", bits, "")          \
	ALU_BINARY(test, "test", bits, "")        \
	ALU_UNARY(inc, "inc", bits)               \
	ALU_UNARY(dec, "dec", bits)               \
	ALU_UNARY(neg, "neg", bits)

ALU_SIZE(8)
ALU_SIZE(16)
ALU_SIZE(32)
ALU_SIZE(64)

/* SPDX-License-Identifier: MIT */
/*
 * The guest's x87, vector and mask registers: where they are in struct cpu.xsave.
 *
 * The layout is XSAVE's standard format with the offsets that CPUID leaf 0xD tells the guest: Intel's, on all hosts.
 */
#pragma once

#include <string.h>

#include "vmm/accel/soft/cpu/state.h"

#define XS_FCW 0
#define XS_FSW 2
#define XS_FTW 4 /* one bit per physical register: not empty */
#define XS_FOP 6
#define XS_FIP 8
#define XS_FDP 16
#define XS_MXCSR 24
#define XS_MXCSR_MASK 28
#define XS_ST 32
#define XS_XMM 160
#define XS_HEADER 512
#define XS_YMM 576
#define XS_K 1088
#define XS_ZMM 1152
#define XS_HI16 1664

#define XCR0_X87 0x1u
#define XCR0_SSE 0x2u
#define XCR0_AVX 0x4u
#define XCR0_AVX512 0xE0u

#define MXCSR_DEFAULT 0x1F80u
#define MXCSR_FLAGS 0x3Fu
#define MXCSR_MASKS 0x1F80u
#define MXCSR_RC 0x6000u
#define MXCSR_VALID 0xFFFFu

#define FSW_ES 0x80u
#define FSW_B 0x8000u
#define FSW_TOP 0x3800u
#define FSW_TOP_SHIFT 11

static inline uint16_t xs_get16(const struct cpu *c, unsigned at)
{
	return *(const uint16_t *) (c->xsave + at);
}

static inline void xs_set16(struct cpu *c, unsigned at, uint16_t v)
{
	*(uint16_t *) (c->xsave + at) = v;
}

static inline uint32_t mxcsr_get(const struct cpu *c)
{
	return *(const uint32_t *) (c->xsave + XS_MXCSR);
}

static inline void mxcsr_set(struct cpu *c, uint32_t v)
{
	*(uint32_t *) (c->xsave + XS_MXCSR) = v;
}

static inline uint64_t k_get(const struct cpu *c, unsigned n)
{
	return ((const uint64_t *) (c->xsave + XS_K))[n];
}

static inline void k_set(struct cpu *c, unsigned n, uint64_t v)
{
	((uint64_t *) (c->xsave + XS_K))[n] = v;
}

/** vec_get() - read the low @size bytes (16, 32, 64) of vector register @n */
static inline void vec_get(const struct cpu *c, unsigned n, unsigned size, uint8_t *ret)
{
	if (n >= 16) {
		memcpy(ret, c->xsave + XS_HI16 + (size_t) (n - 16) * 64, size);
		return;
	}
	memcpy(ret, c->xsave + XS_XMM + (size_t) n * 16, 16);
	if (size > 16)
		memcpy(ret + 16, c->xsave + XS_YMM + (size_t) n * 16, 16);
	if (size > 32)
		memcpy(ret + 32, c->xsave + XS_ZMM + (size_t) n * 32, 32);
}

/** vec_set() - write vector register @n: @size bytes, above them zeros */
static inline void vec_set(struct cpu *c, unsigned n, unsigned size, const uint8_t *data)
{
	if (n >= 16) {
		memset(c->xsave + XS_HI16 + (size_t) (n - 16) * 64, 0, 64);
		memcpy(c->xsave + XS_HI16 + (size_t) (n - 16) * 64, data, size);
		return;
	}
	memcpy(c->xsave + XS_XMM + (size_t) n * 16, data, 16);
	if (size > 16)
		memcpy(c->xsave + XS_YMM + (size_t) n * 16, data + 16, 16);
	else
		memset(c->xsave + XS_YMM + (size_t) n * 16, 0, 16);
	if (size > 32)
		memcpy(c->xsave + XS_ZMM + (size_t) n * 32, data + 32, 32);
	else
		memset(c->xsave + XS_ZMM + (size_t) n * 32, 0, 32);
}

/** vec_set_low() - write the low 16 bytes of vector register @n, as instructions without VEX do */
static inline void vec_set_low(struct cpu *c, unsigned n, const uint8_t *data)
{
	memcpy(c->xsave + XS_XMM + (size_t) n * 16, data, 16);
}

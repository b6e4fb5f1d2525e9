// SPDX-License-Identifier: MIT
/*
 * FXSAVE, FXRSTOR, the XSAVE family, LDMXCSR, STMXCSR.
 *
 * The registers always have their values in struct cpu.xsave; whether a component is in its initial
 * state is found by looking at them.
 */
#include "vmm/accel/soft/simd/xsave.h"

#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/simd/regs.h"
#include "vmm/accel/soft/simd/vec.h"
#include "vmm/accel/soft/simd/x87.h"

#define FX_SIZE 512
#define FX_WRITTEN 416 /* the rest belongs to the guest's software */
#define HEADER_END 576
#define COMPACT (1ull << 63)
#define NR_COMPONENTS 8
#define IMAGE_MAX XSAVE_SIZE

/** struct component - one of XCR0's bits from AVX on: where it is in struct cpu.xsave and in the standard format */
struct component {
	uint16_t at, size;
};

static const struct component components[NR_COMPONENTS] = {
	[2] = { XS_YMM, 256 }, [5] = { XS_K, 64 }, [6] = { XS_ZMM, 512 }, [7] = { XS_HI16, 1024 },
};

/* Outside of 64-bit mode the upper half of the registers does not exist. */
static unsigned registers(const struct cpu *c)
{
	return c->mode == CPU_MODE_64 ? 16 : 8;
}

static unsigned bytes_of(const struct cpu *c, unsigned n)
{
	if (n == 5 || c->mode == CPU_MODE_64)
		return components[n].size;
	return n == 7 ? 0 : components[n].size / 2u;
}

static bool is_zero(const uint8_t *p, unsigned size)
{
	return size == 0 || (p[0] == 0 && memcmp(p, p + 1, size - 1) == 0);
}

/* Components that are not in their initial state. */
static uint64_t in_use(const struct cpu *c)
{
	uint64_t bits = 0;
	uint8_t x87[XS_MXCSR] = { 0 };

	x87[0] = 0x7F;
	x87[1] = 0x03;
	if (memcmp(c->xsave, x87, sizeof(x87)) != 0 || !is_zero(c->xsave + XS_ST, 128))
		bits |= XCR0_X87;
	if (!is_zero(c->xsave + XS_XMM, 256))
		bits |= XCR0_SSE;
	for (unsigned n = 2; n < NR_COMPONENTS; n++)
		if (!is_zero(c->xsave + components[n].at, components[n].size))
			bits |= 1ull << n;
	return bits;
}

/* The x87 part of the legacy area, 160 bytes without MXCSR. */
static void x87_put(const struct cpu *c, const struct insn *i, uint8_t *to)
{
	memcpy(to, c->xsave, XS_MXCSR);
	if (!(i->prefix & PFX_REX_W)) { /* offsets of 32 bits, and segments, which are not kept */
		memset(to + XS_FIP + 4, 0, 4);
		memset(to + XS_FDP + 4, 0, 4);
	}
	memcpy(to + XS_ST, c->xsave + XS_ST, 128);
}

static void x87_get(struct cpu *c, const struct insn *i, const uint8_t *from)
{
	uint64_t mask = i->prefix & PFX_REX_W ? UINT64_MAX : UINT32_MAX, ip, dp;

	memcpy(c->xsave, from, XS_MXCSR);
	c->xsave[XS_FTW + 1] = 0;
	xs_set16(c, XS_FCW, (xs_get16(c, XS_FCW) & 0x1F3F) | 0x40);
	xs_set16(c, XS_FOP, xs_get16(c, XS_FOP) & 0x7FF);
	memcpy(&ip, from + XS_FIP, 8);
	memcpy(&dp, from + XS_FDP, 8);
	ip &= mask;
	dp &= mask;
	memcpy(c->xsave + XS_FIP, &ip, 8);
	memcpy(c->xsave + XS_FDP, &dp, 8);
	for (unsigned n = 0; n < 8; n++) {
		memset(c->xsave + XS_ST + (size_t) n * 16, 0, 16);
		memcpy(c->xsave + XS_ST + (size_t) n * 16, from + XS_ST + (size_t) n * 16, 10);
	}
	x87_pending(c);
}

static void mxcsr_put(const struct cpu *c, uint8_t *to)
{
	uint32_t mask = MXCSR_VALID;

	memcpy(to + XS_MXCSR, c->xsave + XS_MXCSR, 4);
	memcpy(to + XS_MXCSR_MASK, &mask, 4);
}

static uint32_t mxcsr_of(struct cpu *c, const uint8_t *from)
{
	uint32_t v;

	memcpy(&v, from + XS_MXCSR, 4);
	if (v & ~MXCSR_VALID)
		cpu_raise_code(c, EXC_GP, 0);
	return v;
}

static bool is_address(const struct cpu *c, uint64_t lin)
{
	return !cpu_is_long(c) || (uint64_t) ((int64_t) (lin << 16) >> 16) == lin;
}

static uint64_t aligned(struct cpu *c, const struct insn *i, unsigned size, unsigned access, unsigned align)
{
	uint64_t lin = mem_operand(c, i, size, access);

	if (!is_address(c, lin))
		cpu_check_read(c, lin, 1); /* #SS if it is on the stack */
	if (lin & (align - 1))
		cpu_raise_code(c, EXC_GP, 0);
	return lin;
}

static void fxsave_exec(struct cpu *c, const struct insn *i)
{
	uint8_t image[FX_SIZE];
	uint64_t lin;

	x87_check(c, false);
	lin = aligned(c, i, FX_SIZE, MEM_WRITE, 16);
	cpu_check_write(c, lin, FX_SIZE);
	cpu_read(c, lin, image, FX_SIZE);
	x87_put(c, i, image);
	mxcsr_put(c, image);
	memcpy(image + XS_XMM, c->xsave + XS_XMM, (size_t) registers(c) * 16);
	cpu_write(c, lin, image, FX_WRITTEN);
}

static void fxrstor_exec(struct cpu *c, const struct insn *i)
{
	uint8_t image[FX_SIZE];
	uint32_t mxcsr;

	x87_check(c, false);
	cpu_read(c, aligned(c, i, FX_SIZE, MEM_READ, 16), image, FX_SIZE);
	mxcsr = mxcsr_of(c, image);
	x87_get(c, i, image);
	mxcsr_set(c, mxcsr);
	memcpy(c->xsave + XS_XMM, image + XS_XMM, (size_t) registers(c) * 16);
}

static void need_osxsave(struct cpu *c)
{
	if (!(c->cr4 & CR4_OSXSAVE))
		cpu_raise(c, EXC_UD);
	if (c->cr0 & CR0_TS)
		cpu_raise(c, EXC_NM);
}

static uint64_t requested(const struct cpu *c)
{
	return c->xcr0 & ((c->reg[REG_RDX] << 32) | (uint32_t) c->reg[REG_RAX]);
}

/* Bytes up to the end of the last of @bits in the standard format, or of all of them in the compacted one. */
static unsigned extent(uint64_t bits, bool compact)
{
	unsigned end = HEADER_END;

	for (unsigned n = 2; n < NR_COMPONENTS; n++) {
		if (!(bits >> n & 1))
			continue;
		end = compact ? end : components[n].at;
		end += components[n].size;
	}
	return end;
}

static void vectors_put(const struct cpu *c, uint64_t bits, bool compact, uint64_t layout, uint8_t *image)
{
	if (bits & XCR0_SSE)
		memcpy(image + XS_XMM, c->xsave + XS_XMM, (size_t) registers(c) * 16);
	for (unsigned n = 2; n < NR_COMPONENTS; n++)
		if (bits >> n & 1) {
			unsigned at = compact ? extent(layout & ((2ull << n) - 1), true) - components[n].size :
						components[n].at;

			memcpy(image + at, c->xsave + components[n].at, bytes_of(c, n));
		}
}

/* XSAVE, XSAVEOPT and XSAVEC differ in what is left out and in the format. */
static void save(struct cpu *c, const struct insn *i, bool optimal, bool compact)
{
	uint8_t image[IMAGE_MAX];
	uint64_t want, used, write, header[8], lin;
	unsigned size;

	need_osxsave(c);
	want = requested(c);
	used = in_use(c);
	if (compact && mxcsr_get(c) != MXCSR_DEFAULT)
		used |= XCR0_SSE;
	used &= want;
	write = optimal ? used : want;
	size = extent(want, compact);
	lin = aligned(c, i, size, MEM_WRITE, 64);
	cpu_check_write(c, lin, size);
	cpu_read(c, lin, image, size);
	memcpy(header, image + XS_HEADER, sizeof(header));
	if (write & XCR0_X87)
		x87_put(c, i, image);
	if (compact ? write & XCR0_SSE : want & (XCR0_SSE | XCR0_AVX))
		mxcsr_put(c, image);
	vectors_put(c, write, compact, want, image);
	if (compact)
		header[1] = COMPACT | want;
	header[0] = (compact ? 0 : header[0] & ~want) | used;
	memcpy(image + XS_HEADER, header, sizeof(header));
	cpu_write(c, lin, image, size);
}

static void xsave_exec(struct cpu *c, const struct insn *i)
{
	save(c, i, false, false);
}

static void xsaveopt_exec(struct cpu *c, const struct insn *i)
{
	save(c, i, true, false);
}

static void xsavec_exec(struct cpu *c, const struct insn *i)
{
	save(c, i, true, true);
}

static void check_header(struct cpu *c, const uint64_t *header, bool compact)
{
	uint64_t layout = compact ? header[1] & ~COMPACT : c->xcr0;
	bool bad = (header[0] & ~layout) || (layout & ~c->xcr0);

	for (unsigned n = compact ? 2 : 1; n < (compact ? 8 : 3); n++)
		bad = bad || header[n] != 0;
	if (bad)
		cpu_raise_code(c, EXC_GP, 0);
}

static void vectors_get(struct cpu *c, uint64_t want, uint64_t have, bool compact, uint64_t layout, const uint8_t *image)
{
	for (unsigned n = 2; n < NR_COMPONENTS; n++) {
		unsigned at = compact ? extent(layout & ((2ull << n) - 1), true) - components[n].size :
					components[n].at;

		if (want & have & 1ull << n)
			memcpy(c->xsave + components[n].at, image + at, bytes_of(c, n));
		else if (want & 1ull << n)
			memset(c->xsave + components[n].at, 0, bytes_of(c, n));
	}
}

static void xrstor_exec(struct cpu *c, const struct insn *i)
{
	uint8_t image[IMAGE_MAX];
	uint64_t want, have, layout, header[8], lin;
	uint32_t mxcsr = mxcsr_get(c);
	bool compact;

	need_osxsave(c);
	want = requested(c);
	lin = aligned(c, i, HEADER_END, MEM_READ, 64);
	cpu_read(c, lin, image, HEADER_END);
	memcpy(header, image + XS_HEADER, sizeof(header));
	compact = header[1] & COMPACT;
	if (compact && !cpuid_has(c, CPUID_WORD_D_1_EAX, 1))
		cpu_raise_code(c, EXC_GP, 0);
	check_header(c, header, compact);
	have = header[0];
	layout = header[1] & ~COMPACT;
	if (extent(compact ? layout : want & have, compact) > HEADER_END)
		cpu_read(c, lin, image, extent(compact ? layout : want & have, compact));
	if (compact ? want & have & XCR0_SSE : want & (XCR0_SSE | XCR0_AVX))
		mxcsr = mxcsr_of(c, image);
	else if (compact && want & XCR0_SSE)
		mxcsr = MXCSR_DEFAULT;
	if (want & have & XCR0_X87) {
		x87_get(c, i, image);
	} else if (want & XCR0_X87) {
		x87_init(c);
		memset(c->xsave + XS_ST, 0, 128);
	}
	mxcsr_set(c, mxcsr);
	if (want & have & XCR0_SSE)
		memcpy(c->xsave + XS_XMM, image + XS_XMM, (size_t) registers(c) * 16);
	else if (want & XCR0_SSE)
		memset(c->xsave + XS_XMM, 0, (size_t) registers(c) * 16);
	vectors_get(c, want, have, compact, layout, image);
}

void mxcsr_exec(struct cpu *c, const struct insn *i)
{
	bool loads = (i->modrm >> 3 & 7) == 2;
	uint32_t v;

	if (i->enc == ENC_VEX)
		vec_check(c, &simd_rows[i->imm2]);
	else if (c->cr0 & CR0_EM || !(c->cr4 & CR4_OSFXSR))
		cpu_raise(c, EXC_UD);
	else if (c->cr0 & CR0_TS)
		cpu_raise(c, EXC_NM);
	if (!loads) {
		mem_write32(c, mem_operand(c, i, 4, MEM_WRITE), mxcsr_get(c));
		return;
	}
	v = mem_read32(c, mem_operand(c, i, 4, MEM_READ));
	if (v & ~MXCSR_VALID)
		cpu_raise_code(c, EXC_GP, 0);
	mxcsr_set(c, v);
}

cpu_exec_fn *xsave_bind(const struct cpu *c, const struct insn *i)
{
	unsigned n = i->modrm >> 3 & 7;

	if (!i->is_mem || i->pp != 0 || i->prefix & PFX_LOCK)
		return NULL;
	if (i->opcode == 0xC7)
		return n == 4 && cpuid_has(c, CPUID_WORD_D_1_EAX, 1) ? xsavec_exec : NULL;
	if (n >= 4 && !cpuid_has(c, CPUID_WORD_1_ECX, 26))
		return NULL;
	switch (n) {
	case 0:
		return fxsave_exec;
	case 1:
		return fxrstor_exec;
	case 2:
	case 3:
		return mxcsr_exec;
	case 4:
		return xsave_exec;
	case 5:
		return xrstor_exec;
	case 6:
		return cpuid_has(c, CPUID_WORD_D_1_EAX, 0) ? xsaveopt_exec : NULL;
	default:
		return NULL;
	}
}

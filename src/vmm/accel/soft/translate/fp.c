/* SPDX-License-Identifier: MIT */
/*
 * How it works: struct cpu.xsave is the host's own format, so both ways are one instruction. The
 * addresses of the last x87 instruction and operand are the host's and are not told to the guest.
 */
#include "vmm/accel/soft/translate/fp.h"

#include <cpuid.h>
#include <string.h>

#include "vmm/accel/soft/cpu/state.h"

#define XSAVE_KEPT 0xE7u /* x87, SSE, AVX, AVX-512 */
#define FXSAVE_ADDRESSES 8 /* offset; 16 bytes */
#define XSAVE_HEADER 512 /* offset */

static uint32_t mask(void)
{
	static uint32_t known;

	if (known == 0) {
		uint32_t low, high;

		__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
		known = low & XSAVE_KEPT;
	}
	return known;
}

void fp_load(struct cpu *c)
{
	uint64_t present = mask();

	/* Who writes to it does not keep a header. */
	(void) memcpy(c->xsave + XSAVE_HEADER, &present, sizeof(present));
	(void) memset(c->xsave + XSAVE_HEADER + sizeof(present), 0, 16);
	__asm__ volatile("xrstor64 %0" : : "m"(c->xsave), "a"(mask()), "d"(0) : "memory");
}

void fp_save(struct cpu *c)
{
	static const uint32_t mxcsr = 0x1F80;

	__asm__ volatile("xsave64 %0" : "=m"(c->xsave) : "a"(mask()), "d"(0) : "memory");
	__asm__ volatile("fninit; ldmxcsr %0; vzeroupper" : : "m"(mxcsr));
	(void) memset(c->xsave + FXSAVE_ADDRESSES, 0, 16);
}

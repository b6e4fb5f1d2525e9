// SPDX-License-Identifier: MIT
#include "vmm/accel/soft/simd/mmx.h"

#include "vmm/accel/soft/simd/regs.h"
#include "vmm/accel/soft/simd/x87.h"

void mmx_check(struct cpu *c)
{
	if (xs_get16(c, XS_FSW) & FSW_ES)
		cpu_raise(c, EXC_MF);
}

static unsigned top(const struct cpu *c)
{
	return xs_get16(c, XS_FSW) >> FSW_TOP_SHIFT & 7;
}

uint64_t mmx_get(const struct cpu *c, unsigned n)
{
	uint64_t v;

	memcpy(&v, c->xsave + XS_ST + ((n - top(c)) & 7) * 16, 8); /* the image counts from the top */
	return v;
}

void mmx_enter(struct cpu *c)
{
	x87_set_top(c, 0);
	c->xsave[XS_FTW] = 0xFF;
}

void mmx_set(struct cpu *c, unsigned n, uint64_t v)
{
	uint16_t exponent = 0xFFFF;

	memcpy(c->xsave + XS_ST + (size_t) n * 16, &v, 8);
	memcpy(c->xsave + XS_ST + (size_t) n * 16 + 8, &exponent, 2);
}

void mmx_emms_exec(struct cpu *c, const struct insn *i)
{
	(void) i;
	if (c->cr0 & CR0_EM)
		cpu_raise(c, EXC_UD);
	if (c->cr0 & CR0_TS)
		cpu_raise(c, EXC_NM);
	mmx_check(c);
	x87_set_top(c, 0);
	c->xsave[XS_FTW] = 0;
}

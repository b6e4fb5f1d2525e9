// SPDX-License-Identifier: MIT
#include "vmm/accel/soft/simd/simd.h"

#include "vmm/accel/soft/simd/mmx.h"
#include "vmm/accel/soft/simd/regs.h"
#include "vmm/accel/soft/simd/vec.h"
#include "vmm/accel/soft/simd/x87.h"
#include "vmm/accel/soft/simd/xsave.h"

void simd_init(void)
{
	simd_fault_init();
}

void simd_reset(struct cpu *c)
{
	memset(c->xsave, 0, sizeof(c->xsave));
	xs_set16(c, XS_FCW, 0x40);
	c->xsave[XS_FTW] = 0xFF;
	mxcsr_set(c, MXCSR_DEFAULT);
}

/* EVEX's displacement of one byte counts in units of the memory operand. */
static void scale_displacement(const struct simd_row *row, struct insn *i)
{
	unsigned unit = i->evex_b || row->how == HOW_GATHER || row->how == HOW_SCATTER || row->how == HOW_COMPRESS ||
					row->how == HOW_EXPAND ?
				row->lane :
				simd_row_mem(row, i);

	if (i->enc == ENC_EVEX && i->is_mem && i->disp_size == 1)
		i->disp *= (int32_t) unit;
}

cpu_exec_fn *simd_bind(struct cpu *c, struct insn *i)
{
	const struct simd_row *row;

	if (i->map == MAP_1BYTE && i->enc == ENC_LEGACY) {
		bool x87 = (i->opcode & 0xF8) == 0xD8 || i->opcode == 0x9B;

		return x87 && !(i->prefix & PFX_LOCK) ? x87_bind(i) : NULL;
	}
	if (i->map == MAP_0F && i->enc == ENC_LEGACY) {
		if (i->opcode == 0xAE || i->opcode == 0xC7)
			return xsave_bind(c, i);
		if (i->opcode == 0x77)
			return i->prefix & PFX_LOCK || i->pp != 0 ? NULL : mmx_emms_exec;
	}
	row = simd_row_find(i);
	if (row == NULL || !simd_row_has(c, row, i))
		return NULL;
	i->imm2 = (uint16_t) (row - simd_rows);
	scale_displacement(row, i);
	return row->how == HOW_MXCSR ? mxcsr_exec : vec_bind(i, row);
}

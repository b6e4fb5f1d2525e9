/* SPDX-License-Identifier: MIT */
/*
 * Cells: one instruction and a RET each, 8 bytes.
 *
 * The assembler writes one for each row, vector length and immediate, so that no memory has to be
 * made executable while the program runs.  The operands are always the same registers: ModRM.reg is
 * number 0, VEX.vvvv number 1, ModRM.rm number 2, a fourth number 3, the mask K7.  Who calls a cell
 * puts the guest's values there (calls.S).
 */
#include "vmm/accel/soft/simd/row.h"

	.text
	.balign 64
	.globl simd_cells
	.hidden simd_cells
simd_cells:

/* The prefixes and opcode of an instruction, up to ModRM */
.macro cell_head enc, pp, map, op, w, vvvv, flags, ll, z
	.if \enc == SIMD_SSE
		.if \pp == PP_66
			.byte 0x66
		.elseif \pp == PP_F3
			.byte 0xf3
		.elseif \pp == PP_F2
			.byte 0xf2
		.endif
		.if \w == W_1
			.byte 0x48
		.endif
		.byte 0x0f
		.if \map == SIMD_MAP_0F38
			.byte 0x38
		.elseif \map == SIMD_MAP_0F3A
			.byte 0x3a
		.endif
	.else
		.set cell_w, 0
		.if \w == W_1
			.set cell_w, 0x80
		.endif
		.set cell_v, 0x78
		.if (\vvvv) != OP_NO
			.set cell_v, 0x70
		.endif
		.if \enc == SIMD_VEX
			.byte 0xc4, 0xe0 | \map, cell_w | cell_v | (\ll << 2) | \pp
		.else
			.set cell_k, 0
			.if (\flags) & R_MASK
				.set cell_k, 7
			.endif
			.byte 0x62, 0xf0 | \map, cell_w | cell_v | 4 | \pp, (\z << 7) | (\ll << 5) | 8 | cell_k
		.endif
	.endif
	.byte \op
.endm

/* The cells of one row at one vector length, one per immediate */
.macro cell_run enc, pp, map, op, ext, w, vvvv, imms, flags, ll, z
	.set cell_modrm, 0xc2
	.if \ext != EXT_ANY
		.set cell_modrm, 0xc2 | (\ext << 3)
	.elseif (\flags) & R_XMM0
		.set cell_modrm, 0xda
	.endif
	.if \imms == 0
		cell_head \enc, \pp, \map, \op, \w, (\vvvv), (\flags), \ll, \z
		.byte cell_modrm
		.if (\flags) & R_IS4
			.byte 0x30
		.endif
		ret
		.balign 8, 0xcc
	.else
		.set cell_imm, 0
		.rept \imms
			cell_head \enc, \pp, \map, \op, \w, (\vvvv), (\flags), \ll, \z
			.byte cell_modrm, cell_imm
			ret
			.balign 8, 0xcc
			.set cell_imm, cell_imm + 1
		.endr
	.endif
.endm

.macro cell_length enc, pp, map, op, ext, w, vvvv, imms, flags, ll
	cell_run \enc, \pp, \map, \op, \ext, \w, (\vvvv), \imms, (\flags), \ll, 0
	.if ((\flags) & R_KEEP) && ((\flags) & R_ZERO)
		cell_run \enc, \pp, \map, \op, \ext, \w, (\vvvv), \imms, (\flags), \ll, 1
	.endif
.endm

/* All cells of a row, and where they begin */
.macro cell_row enc, pp, map, op, ext, w, l, vvvv, imms, how, flags
	.if \how == HOW_CELL || \how == HOW_STRING || \how == HOW_INSERT
		.pushsection .rodata, "a", @progbits
		.long 771f - simd_cells
		.popsection
771:
		.if \l == L_IG
			cell_length \enc, \pp, \map, \op, \ext, \w, (\vvvv), \imms, (\flags), 0
		.endif
		.if \l & L_0
			cell_length \enc, \pp, \map, \op, \ext, \w, (\vvvv), \imms, (\flags), 0
		.endif
		.if \l & L_1
			cell_length \enc, \pp, \map, \op, \ext, \w, (\vvvv), \imms, (\flags), 1
		.endif
		.if \l & L_2
			cell_length \enc, \pp, \map, \op, \ext, \w, (\vvvv), \imms, (\flags), 2
		.endif
	.else
		.pushsection .rodata, "a", @progbits
		.long 0
		.popsection
	.endif
.endm

	.pushsection .rodata, "a", @progbits
	.balign 4
	.globl simd_cell_at
	.hidden simd_cell_at
simd_cell_at: /* by row: offset from simd_cells */
	.popsection

#define ROW(name, enc, pp, map, op, ext, mod, w, l, reg, vvvv, rm, mem, lane, imms, how, feature, flags) \
	cell_row SIMD_##enc, PP_##pp, SIMD_MAP_##map, op, EXT_##ext, W_##w, L_##l, OP_##vvvv, imms, HOW_##how, (flags)
#include "vmm/accel/soft/simd/rows.inc"

/*
 * x87: for each opcode D8 to DF the eight operations on memory at RSI, then the 64 on registers.
 */
	.balign 64
	.globl simd_x87_cells
	.hidden simd_x87_cells
simd_x87_cells:
	.set cell_op, 0xd8
	.rept 8
		.set cell_modrm, 0x06
		.rept 8
			.byte cell_op, cell_modrm
			ret
			.balign 4, 0xcc
			.set cell_modrm, cell_modrm + 8
		.endr
		.set cell_modrm, 0xc0
		.rept 64
			.byte cell_op, cell_modrm
			ret
			.balign 4, 0xcc
			.set cell_modrm, cell_modrm + 1
		.endr
		.set cell_op, cell_op + 1
	.endr

	.globl simd_cells_end
	.hidden simd_cells_end
simd_cells_end:

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: MIT */
/*
 * Rows of instructions, for C and for the assembler: numbers only.
 *
 * A row of rows_*.inc is ROW(name, enc, pp, map, opcode, ext, mod, w, l, reg, vvvv, rm, mem, lane,
 * imms, how, feature, flags):
 *
 * name     mnemonic
 * enc      SSE (no VEX prefix; MMX too), VEX, EVEX
 * pp       mandatory prefix: NP, 66, F3, F2
 * map      opcode map: 0F, 0F38, 0F3A, 5, 6
 * ext      what ModRM.reg must be, or ANY
 * mod      R: the operand in ModRM.rm must be a register; M: memory; RM: either
 * w        REX.W, VEX.W, EVEX.W: 0, 1, X (ignored)
 * l        vector lengths that exist: digits 0 (128), 1 (256), 2 (512); IG: ignored
 * reg, vvvv, rm  the operands: NO, or X (vector), G (general), K (mask), M (MMX) and R (read), W (written)
 * mem      bytes when rm is memory; VL: of the vector, VL2: half of it ..., DUP: 8, 32, 64
 * lane     bytes of memory that one bit of the mask stands for
 * imms     immediates that differ: a power of two; 0: there is none
 * how      who executes it, see HOW_*
 * feature  FEAT_*
 * flags    R_*, or 0
 */
#pragma once

#define SIMD_SSE 0
#define SIMD_VEX 1
#define SIMD_EVEX 2

#define PP_NP 0
#define PP_66 1
#define PP_F3 2
#define PP_F2 3

#define SIMD_MAP_0F 1
#define SIMD_MAP_0F38 2
#define SIMD_MAP_0F3A 3
#define SIMD_MAP_5 5
#define SIMD_MAP_6 6

#define EXT_0 0
#define EXT_1 1
#define EXT_2 2
#define EXT_3 3
#define EXT_4 4
#define EXT_6 6
#define EXT_7 7
#define EXT_ANY 8

#define MOD_R 1
#define MOD_M 2
#define MOD_RM 3

#define W_0 0
#define W_1 1
#define W_X 2

#define L_0 1
#define L_1 2
#define L_2 4
#define L_01 3
#define L_12 6
#define L_012 7
#define L_IG 0

#define OP_NO 0
#define OP_WRITE 8
#define OP_KIND 7
#define OP_X 1
#define OP_G 2
#define OP_K 3
#define OP_M 4
#define OP_XR OP_X
#define OP_GR OP_G
#define OP_KR OP_K
#define OP_MR OP_M
#define OP_XW (OP_X | OP_WRITE)
#define OP_GW (OP_G | OP_WRITE)
#define OP_KW (OP_K | OP_WRITE)
#define OP_MW (OP_M | OP_WRITE)

#define MEM_0 0
#define MEM_1 1
#define MEM_2 2
#define MEM_4 4
#define MEM_8 8
#define MEM_16 16
#define MEM_32 32
#define MEM_64 64
#define MEM_VL 0x80
#define MEM_VL2 0x81
#define MEM_VL4 0x82
#define MEM_VL8 0x83
#define MEM_DUP 0x90

#define HOW_CELL 0 /* the host, in a cell: see cells.S */
#define HOW_MOVE 1 /* copied; masked by lanes */
#define HOW_LOW 2 /* MOVLPS */
#define HOW_HIGH 3 /* MOVHPS */
#define HOW_SPREAD 4 /* memory repeated up to the vector length */
#define HOW_GATHER 5
#define HOW_SCATTER 6
#define HOW_MASKMOV 7 /* lanes by the sign of a vector register */
#define HOW_MASKMOVDQU 8
#define HOW_COMPRESS 9 /* to memory */
#define HOW_EXPAND 10 /* from memory */
#define HOW_STRING 11 /* PCMPESTRI and its kin: in a cell, with implicit operands */
#define HOW_BMI 12
#define HOW_MXCSR 13
#define HOW_ZERO 14 /* VZEROALL, VZEROUPPER */
#define HOW_CRC32 15
#define HOW_INSERT 16 /* INSERTPS: in a cell; from memory it takes what it finds, whatever the immediate */

#define R_ALIGN 0x1 /* memory must be aligned */
#define R_FLAGS 0x2 /* writes RFLAGS */
#define R_XMM0 0x4 /* reads XMM0 too */
#define R_IS4 0x8 /* reads the register in the upper half of the immediate */
#define R_MASK 0x10 /* EVEX.aaa may be used */
#define R_ZERO 0x20 /* EVEX.z may be used */
#define R_MZ (R_MASK | R_ZERO)
#define R_NEEDK 0x40 /* EVEX.aaa must not be 0 */
#define R_ER 0x80 /* EVEX.b with registers: rounding */
#define R_SAE 0x100 /* EVEX.b with registers: no exceptions */
#define R_BCST 0x200 /* EVEX.b with memory: one lane for all */
#define R_WHOLE 0x400 /* memory must be accessible whatever the mask says */
#define R_KEEP 0x800 /* the destination is a source too */
#define R_SPLAT 0x1000 /* the mask is for lanes of the vector, that repeat memory */
#define R_DISTINCT 0x2000 /* the destination must be none of the sources */

/* SPDX-License-Identifier: MIT */
/*
 * One instruction, taken apart.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vmm/accel/soft/cpu/state.h"

#define INSN_MAX 15 /* bytes */

/** enum insn_map - opcode maps; the values of VEX.mmmmm and EVEX.mmm where those exist */
enum insn_map { MAP_1BYTE, MAP_0F, MAP_0F38, MAP_0F3A, MAP_4, MAP_5, MAP_6, MAP_7 };

/** enum insn_enc - how it is encoded */
enum insn_enc { ENC_LEGACY, ENC_VEX, ENC_EVEX };

/* struct insn.prefix */
#define PFX_66 0x1u
#define PFX_67 0x2u
#define PFX_LOCK 0x4u
#define PFX_REX 0x8u /* there is one: SPL, BPL, SIL, DIL instead of AH, CH, DH, BH */
#define PFX_REX_W 0x10u /* REX.W, VEX.W or EVEX.W */
#define PFX_SEG 0x20u /* a segment override that counts */
#define PFX_F2 0x40u /* the last one of F2, F3 */
#define PFX_F3 0x80u

/**
 * struct insn - one instruction
 * @exec: executes it; set by bind_insn()
 * @imm: immediate, sign-extended where the instruction does; moffs; far pointers: offset
 * @imm2: ENTER: nesting level; far pointers: selector
 * @disp: displacement, EVEX's disp8 scaled by bind_insn() of those who know it (disp is as encoded)
 * @opcode: in @map
 * @modrm: the byte; 0 if there is none
 * @has_modrm, @is_mem: it has a ModRM byte, that names memory
 * @prefix: PFX_*
 * @rep: 0, 0xF2, 0xF3
 * @pp: the mandatory prefix: 0, 1 (66), 2 (F3), 3 (F2); for legacy SIMD F3 and F2 win over 66
 * @size: of operands: 2, 4, 8; 1 where the opcode says bytes.  With defaults of 64-bit mode applied
 * @addr_size: 2, 4, 8
 * @reg: ModRM.reg with extension, 0 to 31.  @rm: register if not @is_mem, 0 to 31 (EVEX.X too)
 * @reg_off, @rm_off: byte offset into struct cpu.reg of the general registers @reg, @rm, with AH to BH
 *                    where @size is 1
 * @base, @index: REG_*, REG_ZERO when absent, REG_RIP as base for RIP-relative; VSIB: @index 0 to 31
 * @scale: 0 to 3, of index
 * @seg: enum cpu_seg_id of the memory operand
 * @vvvv: 0 to 31, already inverted.  @vl: 0 128, 1 256, 2 512 bits (EVEX.L'L as is).  @mask: EVEX.aaa.
 *        @evex_b, @evex_z: as encoded
 * @modrm_off, @disp_off, @imm_off: where they start in the instruction, 0 if absent; @opcode_off always
 * @disp_size, @imm_size: bytes
 */
struct insn {
	cpu_exec_fn *exec;
	int64_t imm;
	int32_t disp;
	uint16_t imm2;
	uint8_t len, opcode, modrm;
	uint8_t map : 3, enc : 2, has_modrm : 1, is_mem : 1, pad1 : 1;
	uint8_t prefix;
	uint8_t rep;
	uint8_t pp;
	uint8_t size, addr_size;
	uint8_t reg, rm, reg_off, rm_off;
	uint8_t base, index, scale, seg;
	uint8_t vvvv;
	uint8_t vl : 2, mask : 3, evex_b : 1, evex_z : 1, pad2 : 1;
	uint8_t opcode_off, modrm_off, disp_off, disp_size, imm_off, imm_size;
	uint8_t ends; /* the instruction may go elsewhere or change what decoding depends on: last of its block */
};

/** enum insn_result - what insn_decode() found */
enum insn_result {
	INSN_OK,
	INSN_SHORT, /* there must be more bytes */
	INSN_LONG, /* more than INSN_MAX: #GP */
	INSN_BAD, /* no such instruction: #UD.  Its length counts up to the opcode */
};

/**
 * insn_decode() - take apart the instruction at @code
 * @mode: CPU_MODE_*
 * @len: bytes that may be read
 * Context: pure.  Does not look whether a SIMD opcode exists: the length follows from the map.
 * Return: see there; @ret is set, but for @exec, if it is INSN_OK or INSN_BAD.
 */
enum insn_result insn_decode(uint8_t mode, const uint8_t *code, size_t len, struct insn *ret);

/**
 * insn_bind() - find who executes @i: the integer instructions here, the others by ops->bind
 *
 * After this @i->exec is never NULL: what does not exist raises #UD.
 */
void insn_bind(struct cpu *c, struct insn *i);

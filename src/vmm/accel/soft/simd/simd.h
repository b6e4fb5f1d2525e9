/* SPDX-License-Identifier: MIT */
/*
 * x87, MMX and vector instructions, and the instructions that save and load their state.
 */
#pragma once

#include "vmm/accel/soft/cpu/decode.h"

/**
 * simd_bind() - who executes @i, as struct cpu_ops.bind
 *
 * Scales EVEX's displacement, and notes in @i->imm2 the row.
 * Return: NULL: no such instruction on this processor, #UD.
 */
cpu_exec_fn *simd_bind(struct cpu *c, struct insn *i);

/** simd_init() - prepare the program for executing; before the first instruction, any number of times */
void simd_init(void);

/** simd_reset() - the state that the registers here have after power-on */
void simd_reset(struct cpu *c);

/* SPDX-License-Identifier: MIT */
/*
 * Instructions that save and load the x87 and vector state, and MXCSR.
 */
#pragma once

#include "vmm/accel/soft/cpu/decode.h"

/** xsave_bind() - who executes @i, opcode 0F AE or 0F C7; NULL: none of these */
cpu_exec_fn *xsave_bind(const struct cpu *c, const struct insn *i);

/** mxcsr_exec() - LDMXCSR and STMXCSR, with and without VEX */
cpu_exec_fn mxcsr_exec;

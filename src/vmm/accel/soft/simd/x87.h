/* SPDX-License-Identifier: MIT */
/*
 * x87 instructions.
 */
#pragma once

#include "vmm/accel/soft/cpu/decode.h"
#include "vmm/accel/soft/cpu/mem.h"

/** x87_bind() - who executes @i, opcode D8 to DF or 9B; NULL: nobody */
cpu_exec_fn *x87_bind(const struct insn *i);

/** x87_check() - #NM when the x87 unit may not be used; @waits: #MF when an exception is pending */
void x87_check(struct cpu *c, bool waits);

/** x87_set_top() - the top of the stack becomes @top; the physical registers stay as they are */
void x87_set_top(struct cpu *c, unsigned top);

/** x87_init() - as FNINIT; the registers keep their values */
void x87_init(struct cpu *c);

/** x87_pending() - make the summary bit of the status word say whether an unmasked exception is there */
void x87_pending(struct cpu *c);

/** x87_env_bind() - FLDENV, FNSTENV, FRSTOR, FNSAVE and the instructions about control and status words */
cpu_exec_fn *x87_env_bind(const struct insn *i);

/* SPDX-License-Identifier: MIT */
/*
 * The guest's x87, SSE and AVX registers, between struct cpu.xsave and the host's registers.
 */
#pragma once

#include <stdbool.h>

struct cpu;
struct insn;

/** fp_load() - the guest's registers into the host's; C code must not use those until fp_save() */
void fp_load(struct cpu *c);

/** fp_save() - and back; the host's are then as C code wants them */
void fp_save(struct cpu *c);

/** fp_switches() - is @i of the XSAVE family, in 64-bit code? */
bool fp_switches(const struct insn *i);

/**
 * fp_switch() - execute @i, one of those, at RIP, with the guest's registers in the host's
 * Return: it was executed; false: nothing was, the interpreter must look.
 */
bool fp_switch(struct cpu *c, const struct insn *i);

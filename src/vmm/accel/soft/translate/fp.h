/* SPDX-License-Identifier: MIT */
/*
 * The guest's x87, SSE and AVX registers, between struct cpu.xsave and the host's registers.
 */
#pragma once

struct cpu;

/** fp_load() - the guest's registers into the host's; C code must not use those until fp_save() */
void fp_load(struct cpu *c);

/** fp_save() - and back; the host's are then as C code wants them */
void fp_save(struct cpu *c);

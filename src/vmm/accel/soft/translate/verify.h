/* SPDX-License-Identifier: MIT */
/*
 * Compares translated blocks with the interpreter, the first few times that they run.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/accel/soft/cpu/state.h"

struct block;
struct verify;

#define VERIFY_RUNS 4u /* of a block, that are looked at */

/** verify_new() - Return: NULL: no memory */
struct verify *verify_new(void);

/** verify_free() - release; NULL is fine */
void verify_free(struct verify *v);

/**
 * verify_begin() - @b, the block at RIP, is about to run, and will come back at its end
 *
 * Its x87, SSE and AVX registers are in @c.  Nothing is changed but what a processor may do ahead of time: TLB entries,
 * accessed bits.
 */
void verify_begin(struct cpu *c, struct verify *v);

/** verify_end() - translated code was left for struct cpu.hot.kind, RIP and flags are right again: look at what it has done */
void verify_end(struct cpu *c, struct verify *v);

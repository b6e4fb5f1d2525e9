/* SPDX-License-Identifier: MIT */
/*
 * The MMX registers: mantissas of the physical x87 registers.
 */
#pragma once

#include "vmm/accel/soft/cpu/mem.h"

/** mmx_check() - #MF when an x87 exception is pending */
void mmx_check(struct cpu *c);

/** mmx_get() - register @n */
uint64_t mmx_get(const struct cpu *c, unsigned n);

/** mmx_enter() - what every MMX instruction does to the x87 state: top of stack 0, no register is empty */
void mmx_enter(struct cpu *c);

/** mmx_set() - write register @n; after mmx_enter() */
void mmx_set(struct cpu *c, unsigned n, uint64_t v);

/** mmx_emms_exec() - EMMS */
cpu_exec_fn mmx_emms_exec;

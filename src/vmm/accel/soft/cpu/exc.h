/* SPDX-License-Identifier: MIT */
/*
 * Exceptions and interrupts.
 */
#pragma once

#include "vmm/accel/soft/cpu/state.h"

/* What longjmp() to struct cpu.unwind tells */
enum unwind { UNWIND_NONE, UNWIND_FAULT, UNWIND_EXIT };

/** exc_software() - INT n and the like, from @opcode: RIP is behind the instruction */
void exc_software(struct cpu *c, uint8_t vector, uint8_t opcode);

/** exc_interrupt() - deliver an external interrupt or NMI */
void exc_interrupt(struct cpu *c, uint8_t vector);

/**
 * exc_fault() - deliver c->fault, which an instruction left with
 * Return: false: the third fault in a row, the processor stops.
 */
bool exc_fault(struct cpu *c);

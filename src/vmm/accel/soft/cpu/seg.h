/* SPDX-License-Identifier: MIT */
/*
 * Segment registers, descriptors and transfers between code segments.
 */
#pragma once

#include "vmm/accel/soft/cpu/mem.h"

/** struct descriptor - eight bytes of a descriptor table; system descriptors of long mode have 8 more */
struct descriptor {
	uint64_t low, high;
};

static inline uint64_t descriptor_base(const struct descriptor *d)
{
	return (d->low >> 16 & 0xFFFFFF) | (d->low >> 56 & 0xFF) << 24 | (d->high & 0xFFFFFFFF) << 32;
}

static inline uint32_t descriptor_limit(const struct descriptor *d)
{
	uint32_t limit = (uint32_t) ((d->low & 0xFFFF) | (d->low >> 32 & 0xF0000));

	return d->low >> 55 & 1 ? limit << 12 | 0xFFF : limit;
}

static inline uint16_t descriptor_attr(const struct descriptor *d)
{
	return (uint16_t) (d->low >> 40 & 0xF0FF);
}

static inline unsigned descriptor_dpl(const struct descriptor *d)
{
	return d->low >> 45 & 3;
}

/** seg_descriptor() - fetch the descriptor of @sel from GDT or LDT; false: outside of the table */
bool seg_descriptor(struct cpu *c, uint16_t sel, struct descriptor *ret);

/** seg_set() - the hidden part from @d, @sel as it is */
void seg_set(struct cpu *c, unsigned seg, uint16_t sel, const struct descriptor *d);

/** seg_set_real() - as in real and virtual-8086 mode */
void seg_set_real(struct cpu *c, unsigned seg, uint16_t sel);

/** seg_accessed() - set the bit in memory if @d does not have it */
void seg_accessed(struct cpu *c, uint16_t sel, struct descriptor *d);

/** seg_load() - MOV to a segment register, with all checks; not CS */
void seg_load(struct cpu *c, unsigned seg, uint16_t sel);

/** seg_load_stack() - SS for privilege level @cpl; faults are @vector with the selector */
void seg_load_stack(struct cpu *c, uint16_t sel, unsigned cpl, enum cpu_vector vector);

/** seg_flatness() - compute struct cpu_seg.flat of all after a change of mode */
void seg_flatness(struct cpu *c);

/** seg_jump_far() - far JMP or CALL */
void seg_jump_far(struct cpu *c, uint16_t sel, uint64_t rip, unsigned size, bool call);

/** seg_return_far() - far RET; @drop: bytes of arguments */
void seg_return_far(struct cpu *c, unsigned size, uint16_t drop);

/** seg_iret() - IRET of the given operand size */
void seg_iret(struct cpu *c, unsigned size);

/** seg_enter() - CS becomes @d at privilege level @cpl, and RIP */
void seg_enter(struct cpu *c, uint16_t sel, const struct descriptor *d, unsigned cpl, uint64_t rip);

/** seg_stack_of() - stack pointer and selector for level @cpl from the task; long mode: selector 0 */
void seg_stack_of(struct cpu *c, unsigned cpl, uint64_t *rsp, uint16_t *sel);

/** enum task_how - how a task switch comes about */
enum task_how { TASK_JUMP, TASK_CALL, TASK_IRET, TASK_GATE };

/** task_switch() - to the task of @sel, whose descriptor is @d; @code: pushed on the new stack, or -1 */
void task_switch(struct cpu *c, uint16_t sel, struct descriptor *d, enum task_how how, int64_t code);

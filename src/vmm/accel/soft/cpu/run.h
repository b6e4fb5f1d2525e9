/* SPDX-License-Identifier: MIT */
/*
 * A processor from the outside.
 */
#pragma once

#include "vmm/accel/soft/cpu/state.h"

struct err;

/**
 * cpu_make() - make a processor in the state after power-on
 * @c: memory that reads as zero; may be shared with other processes, what is remembered for speed is not in it
 * @ops, @ram: borrowed until cpu_unmake()
 * @index: its number and APIC identity, of @nr_cpus
 * Return: 0; -ENOMEM.
 */
int cpu_make(struct cpu *c, const struct cpu_ops *ops, const struct cpu_ram *ram, unsigned index, unsigned nr_cpus);

/** cpu_unmake() - release what it holds, not @c */
void cpu_unmake(struct cpu *c);

/** cpu_reset() - as after power-on; the first processor runs, the others wait for SIPI */
void cpu_reset(struct cpu *c);

/** cpu_init() - as after INIT: caches, FPU and MSRs are left alone */
void cpu_init(struct cpu *c);

/**
 * cpu_run() - execute until somebody else is needed
 *
 * Fills @c->exit.  CPU_EXIT_PIO and CPU_EXIT_MMIO of the read kind want @c->exit.data before the next call.
 * Context: the processor's thread.
 */
void cpu_run(struct cpu *c);

/**
 * cpu_step() - execute one instruction at RIP, deliver what it raises
 *
 * As cpu_run(), for tests and for translated code that needs help.
 * Return: true when @c->exit is filled.
 */
bool cpu_step(struct cpu *c);

/** cpu_is_special() - is there anything to do before or beside the next instruction? */
static inline bool cpu_is_special(const struct cpu *c)
{
	return (__atomic_load_n(&c->event, __ATOMIC_RELAXED) | c->shadow | c->replay.nr | c->pending_db |
		(c->flags & (FL_TF | FL_RF)) | (c->dr7 & 0xFF) | (uint32_t) c->activity) != 0;
}

/**
 * cpu_advance() - do what is special, and a few instructions, at least one unless the owner is needed
 * Return: true when @c->exit is filled.
 */
bool cpu_advance(struct cpu *c);

/**
 * cpu_execute() - execute the instruction at RIP, known to be @i and bound, while cpu_is_special() is false
 * Return: true when @c->exit is filled.
 */
bool cpu_execute(struct cpu *c, const struct insn *i);

/**
 * cpu_raised() - deliver struct cpu.fault, which the instruction at RIP raises, while cpu_is_special() is false
 * Return: true when @c->exit is filled.
 */
bool cpu_raised(struct cpu *c);

/**
 * cpu_deliver() - take pending events that can be taken now: INIT, NMI, interrupts
 * Return: true when the processor must return to its owner (@c->exit is filled).
 */
bool cpu_deliver(struct cpu *c);

/** cpu_take_init() - take INIT and SIPI if they wait */
void cpu_take_init(struct cpu *c);

/** cpu_set_event() - tell @c; any thread or process that shares it.  Does not wake a sleeper */
static inline void cpu_set_event(struct cpu *c, uint32_t bits)
{
	(void) __atomic_fetch_or(&c->event, bits, __ATOMIC_SEQ_CST);
}

/** cpu_nmi() - a non-maskable interrupt: one waits, and another one while none is served; on @c's own thread */
void cpu_nmi(struct cpu *c);

/** cpu_mode_changed() - after a change of CR0, CR4, EFER, CS, SS, RFLAGS.VM, RFLAGS.AC or CPL by hand */
void cpu_mode_changed(struct cpu *c);

/** cpu_set_rflags() - all bits at once, unchecked */
void cpu_set_rflags(struct cpu *c, uint32_t value);

/** cpu_flush_tlb() - forget translations; @global: also global ones; of all address spaces */
void cpu_flush_tlb(struct cpu *c, bool global);

/** cpu_tsc() - the guest's time stamp counter now */
uint64_t cpu_tsc(const struct cpu *c);

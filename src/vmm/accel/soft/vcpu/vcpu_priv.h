/* SPDX-License-Identifier: MIT */
#pragma once

#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/vcpu/alarm.h"
#include "vmm/accel/soft/vcpu/vcpu.h"
#include "vmm/accel/state.h"

/**
 * struct pv - paravirtual registers of a processor, as written
 * @clock: where the guest reads its time, bit 0: it does
 * @wall: where the time of day was written last
 * @steal: where it reads how long it had to wait for a host processor, bit 0: it does
 * @begun: when its thread took it, in nanoseconds; @idle: time stamps since then in which it had nothing to do
 * @left: time stamp at which it stopped last
 * @told: nanoseconds of waiting of which it was told; @steal_next: host time stamp at which it is told again
 */
struct pv {
	uint64_t clock, wall, steal, told, steal_next;
	uint64_t begun, idle, left;
};

/**
 * struct vcpu - a processor
 * @alarm: goes off when the local APIC's timer is due
 * @armed: host time stamp for which @alarm is set, 0 when it is not
 * @watch: time stamps for which a halt looks for events before it sleeps
 * @features: what @cpu tells of itself, and executes
 * @eoi: vectors whose end the I/O APIC has not been told, a bit each
 */
struct vcpu {
	struct cpu *cpu;
	struct world *world;
	struct lapic *lapic;
	struct world_slot *slot;
	struct apic_bus bus;
	const struct cpu_ram *ram;
	struct pv pv;
	struct cpu_cpuid features;
	unsigned index;
	struct alarm alarm;
	uint64_t armed, watch;
	uint32_t eoi[8];
};

/** vcpu_ops - what struct cpu calls */
extern const struct cpu_ops vcpu_ops;

/** vcpu_count() - one more of them */
static inline void vcpu_count(const struct vcpu *v, enum world_stat what)
{
	v->slot->stat[what]++;
}

/** vcpu_of() - owner of a struct cpu */
static inline struct vcpu *vcpu_of(const struct cpu *c)
{
	return c->owner;
}

/** vcpu_ram() - @len bytes of guest memory at @gpa that may be written; NULL if they are not there */
void *vcpu_ram(const struct vcpu *v, uint64_t gpa, uint64_t len);

/** vcpu_timer() - let the local APIC's timer fire if it is due, and set the signal for the next time */
void vcpu_timer(struct vcpu *v);

/** vcpu_recheck() - something about the local APIC has changed: is there an interrupt now? */
void vcpu_recheck(struct vcpu *v);

/** vcpu_take_events() - what came to the local APIC that is no interrupt: NMI, INIT, SIPI */
void vcpu_take_events(struct vcpu *v);

/** state_save() - accel_ops.state_read */
int state_save(struct vcpu *v, struct accel_state *ret);

/** state_load() - accel_ops.state_write: 0; -EINVAL: no processor can have it; -ENOTSUP: this one cannot */
int state_load(struct vcpu *v, const struct accel_state *s);

/** debug_watch() - let every instruction be looked at, if struct cpu.debug asks for that */
void debug_watch(struct cpu *c);

/** debug_set() - be debugged; 0; -EINVAL: too many breaks */
int debug_set(struct vcpu *v, const struct accel_debug *debug);

/** debug_write_regs() - accel_ops.regs_write */
void debug_write_regs(struct vcpu *v, const struct accel_regs *regs);

/** pv_reset() - as after power-on */
void pv_reset(struct pv *pv);

/** pv_msr_read() - one of KVM's registers; false: there is none */
bool pv_msr_read(const struct vcpu *v, uint32_t msr, uint64_t *ret);

/** pv_msr_write() - likewise */
bool pv_msr_write(struct vcpu *v, uint32_t msr, uint64_t value);

/** pv_hypercall() - struct cpu_ops.hypercall */
uint64_t pv_hypercall(struct vcpu *v, const uint64_t arg[5]);

/** pv_stopped() - tell the guest that it stood still for a while: paused, or with its host */
void pv_stopped(const struct vcpu *v);

/** pv_steal() - tell the guest of its waiting, now and then */
void pv_steal(struct vcpu *v);

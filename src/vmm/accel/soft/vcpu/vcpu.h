/* SPDX-License-Identifier: MIT */
/*
 * A processor in software with what surrounds it: local APIC, timer, paravirtual clock, sleep.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/accel/soft/apic/lapic.h"
#include "vmm/accel/soft/cpu/state.h"
#include "vmm/accel/soft/vcpu/clock.h"
#include "vmm/core/vm.h"

struct accel_start;
struct err;

/**
 * struct vcpu_slot - what others know of a processor
 * @kick: atomic: vcpu_run() is to return
 * @asleep: atomic: it waits until the events of its struct cpu change
 */
struct vcpu_slot {
	_Alignas(64) uint32_t kick;
	uint32_t asleep;
};

/**
 * struct vcpu_world - all processors; memory that their processes share, without pointers
 * @nr: processors
 */
struct vcpu_world {
	uint32_t nr;
	struct soft_clock clock;
	struct lapic lapic[VM_CPUS_MAX];
	struct vcpu_slot slot[VM_CPUS_MAX];
};

/** enum vcpu_exit_kind - why vcpu_run() returned */
enum vcpu_exit_kind { VCPU_EXIT_KICK, VCPU_EXIT_PIO, VCPU_EXIT_MMIO, VCPU_EXIT_TRIPLE_FAULT, VCPU_EXIT_EOI };

/**
 * struct vcpu_exit - what somebody else has to do
 * @addr: port or guest address; VCPU_EXIT_EOI: vector of a level-triggered interrupt that was served
 * @data: what is written, or room for the answer: put it there before the next vcpu_run()
 */
struct vcpu_exit {
	enum vcpu_exit_kind kind;
	bool write;
	uint8_t size;
	uint64_t addr, data;
};

/**
 * struct vcpu_peers - how a process reaches the processors
 * @cpu: each one's struct cpu, of which only the events may be touched
 */
struct vcpu_peers {
	struct vcpu_world *world;
	struct cpu *cpu[VM_CPUS_MAX];
};

/** vcpu_set_event() - tell processor @index and wake it; any thread of any process */
void vcpu_set_event(struct vcpu_peers *p, unsigned index, uint32_t events);

/** vcpu_wake() - apic_bus.wake; @arg is a struct vcpu_peers */
void vcpu_wake(void *arg, unsigned index);

/** vcpu_kick() - a vcpu_run() that is under way, or the next one, returns VCPU_EXIT_KICK soon */
void vcpu_kick(struct vcpu_peers *p, unsigned index);

struct vcpu;

/**
 * vcpu_new() - make processor @index; it is not reset yet
 * @peers, @ram: borrowed until vcpu_free()
 * Return: 0; -errno with a message.
 */
int vcpu_new(struct vcpu_peers *peers, const struct cpu_ram *ram, unsigned index, struct vcpu **ret, struct err *err);

/** vcpu_free() - release; NULL is fine */
void vcpu_free(struct vcpu *v);

/** vcpu_reset() - as after power-on */
void vcpu_reset(struct vcpu *v);

/** vcpu_start() - set the registers of the first processor */
void vcpu_start(struct vcpu *v, const struct accel_start *start);

/**
 * vcpu_run() - execute until somebody else is needed; always on the same thread
 * @ret: what is wanted; borrowed until the next call
 * Return: 0; -errno with a message.
 */
int vcpu_run(struct vcpu *v, struct vcpu_exit **ret, struct err *err);

/* SPDX-License-Identifier: MIT */
/*
 * What the processes of one machine share: the one that has the devices, and one for each processor.
 *
 * Memory without pointers.  A guest may have taken over the process of a processor: who has the devices
 * believes nothing that is written here, and copies before it checks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/accel/accel.h"
#include "vmm/accel/cpu_model.h"
#include "vmm/accel/soft/apic/lapic.h"
#include "vmm/accel/soft/cpu/state.h"
#include "vmm/accel/soft/vcpu/clock.h"
#include "vmm/accel/state.h"
#include "vmm/core/vm.h"

#define WORLD_NOTIFY_MAX 256 /* addresses that have an eventfd; a device has one per queue */
#define WORLD_ASKED_MAX 64 /* pages that a processor is told about at once */
#define WORLD_NOWHERE UINT64_MAX /* of a struct world_notify that is free */

/** enum vcpu_exit_kind - why a processor stopped */
enum vcpu_exit_kind {
	VCPU_EXIT_KICK,
	VCPU_EXIT_PIO,
	VCPU_EXIT_MMIO,
	VCPU_EXIT_TRIPLE_FAULT,
	VCPU_EXIT_EOI,
	VCPU_EXIT_DEBUG,
	VCPU_N_EXITS_,
};

/**
 * struct vcpu_exit - what somebody else has to do
 * @size: bytes; VCPU_EXIT_DEBUG: enum cpu_stop
 * @addr: port or guest address; VCPU_EXIT_EOI: vector of a level-triggered interrupt that was served;
 *        VCPU_EXIT_DEBUG: linear address of the next instruction
 * @data: what is written, or room for the answer: put it there before it runs again
 */
struct vcpu_exit {
	enum vcpu_exit_kind kind;
	bool write;
	uint8_t size;
	uint64_t addr, data;
};

/** enum world_stat - what is counted, see --stats */
enum world_stat {
	STAT_PIO,
	STAT_MMIO,
	STAT_HALT,
	STAT_KICK,
	STAT_ALARM,
	STAT_IRQ,
	STAT_NOTIFY,
	STAT_EOI,
	STAT_ASKED,
	N_STATS_,
};

/** enum world_command - what a processor is to do */
enum world_command { WORLD_RUN, WORLD_RESET, WORLD_START, WORLD_REGS, WORLD_DEBUG, WORLD_SAVE, WORLD_LOAD };

/**
 * struct world_slot - one processor
 * @kick: atomic: it is to stop soon
 * @asleep: atomic: it waits until the events of its struct cpu change
 * @command: what it is to do; @start: for WORLD_START; @regs: for WORLD_REGS; @debug: for WORLD_DEBUG; @state: of WORLD_SAVE, for WORLD_LOAD;
 *           @result: 0 or -errno; @exit: of WORLD_RUN
 * @asked: atomic: what it was told to do with pages, see world_ask(), 0 for none; @asked_all: more than fits
 * @stat: how often each of enum world_stat was
 */
struct world_slot {
	_Alignas(64) uint32_t kick;
	uint32_t asleep;
	enum world_command command;
	int32_t result;
	struct accel_start start;
	struct accel_regs regs;
	struct accel_debug debug;
	struct accel_state state;
	struct vcpu_exit exit;
	uint64_t asked[WORLD_ASKED_MAX];
	uint32_t asked_all;
	uint64_t stat[N_STATS_];
};

/** struct world_region - guest memory: @size bytes of a processor's descriptor @fd from @offset on */
struct world_region {
	uint64_t gpa, size, offset;
	int32_t fd;
	bool readonly;
};

/** struct world_notify - a write to @gpa is one to a processor's descriptor @fd; both atomic */
struct world_notify {
	uint64_t gpa;
	int32_t fd;
};

/**
 * struct world - one machine
 * @nr: processors
 * @translate: they translate, instead of interpreting; @verify: and compare both; @nr_pages: of guest memory, see struct cpu.pages
 * @cache: bytes of translated code that each keeps, or 0
 * @feature: which features of processors the guest sees, see struct cpu_cpuid.word
 * @cpu: each belongs to its process; of others only the events may be touched
 */
struct world {
	uint32_t nr, nr_regions;
	bool translate, verify;
	uint64_t nr_pages, cache;
	uint32_t feature[CPUID_WORDS];
	struct soft_clock clock;
	struct world_region region[CPU_RAM_MAX];
	struct world_notify notify[WORLD_NOTIFY_MAX];
	struct lapic lapic[VM_CPUS_MAX];
	struct world_slot slot[VM_CPUS_MAX];
	struct cpu cpu[VM_CPUS_MAX];
};

/** world_set_event() - tell processor @index and wake it; any thread of any process */
void world_set_event(struct world *w, unsigned index, uint32_t events);

/** world_wake() - apic_bus.wake; @arg is a struct world */
void world_wake(void *arg, unsigned index);

/** world_ask() - tell processor @index to do @what with the page of @gpa; any thread of any process, does not wait */
void world_ask(struct world *w, unsigned index, uint64_t gpa, enum page_ask what);

/** world_asked() - take one of what processor @index was told; false: there is no more */
bool world_asked(struct world *w, unsigned index, uint64_t *gpa, enum page_ask *what);

/** world_kick() - a processor that runs, or is told to run next, stops soon */
void world_kick(struct world *w, unsigned index);

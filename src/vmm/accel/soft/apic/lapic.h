/* SPDX-License-Identifier: MIT */
/*
 * Local APICs: one per processor, and the bus between them.
 *
 * A local APIC is plain memory that several processes may share: fields marked "atomic" are changed by whoever
 * sends an interrupt, all others by the processor that owns the APIC.
 * Spec: Intel SDM volume 3, chapter "Advanced Programmable Interrupt Controller".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LAPIC_BASE 0xFEE00000ull /* guest address after a reset */
#define LAPIC_TIMER_KHZ 1000000u /* the timer counts nanoseconds */

#define LAPIC_MSR_BASE 0x1Bu
#define LAPIC_MSR_X2 0x800u /* first of LAPIC_X2_REGS */
#define LAPIC_X2_REGS 0x100u

#define LAPIC_BASE_BSP (1ull << 8)
#define LAPIC_BASE_X2 (1ull << 10)
#define LAPIC_BASE_ENABLE (1ull << 11)
#define LAPIC_BASE_ADDRESS 0x000FFFFFFFFFF000ull

#define LAPIC_PAGE_SIZE 1024u /* bytes of the page that have registers */

/** enum lapic_mode - what a message asks for: bits 8 to 10 of an interrupt command */
enum lapic_mode {
	LAPIC_FIXED = 0,
	LAPIC_LOWEST = 1,
	LAPIC_SMI = 2,
	LAPIC_NMI = 4,
	LAPIC_INIT = 5,
	LAPIC_STARTUP = 6,
	LAPIC_EXTINT = 7,
};

/* struct lapic, @events */
#define LAPIC_EVENT_NMI 1u
#define LAPIC_EVENT_INIT 2u
#define LAPIC_EVENT_STARTUP 4u
#define LAPIC_EVENT_NMI_AGAIN 8u
#define LAPIC_EVENT_VECTOR_SHIFT 8 /* of the start-up vector, 8 bits */

enum lapic_lvt { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, N_LVTS_ };

/**
 * struct lapic - one of them
 * @id: the processor's number, also the APIC's; never changes
 * @base: IA32_APIC_BASE
 * @icr: last interrupt command, destination in the upper half
 * @count: initial count of the timer; @divide: its divide configuration
 * @expiry: host time stamp at which the timer fires, 0 while it does not run
 * @period: time stamps between two of them, 0 for one
 * @isr: interrupts in service; @irr: requested (atomic); @tmr: those that are level-triggered (atomic)
 * @events: LAPIC_EVENT_*, atomic
 */
struct lapic {
	uint32_t id, tpr, ldr, dfr, svr, esr, errors, count, divide;
	uint32_t lvt[N_LVTS_];
	uint64_t base, icr, expiry, period;
	uint32_t isr[8], irr[8], tmr[8];
	uint32_t events;
};

/**
 * struct apic_bus - all local APICs, as one process sees them
 * @nr: of @lapic, which may be shared memory
 * @tsc_khz: time stamps per millisecond
 * @wake: processor @index has something new; any thread
 * @eoi: a level-triggered interrupt was served by the calling processor
 */
struct apic_bus {
	struct lapic *lapic;
	unsigned nr;
	uint32_t tsc_khz;
	void (*wake)(void *arg, unsigned index);
	void (*eoi)(void *arg, uint8_t vector);
	void *arg;
};

/** struct apic_message - an interrupt on the bus; @logical: how @dest is meant; @level: it is level-triggered */
struct apic_message {
	uint32_t dest;
	enum lapic_mode mode;
	uint8_t vector;
	bool logical, level;
};

/** lapic_reset() - as after power-on; @id stays */
void lapic_reset(struct lapic *l);

/** lapic_init() - what an INIT message does: as after power-on, but mode, ID and @events stay */
void lapic_init(struct lapic *l);

/**
 * lapic_read() - register at @offset of the page
 * @tsc: host time stamp, for the timer's current count
 * Return: 32 bits; 0 where there is no register.
 */
uint32_t lapic_read(struct apic_bus *bus, struct lapic *l, uint32_t offset, uint64_t tsc);

/** lapic_write() - write 32 bits at @offset of the page; ignored where nothing can be written */
void lapic_write(struct apic_bus *bus, struct lapic *l, uint32_t offset, uint32_t value, uint64_t tsc);

/**
 * lapic_msr_read() - x2APIC registers and IA32_APIC_BASE
 * Return: 0; -EINVAL: general protection fault.
 */
int lapic_msr_read(struct apic_bus *bus, struct lapic *l, uint32_t msr, uint64_t tsc, uint64_t *ret);

/** lapic_msr_write() - likewise */
int lapic_msr_write(struct apic_bus *bus, struct lapic *l, uint32_t msr, uint64_t tsc, uint64_t value);

/** lapic_pending() - vector that the processor is to take now, -1 for none; any thread may ask */
int lapic_pending(const struct lapic *l);

/** lapic_ack() - the processor takes the interrupt that lapic_pending() names; its vector, -1 if there is none */
int lapic_ack(struct lapic *l);

/** lapic_tpr() - task priority as CR8 has it */
uint8_t lapic_tpr(const struct lapic *l);

/** lapic_tpr_set() - write CR8 */
void lapic_tpr_set(struct lapic *l, uint8_t cr8);

/** lapic_events() - take LAPIC_EVENT_* that came */
uint32_t lapic_events(struct lapic *l);

/** apic_send() - a message to everyone it is meant for; any thread of any process; true if there was one */
bool apic_send(struct apic_bus *bus, const struct apic_message *m);

/** apic_send_msi() - message-signalled interrupt, as a device writes it; true if somebody got it */
bool apic_send_msi(struct apic_bus *bus, uint64_t addr, uint32_t data);

/** lapic_deadline() - IA32_TSC_DEADLINE as a host time stamp; 0 when the timer is not in that mode or not armed */
uint64_t lapic_deadline(const struct lapic *l);

/** lapic_deadline_set() - write it; 0 disarms; nothing in another mode */
void lapic_deadline_set(struct lapic *l, uint64_t tsc);

/**
 * lapic_timer_run() - let the timer fire if its time has come
 * Return: host time stamp at which to call again, 0 for never.
 */
uint64_t lapic_timer_run(struct apic_bus *bus, struct lapic *l, uint64_t tsc);

/** lapic_save() - all registers as in the page, with the number in the highest byte of its register, of an x2APIC too */
void lapic_save(struct apic_bus *bus, struct lapic *l, uint64_t tsc, uint8_t page[LAPIC_PAGE_SIZE]);

/**
 * lapic_load() - be what lapic_save() has written, with IA32_APIC_BASE @base; events that wait are gone, a TSC deadline is
 * set afterwards
 * @page: anything; what is reserved is ignored
 * Return: 0; -EINVAL: not a mode, or another APIC's number.
 */
int lapic_load(struct apic_bus *bus, struct lapic *l, uint64_t base, uint64_t tsc, const uint8_t page[LAPIC_PAGE_SIZE]);

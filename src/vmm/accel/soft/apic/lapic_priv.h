/* SPDX-License-Identifier: MIT */
#pragma once

#include "vmm/accel/soft/apic/lapic.h"

/* Offsets of registers in the page; of an x2APIC the MSR is LAPIC_MSR_X2 + offset / 16. */
enum {
	REG_ID = 0x20,
	REG_VERSION = 0x30,
	REG_TPR = 0x80,
	REG_APR = 0x90,
	REG_PPR = 0xA0,
	REG_EOI = 0xB0,
	REG_LDR = 0xD0,
	REG_DFR = 0xE0,
	REG_SVR = 0xF0,
	REG_ISR = 0x100,
	REG_TMR = 0x180,
	REG_IRR = 0x200,
	REG_ESR = 0x280,
	REG_ICR = 0x300,
	REG_ICR_HIGH = 0x310,
	REG_LVT_TIMER = 0x320,
	REG_LVT_THERMAL = 0x330,
	REG_LVT_PERF = 0x340,
	REG_LVT_LINT0 = 0x350,
	REG_LVT_LINT1 = 0x360,
	REG_LVT_ERROR = 0x370,
	REG_COUNT = 0x380,
	REG_CURRENT = 0x390,
	REG_DIVIDE = 0x3E0,
	REG_SELF = 0x3F0, /* x2APIC only */
};

#define SVR_ENABLE (1u << 8)

#define LVT_MASKED (1u << 16)
#define LVT_LEVEL (1u << 15)
#define LVT_MODE(lvt) ((enum lapic_mode) ((lvt) >> 8 & 7))
#define LVT_TIMER_MODE(lvt) ((lvt) >> 17 & 3)

enum { TIMER_ONE_SHOT, TIMER_PERIODIC, TIMER_DEADLINE };

#define ESR_SEND_ILLEGAL (1u << 5)
#define ESR_RECEIVE_ILLEGAL (1u << 6)
#define ESR_REGISTER (1u << 7)

/** lapic_is_x2() - its registers are MSRs */
static inline bool lapic_is_x2(const struct lapic *l)
{
	return (l->base & (LAPIC_BASE_ENABLE | LAPIC_BASE_X2)) == (LAPIC_BASE_ENABLE | LAPIC_BASE_X2);
}

/** lapic_accept() - @l gets a message: atomic; the caller wakes its processor.  False: nothing changed */
bool lapic_accept(struct lapic *l, enum lapic_mode mode, uint8_t vector, bool level);

/** lapic_error() - note an error, and tell the processor if it wants to know */
void lapic_error(struct apic_bus *bus, struct lapic *l, uint32_t bit);

/** lapic_register() - value of a register at @offset, as in the page; 0 where there is none */
uint32_t lapic_register(const struct apic_bus *bus, const struct lapic *l, uint32_t offset, uint64_t tsc);

/** lapic_command() - send what the interrupt command register says */
void lapic_command(struct apic_bus *bus, struct lapic *l);

/** lapic_eoi() - the interrupt of the highest priority has been served */
void lapic_eoi(struct apic_bus *bus, struct lapic *l);

/** lapic_ppr() - processor priority */
uint8_t lapic_ppr(const struct lapic *l);

/** lapic_timer_start() - the initial count was written */
void lapic_timer_start(struct apic_bus *bus, struct lapic *l, uint64_t tsc);

/** lapic_timer_resume() - it began with @count, and @current are left, 0 if it has fired; not for a TSC deadline */
void lapic_timer_resume(struct apic_bus *bus, struct lapic *l, uint64_t tsc, uint32_t count, uint32_t current);

/** lapic_timer_mode() - the timer's LVT or divider was written, it was @old before */
void lapic_timer_mode(const struct apic_bus *bus, struct lapic *l, uint32_t old);

/** lapic_timer_current() - current count */
uint32_t lapic_timer_current(const struct apic_bus *bus, const struct lapic *l, uint64_t tsc);

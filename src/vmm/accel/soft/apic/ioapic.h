/* SPDX-License-Identifier: MIT */
/*
 * The I/O APIC: lines of devices become messages to local APICs.
 * Spec: Intel 82093AA, version 0x11.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/accel/soft/apic/lapic.h"

#define IOAPIC_BASE 0xFEC00000ull
#define IOAPIC_SIZE 0x1000ull
#define IOAPIC_PINS 24

/**
 * struct ioapic - the controller; the functions here take its lock
 * @select: register that the data window shows
 * @line: inputs that are high, a bit each
 * @entry: redirection table
 */
struct ioapic {
	pthread_mutex_t lock;
	struct apic_bus *bus;
	uint32_t select, id, line;
	uint64_t entry[IOAPIC_PINS];
};

/** ioapic_init() - as after power-on; @bus is borrowed.  Release with ioapic_fini() */
void ioapic_init(struct ioapic *io, struct apic_bus *bus);

/** ioapic_fini() - release */
void ioapic_fini(struct ioapic *io);

/** ioapic_reset() - as after power-on */
void ioapic_reset(struct ioapic *io);

/** ioapic_read() - 32 bits at @offset of its page */
uint32_t ioapic_read(struct ioapic *io, uint64_t offset);

/** ioapic_write() - write 32 bits at @offset of its page */
void ioapic_write(struct ioapic *io, uint64_t offset, uint32_t value);

/** ioapic_line() - raise or lower an input; nothing for one that does not exist */
void ioapic_line(struct ioapic *io, unsigned pin, bool level);

/** ioapic_eoi() - a processor has served @vector */
void ioapic_eoi(struct ioapic *io, uint8_t vector);

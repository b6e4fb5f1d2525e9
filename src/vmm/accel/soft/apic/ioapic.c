/* SPDX-License-Identifier: MIT */
#include "vmm/accel/soft/apic/ioapic.h"

#include <string.h>

#define VERSION (0x11u | (IOAPIC_PINS - 1) << 16)

#define WINDOW_SELECT 0x00
#define WINDOW_DATA 0x10

#define REG_ID 0
#define REG_VERSION 1
#define REG_ARBITRATION 2
#define REG_TABLE 0x10

#define ENTRY_LOGICAL (1ull << 11)
#define ENTRY_REMOTE_IRR (1ull << 14)
#define ENTRY_LEVEL (1ull << 15)
#define ENTRY_MASKED (1ull << 16)
#define ENTRY_READ_ONLY (ENTRY_REMOTE_IRR | 1ull << 12)
#define ENTRY_WRITABLE 0xFF0000000001FFFFull

void ioapic_reset(struct ioapic *io)
{
	(void) pthread_mutex_lock(&io->lock); /* cannot fail */
	io->select = io->id = io->line = 0;
	for (unsigned i = 0; i < IOAPIC_PINS; i++)
		io->entry[i] = ENTRY_MASKED;
	(void) pthread_mutex_unlock(&io->lock); /* cannot fail */
}

void ioapic_init(struct ioapic *io, struct apic_bus *bus)
{
	(void) pthread_mutex_init(&io->lock, NULL); /* cannot fail on Linux */
	io->bus = bus;
	ioapic_reset(io);
}

void ioapic_fini(struct ioapic *io)
{
	(void) pthread_mutex_destroy(&io->lock); /* nobody holds it */
}

static void send(struct ioapic *io, unsigned pin)
{
	uint64_t *e = &io->entry[pin];
	struct apic_message m = { .dest = (uint32_t) (*e >> 56),
				  .mode = (enum lapic_mode) (*e >> 8 & 7),
				  .vector = (uint8_t) *e,
				  .logical = *e & ENTRY_LOGICAL,
				  .level = *e & ENTRY_LEVEL };

	if (m.dest == 0xFF)
		m.dest = UINT32_MAX; /* everybody, x2APIC or not */
	if (m.mode != LAPIC_STARTUP && apic_send(io->bus, &m) && m.level)
		*e |= ENTRY_REMOTE_IRR;
}

/* A level that is there, not masked and not being served goes out. */
static void send_level(struct ioapic *io, unsigned pin)
{
	uint64_t e = io->entry[pin];

	if ((e & (ENTRY_MASKED | ENTRY_REMOTE_IRR | ENTRY_LEVEL)) == ENTRY_LEVEL && (io->line & 1u << pin))
		send(io, pin);
}

void ioapic_line(struct ioapic *io, unsigned pin, bool level)
{
	bool rises;

	if (pin >= IOAPIC_PINS)
		return;
	(void) pthread_mutex_lock(&io->lock); /* cannot fail */
	rises = level && !(io->line & 1u << pin);
	io->line = level ? io->line | 1u << pin : io->line & ~(1u << pin);
	if (io->entry[pin] & ENTRY_LEVEL)
		send_level(io, pin);
	else if (rises && !(io->entry[pin] & ENTRY_MASKED))
		send(io, pin);
	(void) pthread_mutex_unlock(&io->lock); /* cannot fail */
}

void ioapic_eoi(struct ioapic *io, uint8_t vector)
{
	(void) pthread_mutex_lock(&io->lock); /* cannot fail */
	for (unsigned i = 0; i < IOAPIC_PINS; i++) {
		if ((uint8_t) io->entry[i] != vector || !(io->entry[i] & ENTRY_LEVEL))
			continue;
		io->entry[i] &= ~ENTRY_REMOTE_IRR;
		send_level(io, i);
	}
	(void) pthread_mutex_unlock(&io->lock); /* cannot fail */
}

static uint32_t read_register(const struct ioapic *io)
{
	unsigned n = io->select - REG_TABLE;

	if (io->select == REG_ID || io->select == REG_ARBITRATION)
		return io->id << 24;
	if (io->select == REG_VERSION)
		return VERSION;
	if (io->select < REG_TABLE || n / 2 >= IOAPIC_PINS)
		return UINT32_MAX;
	return (uint32_t) (io->entry[n / 2] >> (n % 2 * 32));
}

static void write_entry(struct ioapic *io, unsigned n, uint32_t value)
{
	unsigned pin = n / 2, shift = n % 2 * 32;
	uint64_t old = io->entry[pin], half = 0xFFFFFFFFull << shift;
	uint64_t new = (old & ~half) | (uint64_t) value << shift;

	new = (new & ENTRY_WRITABLE & ~ENTRY_READ_ONLY) | (old & ENTRY_READ_ONLY);
	if (!(new & ENTRY_LEVEL))
		new &= ~ENTRY_REMOTE_IRR;
	io->entry[pin] = new;
	send_level(io, pin);
}

static void write_register(struct ioapic *io, uint32_t value)
{
	if (io->select == REG_ID)
		io->id = value >> 24 & 0xF;
	else if (io->select >= REG_TABLE && (io->select - REG_TABLE) / 2 < IOAPIC_PINS)
		write_entry(io, io->select - REG_TABLE, value);
}

uint32_t ioapic_read(struct ioapic *io, uint64_t offset)
{
	uint32_t v = 0;

	(void) pthread_mutex_lock(&io->lock); /* cannot fail */
	if (offset == WINDOW_SELECT)
		v = io->select;
	else if (offset == WINDOW_DATA)
		v = read_register(io);
	(void) pthread_mutex_unlock(&io->lock); /* cannot fail */
	return v;
}

void ioapic_write(struct ioapic *io, uint64_t offset, uint32_t value)
{
	(void) pthread_mutex_lock(&io->lock); /* cannot fail */
	if (offset == WINDOW_SELECT)
		io->select = value & 0xFF;
	else if (offset == WINDOW_DATA)
		write_register(io, value);
	(void) pthread_mutex_unlock(&io->lock); /* cannot fail */
}

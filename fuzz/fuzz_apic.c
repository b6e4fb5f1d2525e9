/* SPDX-License-Identifier: MIT */
/**
 * DOC: interrupt controllers of processors in software
 *
 * The input is what hostile processors and devices do to local APICs and the I/O APIC: registers, messages, lines, time.
 * Nobody who does not exist is woken, and no vector is taken that cannot be.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "vmm/accel/soft/apic/ioapic.h"
#include "vmm/accel/soft/apic/lapic.h"

#define NR 4
#define STEPS_MAX 5000
#define STEP_LEN 12u /* bytes: kind, processor, register, value */

enum { STEP_READ, STEP_WRITE, STEP_MSR_READ, STEP_MSR_WRITE, STEP_IO_READ, STEP_IO_WRITE, STEP_LINE, STEP_MESSAGE, STEP_ACK,
       STEP_PRIORITY, STEP_TIMER, STEP_DEADLINE, STEP_EVENTS, STEP_INIT, STEP_N_ };

struct apics {
	struct lapic lapic[NR];
	struct ioapic io;
	struct apic_bus bus;
	uint64_t now;
};

static void wake(void *arg, unsigned index)
{
	(void) arg;
	if (index >= NR)
		abort();
}

static void eoi(void *arg, uint8_t vector)
{
	ioapic_eoi(&((struct apics *) arg)->io, vector);
}

static void ack(struct lapic *l)
{
	int pending = lapic_pending(l);

	if (pending >= 0 && (pending < 16 || pending > 255))
		abort();
	if (lapic_ack(l) != pending)
		abort();
}

static void step(struct apics *a, const uint8_t *p)
{
	struct lapic *l = &a->lapic[p[1] % NR];
	uint32_t reg;
	uint64_t value, got;

	memcpy(&value, p + 4, sizeof(value));
	reg = (uint32_t) p[2] | (uint32_t) p[3] << 8;
	switch (p[0] % STEP_N_) {
	case STEP_READ:
		(void) lapic_read(&a->bus, l, reg % 0x1000, a->now);
		break;
	case STEP_WRITE:
		lapic_write(&a->bus, l, reg % 0x1000, (uint32_t) value, a->now);
		break;
	case STEP_MSR_READ:
		(void) lapic_msr_read(&a->bus, l, p[0] & 0x80 ? LAPIC_MSR_BASE : LAPIC_MSR_X2 + reg % LAPIC_X2_REGS, a->now, &got);
		break;
	case STEP_MSR_WRITE:
		(void) lapic_msr_write(&a->bus, l, p[0] & 0x80 ? LAPIC_MSR_BASE : LAPIC_MSR_X2 + reg % LAPIC_X2_REGS, a->now, value);
		break;
	case STEP_IO_READ:
		(void) ioapic_read(&a->io, reg % IOAPIC_SIZE);
		break;
	case STEP_IO_WRITE:
		ioapic_write(&a->io, p[0] & 0x80 ? 0 : reg % IOAPIC_SIZE, (uint32_t) value);
		break;
	case STEP_LINE:
		ioapic_line(&a->io, reg, value & 1);
		break;
	case STEP_MESSAGE:
		(void) apic_send_msi(&a->bus, p[0] & 0x80 ? value : 0xFEE00000 | (value & 0xFFFFF), reg);
		break;
	case STEP_ACK:
		ack(l);
		break;
	case STEP_PRIORITY:
		lapic_tpr_set(l, (uint8_t) value & 15);
		(void) lapic_tpr(l);
		break;
	case STEP_TIMER:
		a->now += value % 10000000000;
		(void) lapic_timer_run(&a->bus, l, a->now);
		break;
	case STEP_DEADLINE:
		lapic_deadline_set(l, value);
		(void) lapic_deadline(l);
		break;
	case STEP_EVENTS:
		(void) lapic_events(l);
		break;
	default:
		if (value & 1)
			lapic_init(l);
		else
			lapic_reset(l);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct apics a = { .bus = { .nr = NR, .tsc_khz = 2000000, .wake = wake, .eoi = eoi }, .now = 1000000 };

	a.bus.lapic = a.lapic;
	a.bus.arg = &a;
	for (uint32_t i = 0; i < NR; i++) {
		a.lapic[i].id = i;
		lapic_reset(&a.lapic[i]);
		lapic_write(&a.bus, &a.lapic[i], 0xF0, 0x1FF, a.now);
	}
	ioapic_init(&a.io, &a.bus);
	for (int i = 0; i < STEPS_MAX && size >= STEP_LEN; i++) {
		step(&a, data);
		data += STEP_LEN;
		size -= STEP_LEN;
	}
	ioapic_fini(&a.io);
	return 0;
}

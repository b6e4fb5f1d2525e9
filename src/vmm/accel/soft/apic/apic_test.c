/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "vmm/accel/soft/apic/ioapic.h"
#include "vmm/accel/soft/apic/lapic.h"

#define NR 4
#define SVR 0xF0
#define EOI 0xB0
#define TPR 0x80
#define PPR 0xA0
#define ICR 0x300
#define ICR_HIGH 0x310
#define LVT_TIMER_REG 0x320

static struct lapic lapic[NR];
static unsigned woken[NR];
static int served;

static void wake(void *arg, unsigned index)
{
	(void) arg;
	woken[index]++;
}

static void eoi(void *arg, uint8_t vector)
{
	served = vector;
	if (arg != NULL)
		ioapic_eoi(arg, vector);
}

static struct apic_bus bus = { .lapic = lapic, .nr = NR, .tsc_khz = 2000000, .wake = wake, .eoi = eoi };

static void power_on(void)
{
	memset(woken, 0, sizeof(woken));
	bus.arg = NULL;
	served = -1;
	for (uint32_t i = 0; i < NR; i++) {
		lapic[i].id = i;
		lapic_reset(&lapic[i]);
		lapic_write(&bus, &lapic[i], SVR, 0x1FF, 0);
	}
}

static void to_x2(void)
{
	for (unsigned i = 0; i < NR; i++)
		assert_true(lapic_msr_write(&bus, &lapic[i], LAPIC_MSR_BASE, 0, lapic[i].base | LAPIC_BASE_X2) == 0);
}

static void test_apic_reset(void **state)
{
	uint64_t v;

	(void) state;
	power_on();
	lapic_reset(&lapic[0]);
	assert_true(lapic_read(&bus, &lapic[1], 0x20, 0) == 1u << 24);
	assert_true(lapic_read(&bus, &lapic[0], 0x30, 0) == 0x50014);
	assert_true(lapic_read(&bus, &lapic[0], SVR, 0) == 0xFF);
	assert_true(lapic_read(&bus, &lapic[0], 0xE0, 0) == UINT32_MAX);
	assert_true(lapic_read(&bus, &lapic[0], LVT_TIMER_REG, 0) == 0x10000);
	assert_true(lapic_msr_read(&bus, &lapic[0], LAPIC_MSR_BASE, 0, &v) == 0 && v == 0xFEE00900);
	assert_true(lapic_msr_read(&bus, &lapic[1], LAPIC_MSR_BASE, 0, &v) == 0 && v == 0xFEE00800);
	assert_true(lapic_msr_read(&bus, &lapic[0], 0x802, 0, &v) == -EINVAL);
	assert_true(lapic_pending(&lapic[0]) == -1);
}

static void test_apic_priorities(void **state)
{
	struct apic_message m = { .dest = 2, .vector = 0x41 };

	(void) state;
	power_on();
	assert_true(apic_send(&bus, &m) && woken[2] == 1 && woken[1] == 0);
	m.vector = 0x83;
	assert_true(apic_send(&bus, &m));
	assert_true(lapic_pending(&lapic[2]) == 0x83);
	assert_true(lapic_ack(&lapic[2]) == 0x83);
	assert_true(lapic_read(&bus, &lapic[2], PPR, 0) == 0x80);
	assert_true(lapic_pending(&lapic[2]) == -1);
	lapic_write(&bus, &lapic[2], EOI, 0, 0);
	assert_true(lapic_pending(&lapic[2]) == 0x41);
	lapic_tpr_set(&lapic[2], 4);
	assert_true(lapic_pending(&lapic[2]) == -1 && lapic_read(&bus, &lapic[2], TPR, 0) == 0x40);
	lapic_tpr_set(&lapic[2], 3);
	assert_true(lapic_ack(&lapic[2]) == 0x41 && lapic_tpr(&lapic[2]) == 3);
	assert_true(lapic_read(&bus, &lapic[2], 0x120, 0) == 2);
	lapic_write(&bus, &lapic[2], EOI, 0, 0);
	assert_true(lapic_read(&bus, &lapic[2], 0x120, 0) == 0 && served == -1);
}

static void test_apic_destinations(void **state)
{
	struct apic_message flat = { .dest = 0x6, .vector = 0x50, .logical = true };

	(void) state;
	power_on();
	for (unsigned i = 0; i < NR; i++)
		lapic_write(&bus, &lapic[i], 0xD0, 1u << (24 + i), 0);
	assert_true(apic_send(&bus, &flat));
	assert_true(woken[0] == 0 && woken[1] == 1 && woken[2] == 1 && woken[3] == 0);
	flat.mode = LAPIC_LOWEST;
	assert_true(apic_send(&bus, &flat) && woken[1] + woken[2] == 3);
	assert_true(apic_send_msi(&bus, 0xFEE00000 | 3 << 12, 0x60) && woken[3] == 1);
	assert_true(apic_send_msi(&bus, 0xFEE00000 | 0xFF << 12, 0x61) && woken[0] == 1 && woken[3] == 2);
	assert_true(!apic_send_msi(&bus, 0xFEE00000 | 9 << 12, 0x60));
	assert_true(!apic_send_msi(&bus, 0x1FEE00000, 0x60));
	assert_true(!apic_send_msi(&bus, 0xFEE00000, 0x0F));
	assert_true(!apic_send_msi(&bus, 0xFEE00000, 0x60 | LAPIC_STARTUP << 8));
}

static void test_apic_commands(void **state)
{
	(void) state;
	power_on();
	lapic_write(&bus, &lapic[0], ICR_HIGH, 1u << 24, 0);
	lapic_write(&bus, &lapic[0], ICR, 0xC500, 0); /* INIT, assert */
	assert_true(lapic_events(&lapic[1]) == LAPIC_EVENT_INIT && lapic_events(&lapic[1]) == 0);
	lapic_write(&bus, &lapic[0], ICR, 0x8500, 0); /* de-assert */
	assert_true(lapic_events(&lapic[1]) == 0);
	lapic_write(&bus, &lapic[0], ICR, 0x699, 0);
	lapic_write(&bus, &lapic[0], ICR, 0x6AA, 0);
	assert_true(lapic_events(&lapic[1]) == (LAPIC_EVENT_STARTUP | 0x99 << LAPIC_EVENT_VECTOR_SHIFT));
	lapic_write(&bus, &lapic[0], ICR, 0xC0000 | LAPIC_NMI << 8, 0); /* all others */
	assert_true(lapic_events(&lapic[0]) == 0 && lapic_events(&lapic[3]) == LAPIC_EVENT_NMI);
	lapic_write(&bus, &lapic[0], ICR, 0xC0000 | LAPIC_NMI << 8, 0);
	lapic_write(&bus, &lapic[1], ICR, 0xC0000 | LAPIC_NMI << 8, 0);
	assert_true(lapic_events(&lapic[3]) == (LAPIC_EVENT_NMI | LAPIC_EVENT_NMI_AGAIN));
	lapic_write(&bus, &lapic[3], ICR, 0x40000 | 0x77, 0); /* self */
	assert_true(lapic_pending(&lapic[3]) == 0x77 && lapic_pending(&lapic[2]) == -1);
	lapic_write(&bus, &lapic[3], ICR, 0x40005, 0); /* no such vector */
	lapic_write(&bus, &lapic[3], 0x280, 0, 0);
	assert_true(lapic_read(&bus, &lapic[3], 0x280, 0) == 0x20);
	lapic_write(&bus, &lapic[2], SVR, 0xFF, 0);
	lapic_write(&bus, &lapic[3], ICR_HIGH, 2u << 24, 0);
	lapic_write(&bus, &lapic[3], ICR, 0x66, 0); /* the receiver is off */
	assert_true(lapic_pending(&lapic[2]) == -1);
}

static void test_apic_x2(void **state)
{
	uint64_t v;

	(void) state;
	power_on();
	to_x2();
	assert_true(lapic_msr_read(&bus, &lapic[3], 0x802, 0, &v) == 0 && v == 3);
	assert_true(lapic_msr_read(&bus, &lapic[3], 0x80D, 0, &v) == 0 && v == 8);
	assert_true(lapic_msr_read(&bus, &lapic[3], 0x80B, 0, &v) == -EINVAL);
	assert_true(lapic_msr_read(&bus, &lapic[3], 0x831, 0, &v) == -EINVAL);
	assert_true(lapic_msr_write(&bus, &lapic[3], 0x802, 0, 1) == -EINVAL);
	assert_true(lapic_msr_write(&bus, &lapic[3], 0x80B, 0, 1) == -EINVAL);
	assert_true(lapic_msr_write(&bus, &lapic[3], 0x808, 0, 0x100) == -EINVAL);
	assert_true(lapic_msr_write(&bus, &lapic[3], 0x830, 0, 1ull << 32 | 0x55) == 0);
	assert_true(lapic_pending(&lapic[1]) == 0x55);
	assert_true(lapic_msr_write(&bus, &lapic[3], 0x83F, 0, 0x44) == 0 && lapic_pending(&lapic[3]) == 0x44);
	assert_true(lapic_ack(&lapic[3]) == 0x44 && lapic_msr_write(&bus, &lapic[3], 0x80B, 0, 0) == 0);
	assert_true(lapic_msr_write(&bus, &lapic[2], 0x830, 0, 0xFFFFFFFFull << 32 | 0x56) == 0);
	assert_true(lapic_pending(&lapic[0]) == 0x56 && lapic_pending(&lapic[2]) == 0x56);
	assert_true(lapic_msr_write(&bus, &lapic[2], LAPIC_MSR_BASE, 0, 0xFEE00800) == -EINVAL); /* x2 to x */
	assert_true(lapic_msr_write(&bus, &lapic[2], LAPIC_MSR_BASE, 0, 0xFEE00400) == -EINVAL);
	assert_true(lapic_msr_write(&bus, &lapic[2], LAPIC_MSR_BASE, 0, 0xFEE00801) == -EINVAL);
	assert_true(lapic_msr_write(&bus, &lapic[2], LAPIC_MSR_BASE, 0, 0xFEE00000) == 0);
	assert_true(lapic_pending(&lapic[2]) == -1);
	assert_true(lapic_msr_write(&bus, &lapic[2], LAPIC_MSR_BASE, 0, 0xFEE00C00) == -EINVAL); /* off to x2 */
}

static void test_apic_timer(void **state)
{
	struct lapic *l = &lapic[0];

	(void) state;
	power_on();
	lapic_write(&bus, l, LVT_TIMER_REG, 0x40, 0);
	lapic_write(&bus, l, 0x3E0, 0xB, 0); /* by 1 */
	lapic_write(&bus, l, 0x380, 1000, 5000); /* 1 us is 2000 time stamps */
	assert_true(lapic_timer_run(&bus, l, 6000) == 7000 && lapic_pending(l) == -1);
	assert_true(lapic_read(&bus, l, 0x390, 6000) == 500);
	assert_true(lapic_timer_run(&bus, l, 7001) == 0 && lapic_ack(l) == 0x40);
	assert_true(lapic_read(&bus, l, 0x390, 7001) == 0);
	lapic_write(&bus, l, EOI, 0, 0);
	lapic_write(&bus, l, LVT_TIMER_REG, 0x20041, 0);
	lapic_write(&bus, l, 0x3E0, 0x3, 0); /* by 16 */
	lapic_write(&bus, l, 0x380, 100000, 0);
	assert_true(lapic_timer_run(&bus, l, 3200010) == 6400000 && lapic_pending(l) == 0x41);
	assert_true(lapic_timer_run(&bus, l, 20000000) == 22400000);
	lapic_write(&bus, l, LVT_TIMER_REG, 0x41, 0); /* one shot, and periodic again: it goes on */
	lapic_write(&bus, l, LVT_TIMER_REG, 0x20041, 0);
	assert_true(lapic_timer_run(&bus, l, 22400000) == 25600000);
	lapic_write(&bus, l, LVT_TIMER_REG, 0x40042, 0); /* deadline: disarmed by the change */
	assert_true(lapic_timer_run(&bus, l, 1ull << 40) == 0 && lapic_ack(l) == 0x41);
	lapic_write(&bus, l, EOI, 0, 0);
	lapic_deadline_set(l, 900);
	assert_true(lapic_deadline(l) == 900 && lapic_timer_run(&bus, l, 899) == 900 && lapic_pending(l) == -1);
	assert_true(lapic_timer_run(&bus, l, 900) == 0 && lapic_pending(l) == 0x42 && lapic_deadline(l) == 0);
}

static void io_set(struct ioapic *io, unsigned pin, uint64_t entry)
{
	ioapic_write(io, 0, 0x11 + 2 * pin);
	ioapic_write(io, 0x10, (uint32_t) (entry >> 32));
	ioapic_write(io, 0, 0x10 + 2 * pin);
	ioapic_write(io, 0x10, (uint32_t) entry);
}

static void test_apic_io(void **state)
{
	struct ioapic io;

	(void) state;
	power_on();
	ioapic_init(&io, &bus);
	bus.arg = &io;
	ioapic_write(&io, 0, 1);
	assert_true(ioapic_read(&io, 0x10) == 0x170011);
	io_set(&io, 4, 1ull << 56 | 0x31);
	ioapic_line(&io, 4, true);
	ioapic_line(&io, 4, true); /* no second edge */
	assert_true(woken[1] == 1 && lapic_ack(&lapic[1]) == 0x31);
	lapic_write(&bus, &lapic[1], EOI, 0, 0);
	assert_true(served == -1 && lapic_pending(&lapic[1]) == -1);
	io_set(&io, 9, 2ull << 56 | 0x8000 | 0x32);
	ioapic_line(&io, 9, true);
	assert_true(woken[2] == 1 && lapic_ack(&lapic[2]) == 0x32);
	assert_true(ioapic_read(&io, 0x10) == (0x8000 | 0x4000 | 0x32));
	lapic_write(&bus, &lapic[2], EOI, 0, 0); /* the line is still high */
	assert_true(served == 0x32 && woken[2] == 2 && lapic_ack(&lapic[2]) == 0x32);
	ioapic_line(&io, 9, false);
	lapic_write(&bus, &lapic[2], EOI, 0, 0);
	assert_true(woken[2] == 2 && ioapic_read(&io, 0x10) == (0x8000 | 0x32));
	ioapic_line(&io, 24, true);
	ioapic_write(&io, 0, 0x40);
	assert_true(ioapic_read(&io, 0x10) == UINT32_MAX);
	ioapic_fini(&io);
}

/* What is saved and loaded is the same again, and a timer goes on from where it was. */
static void test_apic_page(void **state)
{
	uint8_t page[LAPIC_PAGE_SIZE], again[LAPIC_PAGE_SIZE];
	struct lapic *l = &lapic[1];

	(void) state;
	for (unsigned x2 = 0; x2 < 2; x2++) {
		power_on();
		if (x2)
			to_x2();
		lapic_write(&bus, l, TPR, 0x21, 0);
		lapic_write(&bus, l, LVT_TIMER_REG, 0x20040, 0);
		lapic_write(&bus, l, 0x380, 1000, 0);
		assert_true(apic_send(&bus, &(struct apic_message) { .dest = 1, .vector = 0x55 }) && lapic_ack(l) == 0x55);
		assert_true(apic_send(&bus, &(struct apic_message) { .dest = 1, .vector = 0x66, .level = true }));
		lapic_save(&bus, l, 500, page);
		assert_true(page[0x23] == 1);
		lapic_reset(l);
		assert_int_equal(lapic_load(&bus, l, l->base | (x2 ? LAPIC_BASE_X2 : 0), 10500, page), 0);
		lapic_save(&bus, l, 10500, again);
		assert_memory_equal(page, again, sizeof(page));
		assert_int_equal(lapic_ack(l), 0x66);
		page[0x23] = 2;
		assert_int_equal(lapic_load(&bus, l, l->base, 0, page), -EINVAL);
	}
	assert_int_equal(lapic_load(&bus, &lapic[2], LAPIC_BASE | LAPIC_BASE_X2, 0, page), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apic_reset),
		cmocka_unit_test(test_apic_priorities),
		cmocka_unit_test(test_apic_destinations),
		cmocka_unit_test(test_apic_commands),
		cmocka_unit_test(test_apic_x2),
		cmocka_unit_test(test_apic_timer),
		cmocka_unit_test(test_apic_io),
		cmocka_unit_test(test_apic_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

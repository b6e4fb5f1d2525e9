/* SPDX-License-Identifier: MIT */
/**
 * DOC: CMOS clock
 *
 * Stock kernels poll for a second when nobody answers at these ports, so the clock is always there.
 * Time is the host's plus what the guest made of it; alarms and periodic interrupts never come.
 * Spec: MC146818A data sheet.
 */
#include "vmm/dev/legacy/rtc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "vmm/core/dev.h"
#include "vmm/core/vm.h"

#define PORT 0x70
#define CELLS 128 /* bytes of memory, the clock's registers first */

enum { SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY, MONTH, YEAR, A, B, C, D };

#define CENTURY 0x32
#define A_RATE 0x26 /* 32768 Hz, 1024 Hz periodic */
#define A_BUSY 0x80
#define B_24H 0x02
#define B_BINARY 0x04
#define B_SET 0x80
#define D_VALID 0x80

struct rtc {
	struct dev dev;
	int64_t offset; /* seconds that the guest's clock is ahead */
	uint8_t index;
	uint8_t cell[CELLS];
};

static uint8_t encode(const struct rtc *r, int v)
{
	return (uint8_t) (r->cell[B] & B_BINARY ? v : (v / 10) << 4 | v % 10);
}

static int decode(const struct rtc *r, uint8_t v)
{
	return r->cell[B] & B_BINARY ? v : (v >> 4) * 10 + (v & 15);
}

static uint8_t encode_hour(const struct rtc *r, int hour)
{
	if (r->cell[B] & B_24H)
		return encode(r, hour);
	return (uint8_t) (encode(r, hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? 0x80 : 0));
}

static int decode_hour(const struct rtc *r, uint8_t v)
{
	if (r->cell[B] & B_24H)
		return decode(r, v);
	return decode(r, v & 0x7F) % 12 + (v & 0x80 ? 12 : 0);
}

/* Bring the clock's registers up to date. */
static void show_time(struct rtc *r)
{
	time_t now = time(NULL) + r->offset;
	struct tm t;

	if ((r->cell[B] & B_SET) || gmtime_r(&now, &t) == NULL)
		return;
	r->cell[SECONDS] = encode(r, t.tm_sec);
	r->cell[MINUTES] = encode(r, t.tm_min);
	r->cell[HOURS] = encode_hour(r, t.tm_hour);
	r->cell[WEEKDAY] = encode(r, t.tm_wday + 1);
	r->cell[DAY] = encode(r, t.tm_mday);
	r->cell[MONTH] = encode(r, t.tm_mon + 1);
	r->cell[YEAR] = encode(r, t.tm_year % 100);
	r->cell[CENTURY] = encode(r, (t.tm_year + 1900) / 100);
}

/* The guest has set the clock's registers: note how far they are from the host's time. */
static void take_time(struct rtc *r)
{
	struct tm t = {
		.tm_sec = decode(r, r->cell[SECONDS]),
		.tm_min = decode(r, r->cell[MINUTES]),
		.tm_hour = decode_hour(r, r->cell[HOURS]),
		.tm_mday = decode(r, r->cell[DAY]),
		.tm_mon = decode(r, r->cell[MONTH]) - 1,
		.tm_year = decode(r, r->cell[CENTURY]) * 100 + decode(r, r->cell[YEAR]) - 1900,
	};
	time_t then = timegm(&t);

	if (then != (time_t) -1)
		r->offset = then - time(NULL);
}

static uint64_t rtc_read(void *dev, uint64_t offset, unsigned size)
{
	struct rtc *r = dev;

	if (size != 1 || offset == 0)
		return UINT64_MAX;
	show_time(r);
	return r->cell[r->index];
}

static void write_cell(struct rtc *r, uint8_t v)
{
	bool was_set = r->cell[B] & B_SET;

	switch (r->index) {
	case A:
		r->cell[A] = v & (uint8_t) ~A_BUSY;
		return;
	case C:
	case D:
		return;
	case B:
		show_time(r);
		if (was_set && !(v & B_SET))
			take_time(r);
		r->cell[B] = v;
		return;
	default:
		show_time(r);
		r->cell[r->index] = v;
		if (!was_set && (r->index <= YEAR || r->index == CENTURY))
			take_time(r);
	}
}

static void rtc_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
	struct rtc *r = dev;

	if (size != 1)
		return;
	if (offset == 0)
		r->index = value & (CELLS - 1); /* the top bit masks NMI, which there is none of */
	else
		write_cell(r, (uint8_t) value);
}

static const struct bus_ops rtc_bus = { .read = rtc_read, .write = rtc_write };

/* The battery keeps the memory and the time over a reset. */
static void rtc_reset(struct dev *d)
{
	struct rtc *r = (struct rtc *) d;

	r->index = 0;
	r->cell[A] = A_RATE;
	r->cell[B] = B_24H;
	r->cell[C] = 0;
	r->cell[D] = D_VALID;
}

static void rtc_free(struct vm *vm, struct dev *d)
{
	bus_remove(&vm->pio, PORT, d);
	free(d);
}

static const struct dev_ops rtc_ops = { .name = "rtc", .reset = rtc_reset, .free = rtc_free };

int rtc_add(struct vm *vm, struct err *err)
{
	struct rtc *r = calloc(1, sizeof(*r));
	int e;

	if (r == NULL)
		return err_set(err, -ENOMEM, "make clock");
	dev_add(vm, &r->dev, &rtc_ops);
	e = bus_add(&vm->pio, PORT, 2, &rtc_bus, r);
	if (e < 0)
		return err_set(err, e, "give ports to the clock");
	rtc_reset(&r->dev);
	return 0;
}

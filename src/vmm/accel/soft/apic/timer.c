/* SPDX-License-Identifier: MIT */
/**
 * DOC: a local APIC's timer
 *
 * It does not tick: what is kept is the host time stamp at which it fires, for all three modes.
 */
#include "vmm/accel/soft/apic/lapic_priv.h"

#define PERIOD_MIN_US 20 /* of a periodic timer: a shorter one would leave no time for anything else */

static unsigned divider(const struct lapic *l)
{
	unsigned code = (l->divide & 3) | (l->divide >> 1 & 4);

	return code == 7 ? 1 : 2u << code;
}

/* Time stamps that @count steps of the timer take. */
static uint64_t stamps(const struct apic_bus *bus, const struct lapic *l, uint64_t count)
{
	return (uint64_t) ((unsigned __int128) count * divider(l) * bus->tsc_khz / LAPIC_TIMER_KHZ);
}

static uint64_t period(const struct apic_bus *bus, const struct lapic *l)
{
	uint64_t min = (uint64_t) bus->tsc_khz * PERIOD_MIN_US / 1000, len = stamps(bus, l, l->count);

	return len < min ? min : len;
}

void lapic_timer_start(struct apic_bus *bus, struct lapic *l, uint64_t tsc)
{
	uint32_t mode = LVT_TIMER_MODE(l->lvt[LVT_TIMER]);
	uint64_t len = stamps(bus, l, l->count);

	if (mode == TIMER_DEADLINE)
		return;
	l->expiry = l->period = 0;
	if (l->count == 0)
		return;
	if (mode == TIMER_PERIODIC)
		l->period = len = period(bus, l);
	l->expiry = tsc + (len > 0 ? len : 1);
}

void lapic_timer_resume(struct apic_bus *bus, struct lapic *l, uint64_t tsc, uint32_t count, uint32_t current)
{
	uint64_t len = stamps(bus, l, current);

	if (LVT_TIMER_MODE(l->lvt[LVT_TIMER]) == TIMER_DEADLINE)
		return;
	l->count = count;
	lapic_timer_start(bus, l, tsc);
	if (l->expiry != 0 && current < count)
		l->expiry = current == 0 && l->period == 0 ? 0 : tsc + (len > 0 ? len : 1);
}

void lapic_timer_mode(const struct apic_bus *bus, struct lapic *l, uint32_t old)
{
	uint32_t mode = LVT_TIMER_MODE(l->lvt[LVT_TIMER]);

	if (LVT_TIMER_MODE(old) == mode)
		return;
	if (LVT_TIMER_MODE(old) == TIMER_DEADLINE || mode == TIMER_DEADLINE)
		l->expiry = l->count = 0;
	l->period = mode == TIMER_PERIODIC && l->expiry != 0 ? period(bus, l) : 0;
}

uint32_t lapic_timer_current(const struct apic_bus *bus, const struct lapic *l, uint64_t tsc)
{
	uint64_t unit = (uint64_t) bus->tsc_khz * divider(l), left;

	if (l->expiry == 0 || LVT_TIMER_MODE(l->lvt[LVT_TIMER]) == TIMER_DEADLINE)
		return 0;
	if (tsc >= l->expiry && l->period == 0)
		return 0;
	left = tsc < l->expiry ? l->expiry - tsc : l->period - (tsc - l->expiry) % l->period;
	left = (uint64_t) ((unsigned __int128) left * LAPIC_TIMER_KHZ / unit);
	return left < l->count ? (uint32_t) left : l->count;
}

uint64_t lapic_deadline(const struct lapic *l)
{
	return LVT_TIMER_MODE(l->lvt[LVT_TIMER]) == TIMER_DEADLINE ? l->expiry : 0;
}

void lapic_deadline_set(struct lapic *l, uint64_t tsc)
{
	if (LVT_TIMER_MODE(l->lvt[LVT_TIMER]) == TIMER_DEADLINE)
		l->expiry = tsc;
}

uint64_t lapic_timer_run(struct apic_bus *bus, struct lapic *l, uint64_t tsc)
{
	uint32_t lvt = l->lvt[LVT_TIMER];

	if (l->expiry == 0 || tsc < l->expiry)
		return l->expiry;
	if (l->period > 0) /* what was missed is lost, as when the interrupt stays requested */
		l->expiry += l->period * (1 + (tsc - l->expiry) / l->period);
	else
		l->expiry = 0;
	if (!(lvt & LVT_MASKED) && (uint8_t) lvt < 16)
		lapic_error(bus, l, ESR_RECEIVE_ILLEGAL);
	else if (!(lvt & LVT_MASKED))
		(void) lapic_accept(l, LAPIC_FIXED, (uint8_t) lvt, false); /* disabled: nothing to tell */
	return l->expiry;
}

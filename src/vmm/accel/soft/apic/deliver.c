/* SPDX-License-Identifier: MIT */
/**
 * DOC: messages between APICs
 *
 * Whoever sends sets bits in the receiver's memory and wakes its processor: no lock, nobody waits.
 */
#include <stddef.h>

#include "vmm/accel/soft/apic/lapic_priv.h"

#define ALL 0xFFu /* destination: everybody, if the receiver is no x2APIC */
#define ALL_X2 0xFFFFFFFFu

#define MSI_REGION 0xFEEull /* bits 20 to 31 of the address, all above are 0 */
#define MSI_LOGICAL (1u << 2)
#define MSI_LEVEL (1u << 15)

static void set_bit(uint32_t *words, uint8_t n)
{
	(void) __atomic_fetch_or(&words[n / 32], 1u << n % 32, __ATOMIC_SEQ_CST);
}

static void clear_bit(uint32_t *words, uint8_t n)
{
	(void) __atomic_fetch_and(&words[n / 32], ~(1u << n % 32), __ATOMIC_SEQ_CST);
}

bool lapic_accept(struct lapic *l, enum lapic_mode mode, uint8_t vector, bool level)
{
	uint32_t startup = LAPIC_EVENT_STARTUP | (uint32_t) vector << LAPIC_EVENT_VECTOR_SHIFT;

	if (!(__atomic_load_n(&l->base, __ATOMIC_RELAXED) & LAPIC_BASE_ENABLE))
		return false;
	switch (mode) {
	case LAPIC_FIXED:
	case LAPIC_LOWEST:
		if (!(__atomic_load_n(&l->svr, __ATOMIC_RELAXED) & SVR_ENABLE) || vector < 16)
			return false;
		if (level)
			set_bit(l->tmr, vector);
		else
			clear_bit(l->tmr, vector);
		set_bit(l->irr, vector);
		return true;
	case LAPIC_NMI:
		if (__atomic_fetch_or(&l->events, LAPIC_EVENT_NMI, __ATOMIC_SEQ_CST) & LAPIC_EVENT_NMI)
			(void) __atomic_fetch_or(&l->events, LAPIC_EVENT_NMI_AGAIN, __ATOMIC_SEQ_CST);
		return true;
	case LAPIC_INIT: /* what was to start it before does not count any more */
		(void) __atomic_fetch_and(&l->events, LAPIC_EVENT_NMI | LAPIC_EVENT_NMI_AGAIN, __ATOMIC_SEQ_CST);
		(void) __atomic_fetch_or(&l->events, LAPIC_EVENT_INIT, __ATOMIC_SEQ_CST);
		return true;
	case LAPIC_STARTUP:
		if (__atomic_load_n(&l->events, __ATOMIC_SEQ_CST) & LAPIC_EVENT_STARTUP)
			return false; /* the first one wins */
		(void) __atomic_fetch_or(&l->events, startup, __ATOMIC_SEQ_CST);
		return true;
	default:
		return false; /* no system management mode, no legacy controller */
	}
}

/* Logical destination of an xAPIC. */
static bool matches_logical(const struct lapic *l, uint8_t dest)
{
	uint8_t ldr = (uint8_t) (__atomic_load_n(&l->ldr, __ATOMIC_RELAXED) >> 24);

	if (__atomic_load_n(&l->dfr, __ATOMIC_RELAXED) >> 28 == 0xF)
		return ldr & dest;
	return ldr >> 4 == dest >> 4 && (ldr & dest & 0xF);
}

static bool matches(const struct lapic *l, uint32_t dest, bool logical)
{
	uint64_t base = __atomic_load_n(&l->base, __ATOMIC_RELAXED);
	uint32_t own = (l->id >> 4) << 16 | 1u << (l->id & 15);

	if (dest == ALL_X2)
		return true;
	if (!(base & LAPIC_BASE_X2))
		return dest == ALL || (dest < ALL && (logical ? matches_logical(l, (uint8_t) dest) : dest == l->id));
	if (!logical)
		return dest == l->id;
	return dest >> 16 == own >> 16 && (dest & own & 0xFFFF);
}

static bool is_enabled(const struct lapic *l)
{
	return (__atomic_load_n(&l->base, __ATOMIC_RELAXED) & LAPIC_BASE_ENABLE) &&
	       (__atomic_load_n(&l->svr, __ATOMIC_RELAXED) & SVR_ENABLE);
}

/* One of those that match; vectors are spread over them.  NULL if there is none. */
static struct lapic *choose(const struct apic_bus *bus, const struct apic_message *m)
{
	unsigned n = 0, want;

	for (unsigned i = 0; i < bus->nr; i++)
		n += is_enabled(&bus->lapic[i]) && matches(&bus->lapic[i], m->dest, m->logical);
	if (n == 0)
		return NULL;
	want = m->vector % n;
	for (unsigned i = 0; i < bus->nr; i++)
		if (is_enabled(&bus->lapic[i]) && matches(&bus->lapic[i], m->dest, m->logical) && want-- == 0)
			return &bus->lapic[i];
	return NULL; /* somebody was disabled meanwhile */
}

static bool give(struct apic_bus *bus, struct lapic *l, const struct apic_message *m)
{
	if (!lapic_accept(l, m->mode, m->vector, m->level))
		return false;
	bus->wake(bus->arg, (unsigned) (l - bus->lapic));
	return true;
}

bool apic_send(struct apic_bus *bus, const struct apic_message *m)
{
	bool got = false;

	if (m->mode == LAPIC_LOWEST) {
		struct lapic *l = choose(bus, m);

		return l != NULL && give(bus, l, m);
	}
	for (unsigned i = 0; i < bus->nr; i++)
		if (matches(&bus->lapic[i], m->dest, m->logical))
			got = give(bus, &bus->lapic[i], m) || got;
	return got;
}

bool apic_send_msi(struct apic_bus *bus, uint64_t addr, uint32_t data)
{
	struct apic_message m = { .dest = addr >> 12 & 0xFF,
				  .mode = (enum lapic_mode) (data >> 8 & 7),
				  .vector = (uint8_t) data,
				  .logical = addr & MSI_LOGICAL,
				  .level = data & MSI_LEVEL };

	if (addr >> 20 != MSI_REGION || m.mode == LAPIC_STARTUP)
		return false;
	if (m.dest == ALL)
		m.dest = ALL_X2; /* an 8-bit destination means everybody, x2APIC or not */
	return apic_send(bus, &m);
}

/* Everybody, with or without the sender. */
static void broadcast(struct apic_bus *bus, const struct lapic *l, const struct apic_message *m, bool self)
{
	for (unsigned i = 0; i < bus->nr; i++)
		if (self || &bus->lapic[i] != l)
			(void) give(bus, &bus->lapic[i], m); /* who is disabled gets nothing */
}

void lapic_command(struct apic_bus *bus, struct lapic *l)
{
	uint32_t low = (uint32_t) l->icr, high = (uint32_t) (l->icr >> 32);
	struct apic_message m = { .dest = lapic_is_x2(l) ? high : high >> 24,
				  .mode = (enum lapic_mode) (low >> 8 & 7),
				  .vector = (uint8_t) low,
				  .logical = low & 1u << 11,
				  .level = low & 1u << 15 };

	if (m.mode == LAPIC_INIT && m.level && !(low & 1u << 14))
		return; /* "de-assert": nothing on these processors */
	if ((m.mode == LAPIC_FIXED || m.mode == LAPIC_LOWEST) && m.vector < 16) {
		lapic_error(bus, l, ESR_SEND_ILLEGAL);
		return;
	}
	m.level = false; /* of interrupt commands, they are edges */
	switch (low >> 18 & 3) {
	case 0:
		if (!lapic_is_x2(l) && m.dest == ALL)
			m.dest = ALL_X2;
		(void) apic_send(bus, &m); /* nobody there: nobody hears */
		break;
	case 1:
		if (m.mode == LAPIC_FIXED || m.mode == LAPIC_NMI)
			(void) give(bus, l, &m);
		break;
	case 2:
		broadcast(bus, l, &m, m.mode == LAPIC_FIXED || m.mode == LAPIC_NMI);
		break;
	default:
		broadcast(bus, l, &m, false);
		break;
	}
}

uint32_t lapic_events(struct lapic *l)
{
	if (__atomic_load_n(&l->events, __ATOMIC_RELAXED) == 0)
		return 0;
	return __atomic_exchange_n(&l->events, 0, __ATOMIC_SEQ_CST);
}

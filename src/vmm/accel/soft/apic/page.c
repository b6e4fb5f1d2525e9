/* SPDX-License-Identifier: MIT */
/**
 * DOC: a local APIC as the page of its registers, to save it and to load it
 */
#include <errno.h>
#include <string.h>

#include "vmm/accel/soft/apic/lapic_priv.h"

/* Registers that are loaded by writing them, which masks what is reserved; the one that enables it comes first. */
static const uint16_t written[] = {
	REG_SVR, REG_TPR, REG_LVT_TIMER, REG_LVT_THERMAL, REG_LVT_PERF, REG_LVT_LINT0, REG_LVT_LINT1, REG_LVT_ERROR, REG_DIVIDE,
};

static uint32_t get(const uint8_t *page, uint32_t offset)
{
	uint32_t v;

	memcpy(&v, page + offset, sizeof(v));
	return v;
}

void lapic_save(struct apic_bus *bus, struct lapic *l, uint64_t tsc, uint8_t page[LAPIC_PAGE_SIZE])
{
	memset(page, 0, LAPIC_PAGE_SIZE);
	for (uint32_t offset = 0; offset < LAPIC_PAGE_SIZE; offset += 16) {
		uint32_t v = offset == REG_ID ? l->id << 24 : lapic_register(bus, l, offset, tsc);

		memcpy(page + offset, &v, sizeof(v));
	}
}

int lapic_load(struct apic_bus *bus, struct lapic *l, uint64_t base, uint64_t tsc, const uint8_t page[LAPIC_PAGE_SIZE])
{
	uint64_t mode = base & (LAPIC_BASE_ENABLE | LAPIC_BASE_X2);

	if (base & ~(LAPIC_BASE_ADDRESS | LAPIC_BASE_BSP | LAPIC_BASE_X2 | LAPIC_BASE_ENABLE) || mode == LAPIC_BASE_X2 ||
	    get(page, REG_ID) >> 24 != l->id)
		return -EINVAL;
	__atomic_store_n(&l->base, base, __ATOMIC_RELAXED);
	__atomic_store_n(&l->events, 0, __ATOMIC_SEQ_CST);
	lapic_init(l);
	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++)
		lapic_write(bus, l, written[i], get(page, written[i]), tsc);
	if (!lapic_is_x2(l)) { /* else it follows from the number */
		lapic_write(bus, l, REG_LDR, get(page, REG_LDR), tsc);
		lapic_write(bus, l, REG_DFR, get(page, REG_DFR), tsc);
	}
	l->esr = get(page, REG_ESR) & 0xFF;
	l->icr = get(page, REG_ICR) & 0xCCFFF;
	l->icr |= (uint64_t) (get(page, REG_ICR_HIGH) & (lapic_is_x2(l) ? UINT32_MAX : 0xFF000000)) << 32;
	for (unsigned i = 0; i < 8; i++) {
		uint32_t valid = i == 0 ? 0xFFFF0000 : UINT32_MAX;

		l->isr[i] = get(page, REG_ISR + i * 16) & valid;
		__atomic_store_n(&l->tmr[i], get(page, REG_TMR + i * 16) & valid, __ATOMIC_SEQ_CST);
		__atomic_store_n(&l->irr[i], get(page, REG_IRR + i * 16) & valid, __ATOMIC_SEQ_CST);
	}
	lapic_timer_resume(bus, l, tsc, get(page, REG_COUNT), get(page, REG_CURRENT));
	return 0;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: a local APIC's registers
 *
 * Both faces, the page and the x2APIC's MSRs, are the same registers; what is reserved is ignored in the
 * page and a fault in an MSR.
 */
#include "vmm/accel/soft/apic/lapic.h"

#include <errno.h>
#include <string.h>

#include "vmm/accel/soft/apic/lapic_priv.h"

#define VERSION (0x14u | (N_LVTS_ - 1) << 16)

/* What can be written in each entry of the local vector table. */
static const uint32_t lvt_mask[N_LVTS_] = {
	[LVT_TIMER] = 0x700FF,	 [LVT_THERMAL] = 0x107FF, [LVT_PERF] = 0x107FF,
	[LVT_LINT0] = 0x1A7FF, [LVT_LINT1] = 0x1A7FF,	[LVT_ERROR] = 0x100FF,
};

void lapic_init(struct lapic *l)
{
	__atomic_store_n(&l->svr, 0xFF, __ATOMIC_RELAXED);
	__atomic_store_n(&l->dfr, UINT32_MAX, __ATOMIC_RELAXED);
	__atomic_store_n(&l->ldr, lapic_is_x2(l) ? (l->id >> 4) << 16 | 1u << (l->id & 15) : 0, __ATOMIC_RELAXED);
	l->tpr = l->esr = l->errors = l->count = l->divide = 0;
	l->icr = l->expiry = l->period = 0;
	for (unsigned i = 0; i < N_LVTS_; i++)
		l->lvt[i] = LVT_MASKED;
	for (unsigned i = 0; i < 8; i++) {
		l->isr[i] = 0;
		__atomic_store_n(&l->irr[i], 0, __ATOMIC_SEQ_CST);
		__atomic_store_n(&l->tmr[i], 0, __ATOMIC_SEQ_CST);
	}
}

void lapic_reset(struct lapic *l)
{
	l->base = LAPIC_BASE | LAPIC_BASE_ENABLE | (l->id == 0 ? LAPIC_BASE_BSP : 0);
	__atomic_store_n(&l->events, 0, __ATOMIC_SEQ_CST);
	lapic_init(l);
}

/* The highest bit that is set, -1 for none. */
static int highest(const uint32_t *words)
{
	for (int i = 7; i >= 0; i--) {
		uint32_t w = __atomic_load_n(&words[i], __ATOMIC_SEQ_CST);

		if (w != 0)
			return i * 32 + 31 - __builtin_clz(w);
	}
	return -1;
}

uint8_t lapic_ppr(const struct lapic *l)
{
	int isr = highest(l->isr);
	uint32_t in_service = isr < 0 ? 0 : (uint32_t) isr;

	return (uint8_t) (l->tpr >> 4 >= in_service >> 4 ? l->tpr : in_service & 0xF0);
}

int lapic_pending(const struct lapic *l)
{
	int irr = highest(l->irr);

	if (irr < 0 || !(l->base & LAPIC_BASE_ENABLE))
		return -1;
	return irr >> 4 > lapic_ppr(l) >> 4 ? irr : -1;
}

int lapic_ack(struct lapic *l)
{
	int v = lapic_pending(l);

	if (v < 0)
		return -1;
	(void) __atomic_fetch_and(&l->irr[v / 32], ~(1u << v % 32), __ATOMIC_SEQ_CST);
	l->isr[v / 32] |= 1u << v % 32;
	return v;
}

void lapic_eoi(struct apic_bus *bus, struct lapic *l)
{
	int v = highest(l->isr);

	if (v < 0)
		return;
	l->isr[v / 32] &= ~(1u << v % 32);
	if (__atomic_load_n(&l->tmr[v / 32], __ATOMIC_SEQ_CST) & 1u << v % 32)
		bus->eoi(bus->arg, (uint8_t) v);
}

void lapic_error(struct apic_bus *bus, struct lapic *l, uint32_t bit)
{
	uint32_t lvt = l->lvt[LVT_ERROR];

	(void) bus;
	l->errors |= bit;
	if (!(lvt & LVT_MASKED) && (uint8_t) lvt >= 16)
		(void) lapic_accept(l, LAPIC_FIXED, (uint8_t) lvt, false); /* disabled: nothing to tell */
}

uint8_t lapic_tpr(const struct lapic *l)
{
	return (uint8_t) (l->tpr >> 4);
}

void lapic_tpr_set(struct lapic *l, uint8_t cr8)
{
	l->tpr = (uint32_t) (cr8 & 0xF) << 4;
}

/* Whether both faces have a register there. */
static bool exists(uint32_t offset)
{
	if (offset >= REG_ISR && offset < REG_ESR)
		return true;
	if (offset >= REG_LVT_TIMER && offset <= REG_CURRENT)
		return true;
	switch (offset) {
	case REG_ID:
	case REG_VERSION:
	case REG_TPR:
	case REG_PPR:
	case REG_LDR:
	case REG_SVR:
	case REG_ESR:
	case REG_ICR:
	case REG_DIVIDE:
		return true;
	default:
		return false;
	}
}

uint32_t lapic_register(const struct apic_bus *bus, const struct lapic *l, uint32_t offset, uint64_t tsc)
{
	if (offset >= REG_ISR && offset < REG_TMR)
		return l->isr[(offset - REG_ISR) / 16];
	if (offset >= REG_TMR && offset < REG_IRR)
		return __atomic_load_n(&l->tmr[(offset - REG_TMR) / 16], __ATOMIC_SEQ_CST);
	if (offset >= REG_IRR && offset < REG_ESR)
		return __atomic_load_n(&l->irr[(offset - REG_IRR) / 16], __ATOMIC_SEQ_CST);
	if (offset >= REG_LVT_TIMER && offset <= REG_LVT_ERROR)
		return l->lvt[(offset - REG_LVT_TIMER) / 16];
	switch (offset) {
	case REG_ID:
		return lapic_is_x2(l) ? l->id : l->id << 24;
	case REG_VERSION:
		return VERSION;
	case REG_TPR:
		return l->tpr;
	case REG_PPR:
		return lapic_ppr(l);
	case REG_LDR:
		return l->ldr;
	case REG_DFR:
		return l->dfr;
	case REG_SVR:
		return l->svr;
	case REG_ESR:
		return l->esr;
	case REG_ICR:
		return (uint32_t) l->icr;
	case REG_ICR_HIGH:
		return (uint32_t) (l->icr >> 32);
	case REG_COUNT:
		return l->count;
	case REG_CURRENT:
		return lapic_timer_current(bus, l, tsc);
	case REG_DIVIDE:
		return l->divide;
	default:
		return 0;
	}
}

uint32_t lapic_read(struct apic_bus *bus, struct lapic *l, uint32_t offset, uint64_t tsc)
{
	if (offset & 15 || (!exists(offset) && offset != REG_DFR && offset != REG_ICR_HIGH && offset != REG_APR &&
			    offset != REG_EOI)) {
		lapic_error(bus, l, ESR_REGISTER);
		return 0;
	}
	return lapic_register(bus, l, offset, tsc);
}

static void write_lvt(const struct apic_bus *bus, struct lapic *l, unsigned n, uint32_t value)
{
	uint32_t old = l->lvt[n];

	value &= lvt_mask[n];
	if (!(l->svr & SVR_ENABLE))
		value |= LVT_MASKED;
	l->lvt[n] = value;
	if (n == LVT_TIMER)
		lapic_timer_mode(bus, l, old);
}

static void write_svr(struct lapic *l, uint32_t value)
{
	__atomic_store_n(&l->svr, value & 0x3FF, __ATOMIC_RELAXED);
	if (!(value & SVR_ENABLE))
		for (unsigned i = 0; i < N_LVTS_; i++)
			l->lvt[i] |= LVT_MASKED;
}

/* Registers that both faces write alike. */
static void write_register(struct apic_bus *bus, struct lapic *l, uint32_t offset, uint32_t value, uint64_t tsc)
{
	if (offset >= REG_LVT_TIMER && offset <= REG_LVT_ERROR) {
		write_lvt(bus, l, (offset - REG_LVT_TIMER) / 16, value);
		return;
	}
	switch (offset) {
	case REG_TPR:
		l->tpr = value & 0xFF;
		break;
	case REG_EOI:
		lapic_eoi(bus, l);
		break;
	case REG_SVR:
		write_svr(l, value);
		break;
	case REG_ESR:
		l->esr = l->errors;
		l->errors = 0;
		break;
	case REG_COUNT:
		if (LVT_TIMER_MODE(l->lvt[LVT_TIMER]) == TIMER_DEADLINE)
			break;
		l->count = value;
		lapic_timer_start(bus, l, tsc);
		break;
	case REG_DIVIDE:
		l->divide = value & 0xB;
		break;
	default:
		lapic_error(bus, l, ESR_REGISTER);
		break;
	}
}

void lapic_write(struct apic_bus *bus, struct lapic *l, uint32_t offset, uint32_t value, uint64_t tsc)
{
	if (offset & 15)
		return;
	switch (offset) {
	case REG_ID:
		break; /* as on processors that have an x2APIC */
	case REG_LDR:
		__atomic_store_n(&l->ldr, value & 0xFF000000, __ATOMIC_RELAXED);
		break;
	case REG_DFR:
		__atomic_store_n(&l->dfr, value | 0x0FFFFFFF, __ATOMIC_RELAXED);
		break;
	case REG_ICR:
		l->icr = (l->icr & 0xFFFFFFFF00000000) | (value & 0xCCFFF);
		lapic_command(bus, l);
		break;
	case REG_ICR_HIGH:
		l->icr = (uint64_t) (value & 0xFF000000) << 32 | (uint32_t) l->icr;
		break;
	default:
		write_register(bus, l, offset, value, tsc);
		break;
	}
}

static int read_x2(struct apic_bus *bus, struct lapic *l, uint32_t offset, uint64_t tsc, uint64_t *ret)
{
	if (!lapic_is_x2(l) || !exists(offset))
		return -EINVAL;
	*ret = offset == REG_ICR ? l->icr : lapic_register(bus, l, offset, tsc);
	return 0;
}

int lapic_msr_read(struct apic_bus *bus, struct lapic *l, uint32_t msr, uint64_t tsc, uint64_t *ret)
{
	if (msr != LAPIC_MSR_BASE)
		return read_x2(bus, l, (msr - LAPIC_MSR_X2) * 16, tsc, ret);
	*ret = l->base;
	return 0;
}

/* Bits that may be set in an MSR; -1 for one that cannot be written. */
static int64_t x2_mask(uint32_t offset)
{
	if (offset >= REG_LVT_TIMER && offset <= REG_LVT_ERROR)
		return lvt_mask[(offset - REG_LVT_TIMER) / 16] | 0x1000; /* delivery status: ignored */
	switch (offset) {
	case REG_TPR:
	case REG_SELF:
		return 0xFF;
	case REG_EOI:
	case REG_ESR:
		return 0;
	case REG_SVR:
		return 0x3FF;
	case REG_COUNT:
		return 0xFFFFFFFF;
	case REG_DIVIDE:
		return 0xB;
	default:
		return -1;
	}
}

static int write_x2(struct apic_bus *bus, struct lapic *l, uint32_t offset, uint64_t tsc, uint64_t value)
{
	int64_t mask = x2_mask(offset);

	if (!lapic_is_x2(l))
		return -EINVAL;
	if (offset == REG_ICR) {
		if (value & 0xFFF32000)
			return -EINVAL;
		l->icr = value & ~0x1000ull;
		lapic_command(bus, l);
		return 0;
	}
	if (mask < 0 || (value & ~(uint64_t) mask) != 0)
		return -EINVAL;
	if (offset == REG_SELF) {
		l->icr = 1u << 18 | value;
		lapic_command(bus, l);
		return 0;
	}
	write_register(bus, l, offset, (uint32_t) value, tsc);
	return 0;
}

static int write_base(struct lapic *l, uint64_t value)
{
	uint64_t old = l->base & (LAPIC_BASE_ENABLE | LAPIC_BASE_X2), new = value & (LAPIC_BASE_ENABLE | LAPIC_BASE_X2);
	uint64_t bsp = l->base & LAPIC_BASE_BSP;

	if (value & ~(LAPIC_BASE_ADDRESS | LAPIC_BASE_BSP | LAPIC_BASE_X2 | LAPIC_BASE_ENABLE))
		return -EINVAL;
	if (new == LAPIC_BASE_X2)
		return -EINVAL;
	if (old != new && new == (LAPIC_BASE_ENABLE | LAPIC_BASE_X2) && old == 0)
		return -EINVAL;
	if (old == (LAPIC_BASE_ENABLE | LAPIC_BASE_X2) && new == LAPIC_BASE_ENABLE)
		return -EINVAL;
	__atomic_store_n(&l->base, (value & ~LAPIC_BASE_BSP) | bsp, __ATOMIC_RELAXED);
	if (old != new && new == 0)
		lapic_init(l);
	if (old != new && lapic_is_x2(l)) {
		__atomic_store_n(&l->ldr, (l->id >> 4) << 16 | 1u << (l->id & 15), __ATOMIC_RELAXED);
		l->icr = 0;
	}
	return 0;
}

int lapic_msr_write(struct apic_bus *bus, struct lapic *l, uint32_t msr, uint64_t tsc, uint64_t value)
{
	if (msr != LAPIC_MSR_BASE)
		return write_x2(bus, l, (msr - LAPIC_MSR_X2) * 16, tsc, value);
	return write_base(l, value);
}

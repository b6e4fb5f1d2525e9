/* SPDX-License-Identifier: MIT */
/**
 * DOC: what a struct cpu asks of its surroundings
 */
#include <stddef.h>

#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/simd/simd.h"
#include "vmm/accel/soft/translate/translate.h"
#include "vmm/accel/soft/vcpu/vcpu_priv.h"

#define MSR_TSC_DEADLINE 0x6E0u

void vcpu_recheck(struct vcpu *v)
{
	if (lapic_pending(v->lapic) >= 0)
		cpu_set_event(v->cpu, EVENT_IRQ);
}

static int irq_ack(struct cpu *c)
{
	struct vcpu *v = vcpu_of(c);
	int vector = lapic_ack(v->lapic);

	vcpu_count(v, STAT_IRQ);
	vcpu_recheck(v);
	return vector;
}

static bool irq_pending(struct cpu *c)
{
	return lapic_pending(vcpu_of(c)->lapic) >= 0;
}

/* After a write: timer and interrupts may be others. */
static void written(struct vcpu *v)
{
	if (v->lapic->expiry != v->armed)
		vcpu_timer(v);
	vcpu_recheck(v);
}

static uint32_t apic_read(struct cpu *c, uint32_t offset)
{
	struct vcpu *v = vcpu_of(c);

	return lapic_read(&v->bus, v->lapic, offset, clock_now());
}

static void apic_write(struct cpu *c, uint32_t offset, uint32_t value)
{
	struct vcpu *v = vcpu_of(c);

	lapic_write(&v->bus, v->lapic, offset, value, clock_now());
	written(v);
}

static bool is_apic(uint32_t msr)
{
	return msr == LAPIC_MSR_BASE || msr - LAPIC_MSR_X2 < LAPIC_X2_REGS;
}

static bool msr_read(struct cpu *c, uint32_t msr, uint64_t *ret)
{
	struct vcpu *v = vcpu_of(c);
	uint64_t deadline;

	if (is_apic(msr))
		return lapic_msr_read(&v->bus, v->lapic, msr, clock_now(), ret) == 0;
	if (msr != MSR_TSC_DEADLINE)
		return pv_msr_read(v, msr, ret);
	deadline = lapic_deadline(v->lapic);
	*ret = deadline != 0 ? deadline + c->tsc_offset : 0;
	return true;
}

/* The guest's time stamp as one of the host, never "disarmed". */
static uint64_t host_deadline(const struct cpu *c, uint64_t value)
{
	uint64_t host = value - c->tsc_offset;

	return host != 0 ? host : 1;
}

static bool msr_write(struct cpu *c, uint32_t msr, uint64_t value)
{
	struct vcpu *v = vcpu_of(c);

	if (msr == LAPIC_MSR_BASE && value >> c->cpuid->phys_bits)
		return false;
	if (is_apic(msr) && lapic_msr_write(&v->bus, v->lapic, msr, clock_now(), value) < 0)
		return false;
	if (msr == MSR_TSC_DEADLINE)
		lapic_deadline_set(v->lapic, value != 0 ? host_deadline(c, value) : 0);
	else if (!is_apic(msr))
		return pv_msr_write(v, msr, value);
	c->apic_base = v->lapic->base;
	written(v);
	return true;
}

static uint64_t hypercall(struct cpu *c, const uint64_t arg[5])
{
	return pv_hypercall(vcpu_of(c), arg);
}

static uint64_t cr8_read(struct cpu *c)
{
	return lapic_tpr(vcpu_of(c)->lapic);
}

static void cr8_write(struct cpu *c, uint64_t value)
{
	lapic_tpr_set(vcpu_of(c)->lapic, (uint8_t) value);
	vcpu_recheck(vcpu_of(c));
}

static void page_ask(struct cpu *c, uint64_t gpa, uint32_t who, enum page_ask what)
{
	struct world *w = vcpu_of(c)->world;

	for (unsigned i = 0; i < w->nr; i++)
		if (who >> i & 1)
			world_ask(w, i, gpa, what);
}

static void page_asked(struct cpu *c)
{
	struct vcpu *v = vcpu_of(c);
	enum page_ask what;
	uint64_t gpa;

	(void) __atomic_fetch_and(&c->event, ~EVENT_PAGES, __ATOMIC_SEQ_CST);
	if (__atomic_exchange_n(&v->slot->asked_all, 0, __ATOMIC_SEQ_CST))
		translate_asked_all(c);
	while (world_asked(v->world, v->index, &gpa, &what)) {
		vcpu_count(v, STAT_ASKED);
		translate_asked(c, gpa, what);
	}
}

const struct cpu_ops vcpu_ops = {
	.bind = simd_bind,
	.irq_ack = irq_ack,
	.irq_pending = irq_pending,
	.apic_read = apic_read,
	.apic_write = apic_write,
	.msr_read = msr_read,
	.msr_write = msr_write,
	.cr8_read = cr8_read,
	.cr8_write = cr8_write,
	.hypercall = hypercall,
	.code_write = translate_code_write,
	.page_ask = page_ask,
	.page_asked = page_asked,
};

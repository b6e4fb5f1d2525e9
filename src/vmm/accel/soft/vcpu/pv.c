/* SPDX-License-Identifier: MIT */
/**
 * DOC: what KVM offers its guests: in memory, the time, and the time that was stolen; interrupts for many at once
 *
 * The guest's time stamp counter is the host's, and all processors tell the same line of time: it is
 * written once for each, and holds as long as the machine runs.
 * Spec: Linux Documentation/virt/kvm/x86/msr.rst.
 */
#include <stddef.h>
#include <string.h>

#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/vcpu/vcpu_priv.h"

#define MSR_WALL_OLD 0x11u
#define MSR_CLOCK_OLD 0x12u
#define MSR_WALL 0x4B564D00u
#define MSR_CLOCK 0x4B564D01u
#define MSR_STEAL 0x4B564D03u

/* Hypercalls */
#define HC_SEND_IPI 10
#define HC_INVALID 22
#define HC_UNKNOWN 1000
#define IPI_NOT_ALLOWED 0xC0800u /* of an interrupt command: shorthands, logical destinations */

#define CLOCK_STABLE 1 /* all processors agree */
#define CLOCK_STOPPED 2 /* the processor stood still: nothing is wrong with what did not happen meanwhile */
#define STEAL_US 10000 /* how often it is told */
#define NS_PER_S 1000000000ull

/** struct pv_time - one processor's line of time; odd @version: it is being written */
struct pv_time {
	uint32_t version, pad;
	uint64_t tsc, ns;
	uint32_t scale;
	int8_t shift;
	uint8_t flags, pad2[2];
};
_Static_assert(sizeof(struct pv_time) == 32, "the guest's layout");

/** struct pv_wall - time of day at which the line of time is 0 */
struct pv_wall {
	uint32_t version, sec, nsec;
};

/** struct pv_steal - nanoseconds that a processor was ready and did not run */
struct pv_steal {
	uint64_t ns;
	uint32_t version, flags;
	uint8_t preempted, pad[47];
};
_Static_assert(sizeof(struct pv_steal) == 64, "the guest's layout");

void pv_reset(struct pv *pv)
{
	*pv = (struct pv) { .begun = pv->begun, .idle = pv->idle, .left = pv->left };
}

static void write_clock(const struct vcpu *v)
{
	struct soft_clock *c = &v->world->clock;
	struct pv_time *p, t;

	p = vcpu_ram(v, v->pv.clock & ~1ull, sizeof(*p));
	if (p == NULL || !(v->pv.clock & 1))
		return;
	clock_fix(c);
	t = (struct pv_time) { .tsc = c->tsc0 + v->cpu->tsc_offset, .scale = c->scale, .shift = c->shift,
			       .flags = CLOCK_STABLE };
	t.version = (__atomic_load_n(&p->version, __ATOMIC_RELAXED) | 1) + 2;
	__atomic_store_n(&p->version, t.version, __ATOMIC_RELEASE);
	memcpy((uint8_t *) p + sizeof(p->version), (uint8_t *) &t + sizeof(t.version), sizeof(t) - sizeof(t.version));
	__atomic_store_n(&p->version, t.version + 1, __ATOMIC_RELEASE);
}

static void write_wall(const struct vcpu *v)
{
	struct pv_wall *p = vcpu_ram(v, v->pv.wall, sizeof(*p));
	struct timespec t;
	uint64_t ns;
	uint32_t version;

	if (p == NULL || v->pv.wall == 0)
		return;
	(void) clock_gettime(CLOCK_REALTIME, &t); /* every kernel has it */
	ns = (uint64_t) t.tv_sec * NS_PER_S + (uint64_t) t.tv_nsec - (clock_ns() - v->world->clock.ns0);
	version = (__atomic_load_n(&p->version, __ATOMIC_RELAXED) | 1) + 2;
	__atomic_store_n(&p->version, version, __ATOMIC_RELEASE);
	p->sec = (uint32_t) (ns / NS_PER_S);
	p->nsec = (uint32_t) (ns % NS_PER_S);
	__atomic_store_n(&p->version, version + 1, __ATOMIC_RELEASE);
}

/* The guest's kernel takes the flag away, on this processor. */
void pv_stopped(const struct vcpu *v)
{
	struct pv_time *p = vcpu_ram(v, v->pv.clock & ~1ull, sizeof(*p));

	if (p != NULL && (v->pv.clock & 1))
		p->flags |= CLOCK_STOPPED;
}

/* Nanoseconds that this thread was ready and did not run: what is missing of the time. */
static uint64_t waited(const struct vcpu *v)
{
	uint64_t all = clock_ns() - v->pv.begun, used;
	struct timespec t;

	(void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* every kernel has it */
	used = (uint64_t) t.tv_sec * NS_PER_S + (uint64_t) t.tv_nsec;
	used += (uint64_t) ((unsigned __int128) v->pv.idle * 1000000 / v->world->clock.khz);
	return all > used ? all - used : 0;
}

void pv_steal(struct vcpu *v)
{
	uint64_t now = clock_now();
	struct pv_steal *p;
	uint64_t ns;

	if (!(v->pv.steal & 1) || now < v->pv.steal_next)
		return;
	v->pv.steal_next = now + (uint64_t) v->world->clock.khz * STEAL_US / 1000;
	p = vcpu_ram(v, v->pv.steal & ~63ull, sizeof(*p));
	if (p == NULL)
		return;
	ns = waited(v);
	if (ns < v->pv.told)
		return; /* never backwards */
	__atomic_store_n(&p->version, p->version | 1, __ATOMIC_RELEASE);
	__atomic_store_n(&p->ns, p->ns + ns - v->pv.told, __ATOMIC_RELEASE);
	v->pv.told = ns;
	__atomic_store_n(&p->version, p->version + 1, __ATOMIC_RELEASE);
}

/*
 * What is there already was told by another accelerator, and goes on from there; this one never says that it is
 * preempted, which would let others leave it a message there instead of an interrupt.
 */
static void begin_steal(struct vcpu *v)
{
	struct pv_steal *p = vcpu_ram(v, v->pv.steal & ~63ull, sizeof(*p));

	v->pv.told = waited(v);
	if (p != NULL && (v->pv.steal & 1))
		__atomic_store_n(&p->preempted, 0, __ATOMIC_RELEASE);
}

bool pv_msr_read(const struct vcpu *v, uint32_t msr, uint64_t *ret)
{
	switch (msr) {
	case MSR_WALL_OLD:
	case MSR_WALL:
		*ret = v->pv.wall;
		return true;
	case MSR_CLOCK_OLD:
	case MSR_CLOCK:
		*ret = v->pv.clock;
		return true;
	case MSR_STEAL:
		*ret = v->pv.steal;
		return true;
	default:
		return false;
	}
}

bool pv_msr_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	switch (msr) {
	case MSR_WALL_OLD:
	case MSR_WALL:
		v->pv.wall = value;
		write_wall(v);
		return true;
	case MSR_CLOCK_OLD:
	case MSR_CLOCK:
		v->pv.clock = value;
		write_clock(v);
		return true;
	case MSR_STEAL:
		if (value & 0x3E)
			return false;
		v->pv.steal = value;
		v->pv.steal_next = 0;
		begin_steal(v);
		return true;
	default:
		return false;
	}
}

/* Interrupts for the processors of a bit set of 128, from number @arg[3] on; @arg[4]: as in an interrupt command. */
static uint64_t send_ipi(struct vcpu *v, const uint64_t arg[5])
{
	struct apic_message m = { .mode = (enum lapic_mode) (arg[4] >> 8 & 7), .vector = (uint8_t) arg[4] };
	uint64_t sent = 0;

	if (arg[4] & IPI_NOT_ALLOWED || (m.mode != LAPIC_FIXED && m.mode != LAPIC_NMI))
		return (uint64_t) -HC_INVALID;
	for (unsigned n = 0; n < 128; n++) {
		if (!(arg[1 + n / 64] >> n % 64 & 1) || arg[3] >= v->bus.nr || n >= v->bus.nr - arg[3])
			continue;
		m.dest = (uint32_t) arg[3] + n;
		sent += apic_send(&v->bus, &m);
	}
	return sent;
}

uint64_t pv_hypercall(struct vcpu *v, const uint64_t arg[5])
{
	return arg[0] == HC_SEND_IPI ? send_ipi(v, arg) : (uint64_t) -HC_UNKNOWN;
}

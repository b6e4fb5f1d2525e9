/* SPDX-License-Identifier: MIT */
/**
 * DOC: when a local APIC's timer is due
 *
 * An alarm sets an event: a guest that executes sees it, one that sleeps wakes up.
 */
#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/vcpu/vcpu_priv.h"

#define LATE_MS 1000 /* that only somebody who stood still is */

void vcpu_timer(struct vcpu *v)
{
	uint64_t now = clock_now(), next = lapic_timer_run(&v->bus, v->lapic, now);
	bool off = __atomic_load_n(&v->alarm.off, __ATOMIC_SEQ_CST);

	if (v->armed != 0 && now > v->armed && now - v->armed > (uint64_t) v->world->clock.khz * LATE_MS)
		pv_stopped(v);
	if (off)
		vcpu_count(v, STAT_ALARM);
	if (next != v->armed || off) {
		v->armed = next;
		alarm_set(&v->alarm, next != 0 ? clock_until(&v->world->clock, next) : 0);
	}
	vcpu_recheck(v);
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: telling a processor something
 *
 * The bits of its events are set first, then it is woken if it says that it sleeps; a sleeper says so
 * before it looks at the bits for the last time.  None is lost.
 */
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/vcpu/vcpu.h"

void vcpu_set_event(struct vcpu_peers *p, unsigned index, uint32_t events)
{
	struct cpu *c = p->cpu[index];

	cpu_set_event(c, events);
	if (__atomic_load_n(&p->world->slot[index].asleep, __ATOMIC_SEQ_CST))
		(void) syscall(SYS_futex, &c->event, FUTEX_WAKE, 1, NULL, NULL, 0); /* an address that exists */
}

void vcpu_wake(void *arg, unsigned index)
{
	struct vcpu_peers *p = arg;
	uint32_t other = __atomic_load_n(&p->world->lapic[index].events, __ATOMIC_SEQ_CST);

	vcpu_set_event(p, index, EVENT_IRQ | (other != 0 ? EVENT_KICK : 0));
}

void vcpu_kick(struct vcpu_peers *p, unsigned index)
{
	__atomic_store_n(&p->world->slot[index].kick, 1, __ATOMIC_SEQ_CST);
	vcpu_set_event(p, index, EVENT_KICK);
}

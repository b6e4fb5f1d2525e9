/* SPDX-License-Identifier: MIT */
/**
 * DOC: telling a processor something
 *
 * The bits of its events are set first, then it is woken if it says that it sleeps; a sleeper says so
 * before it looks at the bits for the last time.  None is lost.
 */
#include "vmm/accel/soft/vcpu/world.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/accel/soft/cpu/run.h"

void world_set_event(struct world *w, unsigned index, uint32_t events)
{
	struct cpu *c = &w->cpu[index];

	cpu_set_event(c, events);
	if (__atomic_load_n(&w->slot[index].asleep, __ATOMIC_SEQ_CST))
		(void) syscall(SYS_futex, &c->event, FUTEX_WAKE, 1, NULL, NULL, 0); /* an address that exists */
}

void world_wake(void *arg, unsigned index)
{
	struct world *w = arg;
	uint32_t other = __atomic_load_n(&w->lapic[index].events, __ATOMIC_SEQ_CST);

	world_set_event(w, index, EVENT_IRQ | (other != 0 ? EVENT_KICK : 0));
}

void world_kick(struct world *w, unsigned index)
{
	__atomic_store_n(&w->slot[index].kick, 1, __ATOMIC_SEQ_CST);
	world_set_event(w, index, EVENT_KICK);
}

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

#define ASKED 0x800u /* so that none is 0 */

void world_ask(struct world *w, unsigned index, uint64_t gpa, enum page_ask what)
{
	uint64_t value = (gpa & ~0xFFFull) | ASKED | what, old;
	struct world_slot *s = &w->slot[index];
	bool kept = false;

	for (unsigned i = 0; i < WORLD_ASKED_MAX && !kept; i++) {
		old = 0;
		kept = __atomic_compare_exchange_n(&s->asked[i], &old, value, false, __ATOMIC_SEQ_CST,
						   __ATOMIC_SEQ_CST) || old == value;
	}
	if (!kept)
		__atomic_store_n(&s->asked_all, 1, __ATOMIC_SEQ_CST);
	/* One that sleeps does not execute, so it has time; but another one waits for it to give up. */
	if (what == PAGE_GIVE_UP)
		world_set_event(w, index, EVENT_PAGES);
	else
		cpu_set_event(&w->cpu[index], EVENT_PAGES);
}

bool world_asked(struct world *w, unsigned index, uint64_t *gpa, enum page_ask *what)
{
	struct world_slot *s = &w->slot[index];

	for (unsigned i = 0; i < WORLD_ASKED_MAX; i++) {
		uint64_t value = 0;

		if (__atomic_load_n(&s->asked[i], __ATOMIC_RELAXED) != 0)
			value = __atomic_exchange_n(&s->asked[i], 0, __ATOMIC_SEQ_CST);
		if (value == 0)
			continue;
		*gpa = value & ~0xFFFull;
		*what = value & 1 ? PAGE_GIVE_UP : PAGE_DROP;
		return true;
	}
	return false;
}

void world_kick(struct world *w, unsigned index)
{
	__atomic_store_n(&w->slot[index].kick, 1, __ATOMIC_SEQ_CST);
	world_set_event(w, index, EVENT_KICK);
}

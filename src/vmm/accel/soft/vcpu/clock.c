/* SPDX-License-Identifier: MIT */
#include "vmm/accel/soft/vcpu/clock.h"

#include <stdbool.h>
#include <time.h>

#define NS_PER_S 1000000000ull
#define FIRST_NS 2000000 /* how long the first measurement takes: 0.01 % is enough for timers */
#define TRIES 8 /* of which the one that was least disturbed counts */

uint64_t clock_ns(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t); /* every kernel has it */
	return (uint64_t) t.tv_sec * NS_PER_S + (uint64_t) t.tv_nsec;
}

/* One moment on both clocks. */
static void moment(uint64_t *tsc, uint64_t *ns)
{
	uint64_t best = UINT64_MAX;

	*tsc = *ns = 0;
	for (int i = 0; i < TRIES; i++) {
		uint64_t a = clock_now(), n = clock_ns(), b = clock_now();

		if (b - a >= best)
			continue;
		best = b - a;
		*tsc = a + (b - a) / 2;
		*ns = n;
	}
}

static uint64_t hz_since(const struct soft_clock *c)
{
	uint64_t tsc, ns;

	moment(&tsc, &ns);
	return (uint64_t) ((unsigned __int128) (tsc - c->tsc0) * NS_PER_S / (ns - c->ns0));
}

void clock_begin(struct soft_clock *c)
{
	struct timespec wait = { .tv_nsec = FIRST_NS };

	*c = (struct soft_clock) { 0 };
	moment(&c->tsc0, &c->ns0);
	(void) nanosleep(&wait, NULL); /* a shorter wait measures less well */
	c->khz = (uint32_t) (hz_since(c) / 1000);
}

static void scale(struct soft_clock *c, uint64_t hz)
{
	int shift = 0;

	while (hz > 2 * NS_PER_S) { /* the scale must be below 1, and not much */
		hz /= 2;
		shift--;
	}
	while (hz <= NS_PER_S) {
		hz *= 2;
		shift++;
	}
	c->shift = (int8_t) shift;
	c->scale = (uint32_t) ((NS_PER_S << 32) / hz);
}

void clock_fix(struct soft_clock *c)
{
	uint32_t todo = 0;

	if (__atomic_compare_exchange_n(&c->state, &todo, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		scale(c, hz_since(c));
		__atomic_store_n(&c->state, 2, __ATOMIC_RELEASE);
	}
	while (__atomic_load_n(&c->state, __ATOMIC_ACQUIRE) != 2)
		__builtin_ia32_pause();
}

uint64_t clock_until(const struct soft_clock *c, uint64_t tsc)
{
	uint64_t now = clock_now();

	return tsc <= now ? 1 : (uint64_t) ((unsigned __int128) (tsc - now) * 1000000 / c->khz) + 1;
}

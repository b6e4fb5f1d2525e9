/* SPDX-License-Identifier: MIT */
/*
 * The host's time stamp counter, measured against its clock.
 */
#pragma once

#include <stdint.h>
#include <x86intrin.h>

/**
 * struct soft_clock - what has been measured; may be shared by processes
 * @tsc0, @ns0: one moment, as time stamp and as CLOCK_MONOTONIC: when the machine was made
 * @khz: time stamps per millisecond
 * @state: atomic: 0 to be measured, 1 somebody does, 2 @scale and @shift are final
 * @scale, @shift: nanoseconds are (stamps << @shift) * @scale >> 32
 */
struct soft_clock {
	uint64_t tsc0, ns0;
	uint32_t khz, state, scale;
	int8_t shift;
};

/** clock_now() - host time stamp */
static inline uint64_t clock_now(void)
{
	return __rdtsc();
}

/** clock_ns() - CLOCK_MONOTONIC in nanoseconds */
uint64_t clock_ns(void);

/** clock_begin() - note the moment, and measure for some milliseconds */
void clock_begin(struct soft_clock *c);

/** clock_fix() - from now on @scale and @shift stay as they are: measured since clock_begin(); any process, any time */
void clock_fix(struct soft_clock *c);

/** clock_until() - nanoseconds until time stamp @tsc, at least 1 */
uint64_t clock_until(const struct soft_clock *c, uint64_t tsc);

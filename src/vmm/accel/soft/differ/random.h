/* SPDX-License-Identifier: MIT */
/*
 * Random numbers that are the same for the same seed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** random_next() - 64 bits; @state must not be 0 (xorshift64*) */
static inline uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545F4914F6CDD1Dull;
}

/** random_below() - a number below @limit, which is small */
static inline unsigned random_below(uint64_t *state, unsigned limit)
{
	return (unsigned) ((random_next(state) >> 32) % limit);
}

/** chance() - true in @percent of all cases */
static inline bool chance(uint64_t *seed, unsigned percent)
{
	return random_below(seed, 100) < percent;
}

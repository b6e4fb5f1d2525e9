/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct img_store;

/** struct img_meter - how far something is: bytes; @total is 0 while it is not known */
struct img_meter {
	atomic_uint_least64_t done, total;
};

/** img_store_meter() - what is done with @store from here on adds to @meter (borrows; NULL for none) */
void img_store_meter(struct img_store *store, struct img_meter *meter);

/** img_meter_add() - @n more bytes are done; for a NULL meter nothing */
static inline void img_meter_add(struct img_meter *meter, uint64_t n)
{
	if (meter != NULL)
		(void) atomic_fetch_add_explicit(&meter->done, n, memory_order_relaxed);
}

/** img_meter_expect() - @n more bytes will be done */
static inline void img_meter_expect(struct img_meter *meter, uint64_t n)
{
	if (meter != NULL)
		(void) atomic_fetch_add_explicit(&meter->total, n, memory_order_relaxed);
}

/* SPDX-License-Identifier: MIT */
/*
 * Bytes that are moved with general registers only: the others may be the guest's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** plain_copy() - memcpy() */
static inline void plain_copy(void *to, const void *from, size_t size)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

/** plain_clear() - memset() with 0 */
static inline void plain_clear(void *p, size_t size)
{
	__asm__ volatile("rep stosb" : "+D"(p), "+c"(size) : "a"(0) : "memory");
}

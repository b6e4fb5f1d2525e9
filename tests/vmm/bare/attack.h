// SPDX-License-Identifier: MIT
/*
 * What both parts of the attack on devices use: random numbers that are the same each time, registers, text.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ECAM 0xB0000000u
#define SLOTS 32u
#define ARENA 0x1000000u /* memory that devices may fill with anything */
#define ARENA_SIZE 0x600000u

extern uint64_t seed;
extern unsigned part; /* of everything, one in so many is done */

static inline uint32_t any(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t) (seed >> 33);
}

/* One of @n numbers from 0 on. */
static inline uint32_t below(uint32_t n)
{
	return any() % n;
}

static inline bool once_in(uint32_t n)
{
	return below(n) == 0;
}

static inline uint64_t any64(void)
{
	uint64_t high = any();

	return high << 33 ^ any();
}

static inline void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "d"(port) : "memory");
}

static inline void write8(uintptr_t at, uint8_t v)
{
	*(volatile uint8_t *) at = v;
}

static inline void write16(uintptr_t at, uint16_t v)
{
	*(volatile uint16_t *) at = v;
}

static inline void write32(uintptr_t at, uint32_t v)
{
	*(volatile uint32_t *) at = v;
}

static inline uint8_t read8(uintptr_t at)
{
	return *(volatile uint8_t *) at;
}

static inline uint16_t read16(uintptr_t at)
{
	return *(volatile uint16_t *) at;
}

static inline uint32_t read32(uintptr_t at)
{
	return *(volatile uint32_t *) at;
}

/** access_any() - read or write, of any size and alignment */
void access_any(uintptr_t at);

void print(const char *s);
void print_number(const char *name, uint64_t v);

/** attack_rings() - virtio devices: rings of all kinds of nonsense, and some sense; the device in @slot is at @config */
void attack_rings(uintptr_t config, unsigned slot);

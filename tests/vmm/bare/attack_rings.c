// SPDX-License-Identifier: MIT
/*
 * Rings of virtio devices with all kinds of nonsense in them: each round starts the device with some features and rings,
 * most of which could work, fills them, and changes them while the device looks at them.
 */
#include "attack.h"

#define ROUNDS 40u
#define QUEUES 8u /* of a device, that is */
#define RING 0x3000u /* bytes of arena for each: descriptors, driver's part, device's part */
#define DATA (ARENA + QUEUES * RING)
#define DATA_SIZE (ARENA_SIZE - QUEUES * RING - 0x200000)

enum { FEATURE_SELECT = 0, FEATURES = 4, DRIVER_SELECT = 8, DRIVER_FEATURES = 12, CONFIG_VECTOR = 0x10, NR_QUEUES = 0x12,
       STATUS = 0x14, SELECT = 0x16, SIZE = 0x18, VECTOR = 0x1A, ENABLE = 0x1C, DESCRIPTORS = 0x20, DRIVER = 0x28, DEVICE = 0x30,
       OWN = 0x2000, NOTIFY = 0x3000, TABLE = 0x4000 };

#define NEEDS_RESET 0x40

struct descriptor {
	uint64_t at;
	uint32_t len;
	uint16_t flags, next;
};

struct tally {
	unsigned started, broken, used, hung;
};

/* @base: the device's registers; @packed: how the rings of this round look; @is_balloon: it takes pages that data names */
static uintptr_t base;
static bool packed, is_balloon;

static void write64(uintptr_t at, uint64_t v)
{
	write32(at, (uint32_t) v);
	write32(at + 4, (uint32_t) (v >> 32));
}

/* Where data is: mostly in the arena, now and then half outside, where devices are, or nowhere. */
static uint64_t address(void)
{
	static const uint64_t odd[] = { 0x1FFFFFF, 0x2000000, ECAM, 0xC0000000, 0xFEE00000, 0xFFFFFFFF, 1ull << 40, 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFF000 };

	return once_in(30) ? odd[below(sizeof(odd) / sizeof(odd[0]))] : DATA + below(DATA_SIZE);
}

static uint32_t length(void)
{
	static const uint32_t lens[] = { 0, 1, 4, 8, 10, 12, 16, 24, 40, 44, 64, 80, 128, 512, 4096, 4096, 65536, 0x100000 };

	return once_in(50) ? any() << below(4) : lens[below(sizeof(lens) / sizeof(lens[0]))];
}

/* Numbers of pages in the arena, and of none, at whatever byte they are read from: a balloon must not take this program's. */
static uint32_t data_word(void)
{
	return once_in(4) ? (DATA >> 12) + below(DATA_SIZE >> 12) : 0x80808080 | any();
}

static void fill_data(void)
{
	for (unsigned i = 0; i < 4000; i++)
		write32(DATA + below(DATA_SIZE / 4) * 4, data_word());
}

/* The beginning of a request that devices know: type of a disk's, length and operation of a file server's, ... */
static void make_request(uint64_t at)
{
	uint32_t len = 40 + below(200);

	if (is_balloon || at < DATA || at >= DATA + DATA_SIZE - 256)
		return;
	for (unsigned i = 0; i < 64; i += 4)
		write32(at + i, below(3) ? 0 : below(64));
	if (once_in(2)) {
		write32(at, len);
		write32(at + 4, 1 + below(50));
		write64(at + 16, 1 + below(3));
	} else {
		write32(at, below(16));
		write64(at + 8, below(20000));
	}
}

static struct descriptor any_descriptor(unsigned size)
{
	struct descriptor d = { address(), length(), (uint16_t) below(4), (uint16_t) below(size + once_in(20)) };

	if (once_in(8))
		d.flags |= 4; /* a table of its own */
	if (once_in(20))
		d.flags = (uint16_t) any();
	if (d.flags & 4 && once_in(2))
		d.len = 16 * (1 + below(20));
	if (packed)
		d.flags |= (uint16_t) (once_in(6) ? any() & 0x8080 : 0x80); /* available in the first lap */
	if (once_in(2))
		make_request(d.at);
	return d;
}

/* What a packed ring has where others have the next one: a number of the driver's. */
static void put(uintptr_t at, struct descriptor d)
{
	write64(at, d.at);
	write32(at + 8, d.len);
	write16(at + 12, packed ? d.next : d.flags);
	write16(at + 14, packed ? d.flags : d.next);
}

/* A header that is read, a part that is written: what several devices answer. */
static void sensible(uintptr_t ring, unsigned size, unsigned i)
{
	bool last = i + 1 >= size;
	struct descriptor d = { DATA + below(DATA_SIZE - 0x2000), 16 + below(3) * 24, (uint16_t) (last ? 0 : 1), (uint16_t) (i + 1) };
	uint16_t lap = packed ? 0x80 : 0;

	make_request(d.at);
	d.flags |= lap;
	put(ring + i * 16, d);
	if (last)
		return;
	d = (struct descriptor) { DATA + below(DATA_SIZE - 0x2000), 1 + below(4096), (uint16_t) (2 | lap), (uint16_t) (i + 1) };
	put(ring + i * 16 + 16, d);
}

static void fill_ring(unsigned q, unsigned size)
{
	uintptr_t ring = ARENA + q * RING, available = ring + 0x1000;

	for (unsigned i = 0; i < size; i++) {
		if (once_in(3))
			put(ring + i * 16, any_descriptor(size));
		else if (i % 2 == 0)
			sensible(ring, size, i);
	}
	if (packed) {
		write32(available, any() & (once_in(4) ? ~0u : 0));
		return;
	}
	for (unsigned i = 0; i < size; i++)
		write16(available + 4 + i * 2, (uint16_t) (once_in(25) ? any() : below(size)));
	write16(available, (uint16_t) below(2));
	write16(available + 2, (uint16_t) (once_in(12) ? any() : read16(available + 2) + below(size)));
}

static unsigned set_up_ring(unsigned q)
{
	static const uint16_t sizes[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256 };
	uint16_t most, size = once_in(15) ? (uint16_t) any() : sizes[below(sizeof(sizes) / sizeof(sizes[0]))];
	uintptr_t ring = ARENA + q * RING;

	write16(base + SELECT, (uint16_t) q);
	most = read16(base + SIZE);
	if (size > most && !once_in(8))
		size = most;
	write16(base + SIZE, size);
	write64(base + DESCRIPTORS, once_in(40) ? address() : ring);
	write64(base + DRIVER, once_in(40) ? address() : ring + 0x1000);
	write64(base + DEVICE, once_in(40) ? address() : ring + 0x2000);
	write16(base + VECTOR, (uint16_t) (once_in(2) ? 0xFFFF : any()));
	for (unsigned i = 0; i < RING; i += 4)
		write32(ring + i, 0);
	if (!once_in(10))
		write16(base + ENABLE, 1);
	return size == 0 || size > 256 ? 256 : size;
}

static bool is_zero_soon(uintptr_t at)
{
	for (unsigned i = 0; i < 1000000; i++)
		if (read8(at) == 0)
			return true;
	return false;
}

static void negotiate(void)
{
	uint32_t low, high;

	write32(base + FEATURE_SELECT, 0);
	low = read32(base + FEATURES);
	write32(base + FEATURE_SELECT, 1);
	high = read32(base + FEATURES);
	packed = (high & 4) != 0 && once_in(2);
	if (!packed)
		high &= ~4u;
	write32(base + DRIVER_SELECT, 0);
	write32(base + DRIVER_FEATURES, once_in(2) ? low : once_in(15) ? any() : low & any());
	write32(base + DRIVER_SELECT, 1);
	write32(base + DRIVER_FEATURES, once_in(20) ? any() : high);
	write32(base + DRIVER_SELECT, any());
	write8(base + STATUS, 11);
}

/* The device's part of any ring says that something was answered. */
static bool has_answered(unsigned queues)
{
	for (unsigned q = 0; q < queues; q++) {
		uintptr_t ring = ARENA + q * RING;

		if (!packed && read16(ring + 0x2002) != 0)
			return true;
		for (unsigned i = 0; packed && i < 256; i++)
			if ((read16(ring + i * 16 + 14) & 0x8080) == 0x8080)
				return true;
	}
	return false;
}

/* Messages go to processors that are not there: what this one would make of them is its own business. */
static void access_table(void)
{
	uintptr_t entry = base + TABLE + below(0x80) * 16;

	write32(entry, 0xFEE00000 | (0xF0 + below(15)) << 12 | below(4));
	write32(entry + 4, once_in(10) ? any() : 0);
	write32(entry + 8, any() & ~0x700u);
	write32(entry + 12, any());
	(void) read32(entry + below(16));
	write8(entry + 12 + below(4), (uint8_t) any());
}

static void round_of(struct tally *t, unsigned queues)
{
	unsigned size[QUEUES];

	write8(base + STATUS, 0);
	if (!is_zero_soon(base + STATUS)) {
		t->hung++;
		return;
	}
	write8(base + STATUS, 3);
	negotiate();
	fill_data();
	for (unsigned q = 0; q < queues; q++)
		size[q] = set_up_ring(q);
	write16(base + CONFIG_VECTOR, (uint16_t) any());
	write8(base + STATUS, 15);
	t->started++;
	for (unsigned n = 0; n < 4; n++) {
		for (unsigned q = 0; q < queues; q++) {
			fill_ring(q, size[q]);
			write16(base + NOTIFY + q * 4, (uint16_t) (once_in(10) ? any() : q));
		}
		for (unsigned i = 0; i < 30; i++)
			access_any(base + (once_in(3) ? 0x1000 : OWN) + below(0x200));
		for (unsigned i = 0; i < 8; i++)
			access_table();
		for (unsigned i = 0; i < 200; i++) /* while it works */
			write32(!is_balloon && once_in(8) ? ARENA + below(queues * RING / 4) * 4 : DATA + below(DATA_SIZE / 4) * 4, data_word());
		if (once_in(8))
			write8(base + STATUS, (uint8_t) below(16));
	}
	for (unsigned i = 0; i < 3000 && !(read8(base + STATUS) & NEEDS_RESET); i++)
		__asm__ volatile("pause");
	t->broken += (read8(base + STATUS) & NEEDS_RESET) != 0;
	t->used += has_answered(queues);
}

void attack_rings(uintptr_t config, unsigned slot)
{
	struct tally t = { 0 };
	unsigned queues;

	write16(config + 4, 6);
	base = read32(config + 0x10) & ~15u;
	queues = read16(base + NR_QUEUES);
	is_balloon = read16(config + 2) == 0x1045;
	for (uintptr_t at = DATA; is_balloon && at < ARENA + ARENA_SIZE; at += 4) /* what others left */
		write32(at, data_word());
	for (unsigned i = 0; i < ROUNDS / part; i++)
		round_of(&t, queues < QUEUES ? queues : QUEUES);
	write8(base + STATUS, 0);
	if (!is_zero_soon(base + STATUS))
		t.hung++;
	print("device");
	print_number("kind", read16(config + 2) - 0x1040u);
	print_number("slot", slot);
	print_number("started", t.started);
	print_number("broken", t.broken);
	print_number("answered", t.used);
	if (t.hung > 0)
		print_number("wrong: hung", t.hung);
	print("\n");
}

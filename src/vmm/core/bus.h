/* SPDX-License-Identifier: MIT */
/*
 * Who answers at which address: one bus for ports, one for memory-mapped registers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BUS_RANGES_MAX 128 /* ranges of one bus; a device has one to three */

/**
 * struct bus_ops - how a device answers
 * @read: value of @size bytes at @offset of the range; NULL: all bits set
 * @write: NULL: ignored
 *
 * @size is 1, 2, 4 or 8 and the access lies inside the range; nothing else about it is certain, the
 * guest chose it.  Called with the machine's lock held.
 */
struct bus_ops {
	uint64_t (*read)(void *dev, uint64_t offset, unsigned size);
	void (*write)(void *dev, uint64_t offset, unsigned size, uint64_t value);
};

/** struct bus_range - @len addresses from @base on belong to @dev */
struct bus_range {
	uint64_t base, len;
	const struct bus_ops *ops;
	void *dev;
};

/** struct bus - @nr ranges by rising address, none overlaps another; zero-initialise to start */
struct bus {
	unsigned nr;
	struct bus_range range[BUS_RANGES_MAX];
};

/**
 * bus_add() - give a range of addresses to a device
 * @ops, @dev: borrowed until bus_remove()
 * Return: 0; -EINVAL empty or past the last address; -EBUSY overlaps another range; -ENOSPC.
 */
int bus_add(struct bus *b, uint64_t base, uint64_t len, const struct bus_ops *ops, void *dev);

/** bus_remove() - take the range that starts at @base from @dev; nothing if there is none */
void bus_remove(struct bus *b, uint64_t base, const void *dev);

/**
 * bus_read() - what the guest reads
 * @size: 1, 2, 4 or 8
 * Return: the value, @size bytes of it; all bits set where nobody answers.
 */
uint64_t bus_read(const struct bus *b, uint64_t addr, unsigned size);

/** bus_write() - what the guest writes; lost where nobody answers */
void bus_write(const struct bus *b, uint64_t addr, unsigned size, uint64_t value);

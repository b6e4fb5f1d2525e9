/* SPDX-License-Identifier: MIT */
#include "vmm/core/bus.h"

#include <errno.h>
#include <string.h>

/* Index of the first range that ends behind @addr. */
static unsigned find(const struct bus *b, uint64_t addr)
{
	unsigned low = 0, high = b->nr;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (b->range[mid].base + (b->range[mid].len - 1) < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int bus_add(struct bus *b, uint64_t base, uint64_t len, const struct bus_ops *ops, void *dev)
{
	unsigned i = find(b, base);

	if (len == 0 || base + (len - 1) < base)
		return -EINVAL;
	if (i < b->nr && b->range[i].base <= base + (len - 1))
		return -EBUSY;
	if (b->nr == BUS_RANGES_MAX)
		return -ENOSPC;
	memmove(&b->range[i + 1], &b->range[i], (b->nr - i) * sizeof(b->range[0]));
	b->range[i] = (struct bus_range) { .base = base, .len = len, .ops = ops, .dev = dev };
	b->nr++;
	return 0;
}

void bus_remove(struct bus *b, uint64_t base, const void *dev)
{
	unsigned i = find(b, base);

	if (i == b->nr || b->range[i].base != base || b->range[i].dev != dev)
		return;
	b->nr--;
	memmove(&b->range[i], &b->range[i + 1], (b->nr - i) * sizeof(b->range[0]));
}

/* The range that holds all of an access, or NULL. */
static const struct bus_range *lookup(const struct bus *b, uint64_t addr, unsigned size)
{
	unsigned i = find(b, addr);
	const struct bus_range *r = i < b->nr ? &b->range[i] : NULL;

	if (r == NULL || addr < r->base || size > r->len - (addr - r->base))
		return NULL;
	return r;
}

static uint64_t mask_of(unsigned size)
{
	return size >= 8 ? UINT64_MAX : (1ull << (size * 8)) - 1;
}

uint64_t bus_read(const struct bus *b, uint64_t addr, unsigned size)
{
	const struct bus_range *r = lookup(b, addr, size);

	if (r == NULL || r->ops->read == NULL)
		return mask_of(size);
	return r->ops->read(r->dev, addr - r->base, size) & mask_of(size);
}

void bus_write(const struct bus *b, uint64_t addr, unsigned size, uint64_t value)
{
	const struct bus_range *r = lookup(b, addr, size);

	if (r != NULL && r->ops->write != NULL)
		r->ops->write(r->dev, addr - r->base, size, value & mask_of(size));
}

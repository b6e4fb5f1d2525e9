// SPDX-License-Identifier: MIT
#include "vmm/accel/soft/simd/vec.h"

static uint64_t all_lanes(unsigned size, unsigned lane)
{
	unsigned n = size / lane;

	return n >= 64 ? UINT64_MAX : (1ull << n) - 1;
}

void lanes_read(struct cpu *c, uint64_t lin, void *ret, unsigned size, unsigned lane, uint64_t mask)
{
	uint64_t all = all_lanes(size, lane);

	if ((mask & all) == all) {
		cpu_read(c, lin, ret, size);
		return;
	}
	memset(ret, 0, size);
	for (unsigned n = 0; n < size / lane; n++)
		if (mask >> n & 1)
			cpu_read(c, lin + (uint64_t) n * lane, (uint8_t *) ret + n * lane, lane);
}

void lanes_write(struct cpu *c, uint64_t lin, const void *data, unsigned size, unsigned lane, uint64_t mask)
{
	uint64_t all = all_lanes(size, lane);

	if ((mask & all) == all) {
		cpu_write(c, lin, data, size);
		return;
	}
	for (unsigned n = 0; n < size / lane; n++)
		if (mask >> n & 1)
			cpu_check_write(c, lin + (uint64_t) n * lane, lane);
	for (unsigned n = 0; n < size / lane; n++)
		if (mask >> n & 1)
			cpu_write(c, lin + (uint64_t) n * lane, (const uint8_t *) data + n * lane, lane);
}

void lanes_merge(void *ret, const void *src, unsigned size, unsigned lane, uint64_t mask, bool zero)
{
	for (unsigned n = 0; n < size / lane; n++) {
		if (mask >> n & 1)
			memcpy((uint8_t *) ret + n * lane, (const uint8_t *) src + n * lane, lane);
		else if (zero)
			memset((uint8_t *) ret + n * lane, 0, lane);
	}
}

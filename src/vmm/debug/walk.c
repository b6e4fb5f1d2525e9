/* SPDX-License-Identifier: MIT */
#include "vmm/debug/walk.h"

#include <errno.h>
#include <string.h>

#include "vmm/accel/accel.h"

#define CR0_PG (1ull << 31)
#define CR4_PSE (1ull << 4)
#define CR4_PAE (1ull << 5)
#define CR4_LA57 (1ull << 12)
#define EFER_LMA (1ull << 10)

#define PRESENT 1u
#define LARGE 0x80u
#define ADDRESS 0x000FFFFFFFFFF000ull /* of an entry of 8 bytes */

/**
 * struct shape - @levels of tables, each of 2^@bits entries of @size bytes
 * @large: highest level whose entries may be pages, the last is 1
 */
struct shape {
	unsigned levels, bits, size, large;
	uint64_t root;
};

static struct shape shape_of(const struct accel_regs *r)
{
	if (r->efer & EFER_LMA)
		return (struct shape) { r->cr4 & CR4_LA57 ? 5 : 4, 9, 8, 3, r->cr3 & ADDRESS };
	if (r->cr4 & CR4_PAE)
		return (struct shape) { 3, 9, 8, 2, r->cr3 & 0xFFFFFFE0 };
	return (struct shape) { 2, 10, 4, r->cr4 & CR4_PSE ? 2 : 1, r->cr3 & 0xFFFFF000 };
}

/* Large pages of 32-bit tables have address bits 32 to 39 where others have 13 to 20. */
static uint64_t page_address(const struct shape *s, uint64_t entry, unsigned shift)
{
	if (s->size == 4 && shift > 12)
		return (entry & 0xFFC00000) | (entry >> 13 & 0xFF) << 32;
	return entry & ADDRESS & ~((1ull << shift) - 1);
}

int walk(const struct accel_regs *regs, walk_memory *memory, void *arg, uint64_t lin, uint64_t *ret)
{
	struct shape s = shape_of(regs);
	uint64_t table = s.root;

	if (!(regs->efer & EFER_LMA))
		lin &= UINT32_MAX;
	if (!(regs->cr0 & CR0_PG)) {
		*ret = lin;
		return 0;
	}
	for (unsigned level = s.levels; level > 0; level--) {
		unsigned shift = 12 + (level - 1) * s.bits;
		uint64_t index = lin >> shift & ((1u << s.bits) - 1), entry = 0;
		const uint8_t *p = memory(arg, table + index * s.size, s.size);

		if (p == NULL)
			return -EFAULT;
		memcpy(&entry, p, s.size);
		if (!(entry & PRESENT))
			return -EFAULT;
		if (level == 1 || (level <= s.large && entry & LARGE)) {
			*ret = page_address(&s, entry, shift) | (lin & ((1ull << shift) - 1));
			return 0;
		}
		table = s.size == 4 ? entry & 0xFFFFF000 : entry & ADDRESS;
	}
	return -EFAULT;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: the cache of decoded code
 *
 * A table of blocks by a hash of their address, and an arena that is only filled, and emptied as a
 * whole when it is full.  A block is used only if its code is what it was: other processors, devices
 * and other mappings of the page may have written it.
 */
#include "vmm/accel/soft/cpu/blocks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/cpu/mmu.h"

#define TABLE_BITS 16
#define TABLE (1u << TABLE_BITS)
#define HASH 0x9E3779B97F4A7C15ull /* a multiplier that mixes */
#define ARENA (32ull << 20) /* bytes */
#define BLOCK_MAX (sizeof(struct block) + BLOCK_INSNS * sizeof(struct insn) + BLOCK_INSNS * INSN_MAX + 16)

/**
 * struct blocks - the cache
 * @single: a block of one instruction that is in two pages, decoded anew each time
 */
struct blocks {
	struct block *table[TABLE];
	uint8_t *arena;
	uint64_t used;
	_Alignas(16) uint8_t single[sizeof(struct block) + sizeof(struct insn)];
};

struct blocks *blocks_new(void)
{
	struct blocks *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (b->arena == MAP_FAILED) {
		free(b);
		return NULL;
	}
	return b;
}

void blocks_free(struct blocks *b)
{
	if (b == NULL)
		return;
	(void) munmap(b->arena, ARENA); /* ours */
	free(b);
}

void blocks_flush(struct blocks *b)
{
	memset(b->table, 0, sizeof(b->table));
	b->used = 0;
}

static void too_long(struct cpu *c, const struct insn *i)
{
	(void) i;
	cpu_raise_code(c, EXC_GP, 0);
}

/* Make @i executable, whatever the decoder said. */
static void finish(struct cpu *c, enum insn_result r, struct insn *i)
{
	if (r == INSN_OK) {
		insn_bind(c, i);
		return;
	}
	i->exec = r == INSN_LONG ? too_long : cpu_undefined;
	i->ends = 1;
	i->len = i->len != 0 ? i->len : 1;
}

static const struct block *in_two_pages(struct cpu *c, uint64_t lin, const uint8_t *host, unsigned left)
{
	struct block *b = (struct block *) c->blocks->single;
	const struct tlb_code *next;
	uint8_t code[INSN_MAX];
	struct insn i = { .len = 0 };
	enum insn_result r;

	memcpy(code, host, left);
	next = mmu_code(c, (lin & ~0xFFFull) + 0x1000);
	if (next->host == NULL)
		cpu_raise(c, EXC_UD);
	memcpy(code + left, next->host, INSN_MAX - left);
	r = insn_decode(c->mode, code, INSN_MAX, &i);
	finish(c, r, &i);
	*b = (struct block) { .nr = 1, .bytes = i.len };
	b->insn[0] = i;
	return b;
}

static struct block *decode(struct cpu *c, uint64_t key, const uint8_t *host, unsigned left)
{
	struct blocks *cache = c->blocks;
	struct block *b;
	unsigned at = 0;

	if (cache->used + BLOCK_MAX > ARENA)
		blocks_flush(cache);
	b = (struct block *) (cache->arena + cache->used);
	b->key = key;
	b->nr = 0;
	while (b->nr < BLOCK_INSNS) {
		struct insn *i = &b->insn[b->nr];
		enum insn_result r;

		memset(i, 0, sizeof(*i));
		r = insn_decode(c->mode, host + at, left - at, i);
		if (r == INSN_SHORT)
			break;
		finish(c, r, i);
		at += i->len;
		b->nr++;
		c->stat_decoded++;
		if (i->ends || at >= left)
			break;
	}
	if (b->nr == 0)
		return NULL;
	at = at < left ? at : left;
	b->bytes = (uint16_t) at;
	b->copy = (uint8_t *) &b->insn[b->nr];
	memcpy(b->copy, host, at);
	cache->used += (sizeof(*b) + b->nr * sizeof(struct insn) + at + 15) & ~15ull;
	return b;
}

static bool same_code(const struct block *b, const uint8_t *host)
{
	unsigned n = b->bytes, at = 0;
	uint64_t x, y;

	if (n < 8)
		return memcmp(b->copy, host, n) == 0;
	for (; at + 8 <= n; at += 8) {
		memcpy(&x, b->copy + at, 8);
		memcpy(&y, host + at, 8);
		if (x != y)
			return false;
	}
	memcpy(&x, b->copy + n - 8, 8);
	memcpy(&y, host + n - 8, 8);
	return x == y;
}

const struct block *blocks_get(struct cpu *c, uint64_t lin)
{
	const struct tlb_code *page = mmu_code(c, lin);
	unsigned at = lin & 0xFFF;
	uint64_t key = (page->gpa + at) << 2 | c->mode;
	struct block **slot = &c->blocks->table[(key * HASH) >> (64 - TABLE_BITS)], *b = *slot;
	const uint8_t *host = page->host;

	if (__builtin_expect(host == NULL, 0))
		cpu_raise(c, EXC_UD); /* what is read there is all ones */
	c->code_page = (uint64_t) (uintptr_t) host;
	if (__builtin_expect(b != NULL && b->key == key && same_code(b, host + at), 1))
		return b;
	b = decode(c, key, host + at, 0x1000 - at);
	if (b == NULL)
		return in_two_pages(c, lin, host + at, 0x1000 - at);
	*slot = b;
	return b;
}

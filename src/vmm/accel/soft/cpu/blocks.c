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
#define ARENA (64ull << 20) /* bytes */
#define BLOCK_MAX (sizeof(struct block) + BLOCK_INSNS * sizeof(struct insn) + BLOCK_INSNS * INSN_MAX + 16)

/**
 * struct blocks - the cache
 * @single: a block of one instruction that is in two pages, decoded anew each time
 */
struct blocks {
	struct block *table[TABLE];
	uint8_t *arena;
	uint64_t used;
	struct insn single_insn, decoded[BLOCK_INSNS];
	struct block single;
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
	struct blocks *b = c->blocks;
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
	b->single_insn = i;
	b->single.insn = &b->single_insn;
	b->single.nr = 1;
	b->single.bytes = i.len;
	return &b->single;
}

/* As many instructions as belong into one block; returns their bytes. */
static unsigned decode_run(struct cpu *c, const uint8_t *host, unsigned left, unsigned *nr)
{
	unsigned at = 0;

	for (*nr = 0; *nr < BLOCK_INSNS && at < left; (*nr)++) {
		struct insn *i = &c->blocks->decoded[*nr];
		enum insn_result r;

		i->len = 0;
		r = insn_decode(c->mode, host + at, left - at, i);
		if (r == INSN_SHORT)
			break;
		finish(c, r, i);
		at += i->len;
		c->stat_decoded++;
		if (i->ends) {
			(*nr)++;
			break;
		}
	}
	return at < left ? at : left;
}

static struct block *decode(struct cpu *c, uint64_t key, const uint8_t *host, unsigned left)
{
	struct blocks *cache = c->blocks;
	unsigned nr, bytes = decode_run(c, host, left, &nr);
	struct block *b;
	uint64_t head;

	if (nr == 0)
		return NULL;
	if (cache->used + BLOCK_MAX > ARENA)
		blocks_flush(cache);
	b = (struct block *) (cache->arena + cache->used);
	head = (sizeof(*b) + bytes + 7) & ~7ull;
	b->key = key;
	b->nr = (uint16_t) nr;
	b->bytes = (uint16_t) bytes;
	memcpy(b->copy, host, bytes);
	b->insn = (struct insn *) (cache->arena + cache->used + head);
	memcpy(b->insn, cache->decoded, nr * sizeof(struct insn));
	cache->used += (head + nr * sizeof(struct insn) + 15) & ~15ull;
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

/* SPDX-License-Identifier: MIT */
/*
 * Translates a block.
 *
 * How it works: instructions are collected along the not-taken side of conditional branches and
 * through direct jumps, up to an indirect branch, a call, the end of the page or something for the
 * interpreter.  A pass backwards finds which flags are read after each of them.  Then each is
 * written; the pieces that are seldom executed follow behind.
 */
#include "vmm/accel/soft/translate/gen.h"

#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/cpu/plain.h"

#include <string.h>

#define PAGE 4096u
#define LOOK_AHEAD 6 /* instructions, to learn that flags are not needed */

/* Instructions that fault, or do something else, at other levels than 0. */
static bool may_system(const struct gen *g, enum op_kind kind)
{
	if (kind == OP_PUSHF || kind == OP_SELECTOR || kind == OP_BASE || kind == OP_SYSCALL || kind == OP_STRING ||
	    kind == OP_MASKMOV)
		return true;
	if (kind == OP_RDTSC)
		return !(g->key & BLOCK_KEY_NO_TSC);
	return !(g->key & BLOCK_KEY_USER);
}

/* Things that the operand's kind does not tell. */
static bool may_be_written(const struct gen *g, const struct gen_item *it)
{
	const struct insn *i = &it->i;
	enum op_kind kind = it->op.kind;

	if (i->is_mem && i->base == REG_RIP && i->addr_size != 8)
		return false;
	if (kind == OP_PLAIN || kind == OP_BIT)
		return gen_plain_can(it);
	if (kind == OP_RDTSC && i->opcode == 0x01) /* RDTSCP */
		return cpuid_has(g->cpu, CPUID_WORD_80000001_EDX, 27);
	return true;
}

/* The instruction at @off, of which @len bytes at @raw can be had.  False: it is the interpreter's. */
static bool decode_bytes(const struct gen *g, unsigned off, const uint8_t *raw, size_t len, struct gen_item *ret)
{
	if (insn_decode(CPU_MODE_64, raw, len, &ret->i) != INSN_OK) {
		ret->i.len = 0;
		return false;
	}
	ret->raw = raw;
	ret->off = (uint16_t) off;
	ret->op = op_classify(&ret->i, g->fp);
	if (ret->op.kind >= OP_CLI && !may_system(g, ret->op.kind))
		ret->op.kind = OP_INTERP;
	if (ret->op.kind != OP_INTERP && !may_be_written(g, ret))
		ret->op.kind = OP_INTERP;
	/* Is there such an instruction?  Scales EVEX's displacement, too. */
	if (ret->op.simd && ret->op.kind != OP_INTERP && g->cpu->ops->bind(g->cpu, &ret->i) == NULL)
		ret->op.kind = OP_INTERP;
	return ret->op.kind != OP_INTERP;
}

static bool decode(const struct gen *g, unsigned off, struct gen_item *ret)
{
	return decode_bytes(g, off, g->page + off, PAGE - off, ret);
}

/* The instruction at the start, which goes on in the next page: a block of its own. */
static bool decode_joined(struct gen *g, struct gen_item *ret)
{
	plain_copy(g->joined, g->page + g->start, PAGE - g->start);
	plain_copy(g->joined + PAGE - g->start, g->next, INSN_MAX);
	if (decode_bytes(g, g->start, g->joined, PAGE - g->start + INSN_MAX, ret))
		return true;
	ret->i.len = 0;
	return false;
}

static uint16_t find_live_at(const struct gen *g, int64_t off)
{
	uint16_t live = 0, settled = 0;
	struct gen_item it;

	for (unsigned n = 0; n < LOOK_AHEAD; n++) {
		if (off < 0 || off >= (int64_t) PAGE || !decode(g, (unsigned) off, &it))
			break;
		live |= op_needs(&it.op) & (uint16_t) ~settled;
		settled |= it.op.def;
		if (settled == FL_STATUS)
			return live;
		if (it.op.kind > OP_BIT && it.op.kind != OP_PUSH && it.op.kind != OP_POP)
			break;
		off += it.i.len;
	}
	return live | (FL_STATUS & (uint16_t) ~settled);
}

uint16_t gen_live_at(struct gen *g, int64_t off)
{
	unsigned n = (unsigned) off % GEN_KNOWN;

	if (off < 0 || off >= (int64_t) PAGE)
		return FL_STATUS;
	if (g->known[n].behind != off + 1) {
		g->known[n].live = find_live_at(g, off);
		g->known[n].behind = (uint16_t) (off + 1);
	}
	return g->known[n].live;
}

static bool visited(const struct gen *g, unsigned off)
{
	for (unsigned n = 0; n < g->nr; n++) {
		if (g->item[n].off == off)
			return true;
	}
	return off == g->start;
}

/* Where the block goes on after @it; @g->end is set when it does not. */
static unsigned next(struct gen *g, const struct gen_item *it)
{
	int64_t to;

	switch (it->op.kind) {
	case OP_JMP:
		to = (int64_t) it->off + it->i.len + it->i.imm;
		if (to > it->off && to < (int64_t) PAGE && !visited(g, (unsigned) to)) {
			g->nr--; /* it needs no code */
			return (unsigned) to;
		}
		break;
	case OP_JMP_IND:
	case OP_CALL:
	case OP_CALL_IND:
	case OP_RET:
	case OP_SYSCALL:
	case OP_SYSRET:
		break;
	default:
		g->end = GEN_END_GOTO;
		return (unsigned) it->off + it->i.len;
	}
	g->end = GEN_END_DONE;
	return 0;
}

static void find_live(struct gen *g)
{
	uint16_t live = g->end == GEN_END_GOTO ? gen_live_at(g, g->end_off) : FL_STATUS;

	for (unsigned n = g->nr; n-- > 0;) {
		struct gen_item *it = &g->item[n];

		if (it->op.kind == OP_JMP || it->op.kind == OP_CALL)
			live = gen_live_at(g, (int64_t) it->off + it->i.len + it->i.imm);
		else if (it->op.kind == OP_JCC)
			live |= gen_live_at(g, (int64_t) it->off + it->i.len + it->i.imm);
		else if (it->op.kind == OP_JRCXZ)
			live = FL_STATUS;
		it->live = live;
		live = (uint16_t) ((live & ~it->op.def) | op_needs(&it->op));
	}
}

bool gen_crosses(const uint8_t *page, unsigned off)
{
	struct insn i;

	return off > PAGE - INSN_MAX && insn_decode(CPU_MODE_64, page + off, PAGE - off, &i) == INSN_SHORT;
}

void gen_scan(struct gen *g)
{
	unsigned off = g->start;

	g->end = GEN_END_GOTO;
	while (g->nr < GEN_INSNS && off < PAGE) {
		struct gen_item *it = &g->item[g->nr];

		if (g->nr > 0 && gen_crosses(g->page, off))
			break;
		if (!(g->next != NULL ? decode_joined(g, it) : decode(g, off, it))) {
			g->end = GEN_END_INTERP;
			break;
		}
		g->nr++;
		g->end = GEN_END_GOTO;
		off = next(g, it);
		if (g->end == GEN_END_DONE || g->next != NULL)
			break;
	}
	g->end_off = off;
	find_live(g);
}

void gen_note_insn(struct gen *g, const struct gen_item *it)
{
	struct block_insn *last = &g->insn[g->nr_insns - 1];

	last->off = it->off & 0xFFF;
	last->flags_in_slot = !(g->flags & IN_HOST);
}

/* Flags that are read before they are written, from the start. */
static uint16_t live_at_start(const struct gen *g)
{
	const struct gen_item *first = &g->item[0];

	return g->nr == 0 ? FL_STATUS : (uint16_t) ((first->live & ~first->op.def) | op_needs(&first->op));
}

static void write_entry(struct gen *g, struct block *b)
{
	bool live = live_at_start(g) != 0;

	b->entry = (uint32_t) (g->e.p - g->w);
	g->flags = IN_SLOT;
	emit_gs_group(&g->e, GROUP_CMP, AT(event), 0);
	gen_cold_add(g, &(struct gen_cold) { .kind = COLD_POLL, .from = emit_jcc(&g->e, CC_NE, NULL), .off = g->start });
	if (live)
		emit_restore_flags(&g->e, T1, AT(hot.flags));
	b->host_entry = (uint32_t) (g->e.p - g->w);
	g->flags = live ? IN_HOST : 0;
}

/* See struct block_insn.plain: LOCK may be wrong; with vectors, alignment comes first; MOVS reads before it writes. */
static bool is_plain(const struct gen_item *it)
{
	if (it->i.prefix & PFX_LOCK)
		return false;
	switch (it->op.kind) {
	case OP_PLAIN:
		return !it->op.simd && it->op.mem_size <= sizeof(uint64_t);
	case OP_BIT:
	case OP_PUSH:
	case OP_PUSH_MEM:
	case OP_POP:
	case OP_LEAVE:
	case OP_JMP_IND:
	case OP_CALL:
	case OP_CALL_IND:
	case OP_RET:
		return true;
	default:
		return false;
	}
}

/* Item @n, and those that are written with it.  Return: how many. */
static unsigned write_items(struct gen *g, unsigned n, const struct block *b)
{
	const struct gen_item *it = &g->item[n];
	unsigned in_row;

	g->insn[g->nr_insns++] = (struct block_insn) {
		.host = (uint16_t) (g->e.p - g->w - b->start), .off = it->off & 0xFFF, .flags_in_slot = true,
		.plain = is_plain(it),
	};
	if (it->op.kind == OP_PLAIN) {
		gen_plain(g, it);
		return 1;
	}
	in_row = gen_row(g, n);
	if (in_row != 0)
		return in_row;
	if (it->op.kind == OP_LEA)
		gen_lea(g, it);
	else if (it->op.kind == OP_BIT)
		gen_bit(g, it);
	else if (it->op.kind == OP_STRING)
		gen_string(g, it);
	else if (it->op.kind == OP_MASKMOV)
		gen_maskmov(g, it);
	else if (!gen_flow(g, it))
		(void) gen_system(g, it);
	return 1;
}

static void write_end(struct gen *g)
{
	unsigned source = g->nr == 0 ? g->start : g->item[g->nr - 1].off;

	switch (g->end) {
	case GEN_END_DONE:
		break;
	case GEN_END_INTERP:
		gen_spoil_flags(g, FL_STATUS);
		g->self = emit_mov_later(&g->e, T1);
		(void) emit_jmp(&g->e, g->gates->at[GATE_INTERP]);
		break;
	case GEN_END_GOTO:
		gen_edge(g, source, g->end_off, gen_live_at(g, g->end_off));
		break;
	}
}

/* The next page must be the one that was translated: that is known for where the code was last seen to be. */
static void check_next(struct gen *g)
{
	struct emit *e = &g->e;

	gen_spoil_flags(g, live_at_start(g));
	g->self = emit_mov_later(e, T1);
	emit_gs(e, true, OP_LOAD, T0, AT(hot.epoch));
	emit_gs(e, true, OP_XOR, T0, AT(hot.page));
	emit_rm(e, true, OP_CMP, T0, T1, offsetof(struct block, next_seen));
	gen_cold_add(g, &(struct gen_cold) { .kind = COLD_NEXT, .from = emit_jcc(e, CC_NE, NULL) });
}

static struct block *finish(struct gen *g, struct cache *cache, const struct block *b)
{
	struct block *ret = block_new(cache, g->nr_insns, g->nr_links);

	ret->gpa = b->gpa;
	ret->key = b->key;
	ret->start = b->start;
	ret->entry = b->entry;
	ret->host_entry = b->host_entry;
	ret->interp = g->nr == 0 && g->end == GEN_END_INTERP && g->end_off == g->start;
	if (g->end == GEN_END_INTERP) {
		ret->step = g->item[g->nr].i;
		ret->step_off = (uint16_t) g->end_off;
		ret->step_scalar = op_scalar(&ret->step);
	}
	if (g->self != NULL)
		(void) memcpy(g->self, &(uint64_t) { (uint64_t) (uintptr_t) ret }, sizeof(uint64_t));
	ret->next_gpa = g->next_gpa;
	g->cpu->stat_translated.insns += g->nr + (g->end == GEN_END_INTERP);
	ret->end = (uint32_t) ((size_t) (g->e.p - g->w) + CACHE_ALIGN - 1) & ~(CACHE_ALIGN - 1);
	plain_copy(ret->insn, g->insn, g->nr_insns * sizeof(g->insn[0]));
	for (unsigned l = 0; l < g->nr_links; l++) {
		ret->link[l] = g->link[l];
		ret->link[l].from = ret;
	}
	return ret;
}

struct block *gen_block(struct cpu *cpu, struct cache *cache, const struct gates *gates, const struct tlb_code *page,
			const struct tlb_code *next, unsigned start, uint32_t key)
{
	uint64_t gpa = page->gpa | start;
	struct gen g;
	struct block shape = { .gpa = gpa, .key = key, .start = (uint32_t) cache->pos };
	struct block *b;

	plain_clear(&g, offsetof(struct gen, joined));
	g.e = (struct emit) { .p = cache->w + cache->pos, .end = cache->w + cache->pos + GEN_BYTES - EMIT_SPARE };
	g.cpu = cpu;
	g.w = cache->w;
	g.gates = gates;
	g.page = page->host;
	g.next = next != NULL ? next->host : NULL;
	g.next_gpa = next != NULL ? next->gpa : BLOCK_NO_NEXT;
	g.start = start;
	g.fp = key >> BLOCK_KEY_FP_SHIFT & 3;
	g.key = key;
	g.ways = key & BLOCK_KEY_USER ? WAYS_USER : key & BLOCK_KEY_AC ? WAYS_KERNEL_AC : WAYS_KERNEL;
	gen_scan(&g);
	write_entry(&g, &shape);
	if (next != NULL && g.nr > 0)
		check_next(&g);
	for (unsigned n = 0; n < g.nr;)
		n += write_items(&g, n, &shape);
	write_end(&g);
	gen_cold_write(&g);
	if (g.failed || g.e.full)
		return NULL;
	b = finish(&g, cache, &shape);
	cache_add(cache, b);
	return b;
}

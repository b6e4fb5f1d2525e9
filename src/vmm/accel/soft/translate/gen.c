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

#include <string.h>

#define PAGE 4096u
#define LOOK_AHEAD 6 /* instructions, to learn that flags are not needed */

/* Instructions that fault, or do something else, at other levels than 0. */
static bool may_system(const struct gen *g, enum op_kind kind)
{
	if (kind == OP_PUSHF || kind == OP_SELECTOR)
		return true;
	if (kind == OP_RDTSC)
		return !(g->key & BLOCK_KEY_NO_TSC);
	return !(g->key & BLOCK_KEY_USER);
}

static bool decode(const struct gen *g, unsigned off, struct gen_item *ret)
{
	if (insn_decode(CPU_MODE_64, g->page + off, PAGE - off, &ret->i) != INSN_OK) {
		ret->i.len = 0;
		return false;
	}
	ret->raw = g->page + off;
	ret->off = (uint16_t) off;
	ret->op = op_classify(&ret->i, g->fp);
	if (ret->op.kind >= OP_CLI && !may_system(g, ret->op.kind))
		ret->op.kind = OP_INTERP;
	if ((ret->op.kind == OP_PLAIN || ret->op.kind == OP_BIT) && !gen_plain_can(ret))
		ret->op.kind = OP_INTERP;
	/* Is there such an instruction?  Scales EVEX's displacement, too. */
	if (ret->op.simd && ret->op.kind != OP_INTERP && g->cpu->ops->bind(g->cpu, &ret->i) == NULL)
		ret->op.kind = OP_INTERP;
	return ret->op.kind != OP_INTERP;
}

uint16_t gen_live_at(const struct gen *g, int64_t off)
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

/*
 * An interrupt may come after the instruction behind STI, so that one must be here, and go on behind itself or look
 * for attention where it goes.
 */
static void keep_sti(struct gen *g, unsigned *off)
{
	const struct gen_item *last = g->nr > 0 ? &g->item[g->nr - 1] : NULL;
	unsigned n = g->nr;

	if (n > 1 && (last->op.kind == OP_CALL || last->op.kind == OP_JMP) && g->item[n - 2].op.kind == OP_STI)
		n--;
	for (unsigned i = 0; i + 1 < n; i++) {
		if (g->item[i].op.kind == OP_STI && g->item[i + 1].op.kind == OP_JCC)
			n = i + 1;
	}
	if (n == 0 || g->item[n - 1].op.kind != OP_STI)
		return;
	g->nr = n - 1;
	g->end = GEN_END_INTERP;
	*off = g->item[n - 1].off;
}

void gen_scan(struct gen *g)
{
	unsigned off = g->start;

	g->end = GEN_END_GOTO;
	while (g->nr < GEN_INSNS && off < PAGE) {
		struct gen_item *it = &g->item[g->nr];

		if (!decode(g, off, it)) {
			g->end = GEN_END_INTERP;
			break;
		}
		g->nr++;
		g->end = GEN_END_GOTO;
		off = next(g, it);
		if (g->end == GEN_END_DONE)
			break;
	}
	keep_sti(g, &off);
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

static void write_item(struct gen *g, const struct gen_item *it, const struct block *b)
{
	g->insn[g->nr_insns++] = (struct block_insn) {
		.host = (uint16_t) (g->e.p - g->w - b->start), .off = it->off & 0xFFF, .flags_in_slot = true,
	};
	if (it->op.kind == OP_PLAIN)
		gen_plain(g, it);
	else if (it->op.kind == OP_LEA)
		gen_lea(g, it);
	else if (it->op.kind == OP_BIT)
		gen_bit(g, it);
	else if (!gen_flow(g, it))
		(void) gen_system(g, it);
	if (it->op.kind != OP_STI)
		gen_after_sti(g, it);
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

static struct block *finish(struct gen *g, const struct block *b)
{
	struct block *ret = block_new(g->nr_insns, g->nr_links);

	if (ret == NULL)
		return NULL;
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
		(void) memcpy(g->self, &(uint64_t) { (uint64_t) (uintptr_t) ret }, sizeof(uint64_t));
	}
	ret->end = (uint32_t) ((size_t) (g->e.p - g->w) + CACHE_ALIGN - 1) & ~(CACHE_ALIGN - 1);
	ret->nr_insns = (uint16_t) g->nr_insns;
	ret->nr_links = (uint16_t) g->nr_links;
	(void) memcpy(ret->insn, g->insn, g->nr_insns * sizeof(g->insn[0]));
	for (unsigned l = 0; l < g->nr_links; l++) {
		ret->link[l] = g->link[l];
		ret->link[l].from = ret;
	}
	return ret;
}

struct block *gen_block(struct cpu *cpu, struct cache *cache, const struct gates *gates, const uint8_t *page, uint64_t gpa,
			uint32_t key)
{
	struct gen g = {
		.e = { .p = cache->w + cache->pos, .end = cache->w + cache->pos + GEN_BYTES },
		.cpu = cpu, .w = cache->w, .gates = gates, .page = page, .start = gpa & (PAGE - 1),
		.fp = key >> BLOCK_KEY_FP_SHIFT & 3, .key = key,
		.ways = key & BLOCK_KEY_USER ? WAYS_USER : key & BLOCK_KEY_AC ? WAYS_KERNEL_AC : WAYS_KERNEL,
	};
	struct block shape = { .gpa = gpa, .key = key, .start = (uint32_t) cache->pos };
	struct block *b;

	gen_scan(&g);
	write_entry(&g, &shape);
	for (unsigned n = 0; n < g.nr; n++)
		write_item(&g, &g.item[n], &shape);
	write_end(&g);
	gen_cold_write(&g);
	if (g.failed || g.e.full)
		return NULL;
	b = finish(&g, &shape);
	if (b != NULL)
		cache_add(cache, b);
	return b;
}

/* SPDX-License-Identifier: MIT */
/*
 * How it works: before a block runs, the interpreter executes the code from there on, notes the state after each
 * instruction and what was written to memory, and takes all back.  Where translated code comes back,
 * its state must be one of those.  Of the flags those count that the code really reads later.
 *
 * Whatever else writes to memory meanwhile (other processors, devices) may look like an error.
 */
#include "vmm/accel/soft/translate/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/accel/soft/cpu/exc.h"
#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/cpu/journal.h"
#include "vmm/accel/soft/cpu/mem.h"
#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/translate/gate.h"
#include "vmm/accel/soft/translate/run.h"

#define STEPS 72u /* instructions that are executed ahead: more than a block has */
#define REPORTS 20u

/* Parts of the XSAVE format that are compared: without opcode and addresses of the last x87 instruction, which are not kept */
static const struct part {
	uint16_t at, size;
} parts[] = { { 0, 6 }, { 24, 4 }, { 32, 384 }, { 576, XSAVE_SIZE - 576 } };

/** struct state - what is compared besides vector registers and memory */
struct state {
	uint64_t reg[16], rip, fs, gs, kernel_gs;
	uint32_t status, flags;
	uint16_t cs, ss;
	uint8_t cpl;
};

/**
 * struct step - before an instruction
 * @writes: to memory until here; @fp: index of vector registers
 * @use, @def: FL_STATUS bits that the instruction reads and overwrites
 */
struct step {
	struct state state;
	unsigned writes, fp;
	uint16_t use, def;
};

/**
 * struct verify - see verify.h
 * @open: what comes behind the last of the @nr steps is not known
 * @journal: also of writes that belong to no step
 */
struct verify {
	bool open;
	unsigned nr, nr_fp, reports;
	struct step step[STEPS];
	struct journal journal;
	_Alignas(64) uint8_t fp[STEPS + 1][XSAVE_SIZE];
};

struct verify *verify_new(void)
{
	struct verify *v = aligned_alloc(64, (sizeof(*v) + 63) & ~(size_t) 63);

	if (v != NULL)
		memset(v, 0, sizeof(*v));
	return v;
}

void verify_free(struct verify *v)
{
	free(v);
}

static void look(const struct cpu *c, struct state *ret)
{
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->reg, c->reg, sizeof(ret->reg));
	ret->rip = c->reg[REG_RIP];
	ret->fs = c->seg[SEG_FS].base;
	ret->gs = c->seg[SEG_GS].base;
	ret->kernel_gs = c->kernel_gs_base;
	ret->status = c->status;
	ret->flags = c->flags & ~FL_RF;
	ret->cs = c->seg[SEG_CS].sel;
	ret->ss = c->seg[SEG_SS].sel;
	ret->cpl = c->cpl;
}

static void note(const struct cpu *c, struct verify *v, bool vectors)
{
	struct step *s = &v->step[v->nr++];

	look(c, &s->state);
	if (vectors)
		memcpy(v->fp[v->nr_fp++], c->xsave, XSAVE_SIZE);
	s->writes = v->journal.nr;
	s->fp = v->nr_fp - 1;
	s->use = s->def = 0;
}

/* Is what it does here, and what comes next, the same twice? */
static bool is_repeatable(const struct op *op)
{
	return op->kind != OP_INTERP && op->kind != OP_RDTSC;
}

/* Return: it was executed, and does not go to another level. */
static bool execute(struct cpu *c, struct verify *v, struct insn *i)
{
	struct op op = op_classify(i, translator_fp(c));
	bool last = op.kind == OP_SYSCALL || op.kind == OP_SYSRET;

	v->open = !is_repeatable(&op);
	if (v->open)
		return false;
	v->step[v->nr - 1].use = last ? FL_STATUS : op_needs(&op);
	v->step[v->nr - 1].def = op.def;
	insn_bind(c, i);
	c->tlb_now = tlb_array(c, TLB_SLOW);
	if (setjmp(c->unwind) != 0)
		return false; /* as the translated block will */
	c->insn = i;
	c->reg[REG_RIP] += i->len;
	i->exec(c, i);
	c->insn = NULL;
	journal_look(&v->journal);
	note(c, v, op.simd);
	return !last;
}

/* Instructions until one that is not known, or not to be had. */
static void go_ahead(struct cpu *c, struct verify *v)
{
	struct insn i;

	c->journal = &v->journal;
	do
		v->open = !translator_decode(c, &i);
	while (!v->open && execute(c, v, &i) && v->nr < STEPS);
	c->journal = NULL;
}

void verify_begin(struct cpu *c, struct verify *v)
{
	struct state before;
	struct cpu_seg seg[SEG_NR];
	struct tlb_entry *tlb = c->tlb_now;
	uint32_t flags = c->flags, status = c->status;

	look(c, &before);
	memcpy(seg, c->seg, sizeof(seg));
	journal_clear(&v->journal);
	v->nr = v->nr_fp = 0;
	note(c, v, true);
	go_ahead(c, v);

	journal_undo(&v->journal);
	memcpy(c->reg, before.reg, sizeof(before.reg));
	c->reg[REG_RIP] = before.rip;
	memcpy(c->seg, seg, sizeof(seg));
	memcpy(c->xsave, v->fp[0], XSAVE_SIZE);
	c->kernel_gs_base = before.kernel_gs;
	c->cpl = before.cpl;
	c->insn = NULL;
	c->shadow = 0;
	c->pending_db = 0;
	c->leave = false;
	replay_done(c);
	c->flags = flags;
	c->status = status;
	cpu_mode_changed(c);
	c->tlb_now = tlb;
}

/* Flags that are read from @s on. */
static uint32_t flags_read(const struct verify *v, const struct step *s)
{
	uint32_t live = 0, settled = 0;

	for (; s < &v->step[v->nr - 1] && settled != FL_STATUS; s++) {
		live |= s->use & ~settled;
		settled |= s->def;
	}
	return live;
}

static bool vectors_differ(const uint8_t *a, const uint8_t *b)
{
	for (unsigned n = 0; n < sizeof(parts) / sizeof(parts[0]); n++)
		if (memcmp(a + parts[n].at, b + parts[n].at, parts[n].size) != 0)
			return true;
	return false;
}

static void print_state(const char *who, const struct state *s)
{
	(void) fprintf(stderr, "  %s rip %016" PRIx64 " flags %06" PRIx32 " cpl %u fs %" PRIx64 " gs %" PRIx64 "\n   ", who,
		       s->rip, s->flags | s->status, s->cpl, s->fs, s->gs);
	for (unsigned n = 0; n < 16; n++)
		(void) fprintf(stderr, " %016" PRIx64 "%s", s->reg[n], n % 4 == 3 && n != 15 ? "\n   " : "");
	(void) fputc('\n', stderr);
}

static void report(struct cpu *c, struct verify *v, const char *what, const struct state *ours, const struct step *s)
{
	c->stat_translated.wrong++;
	if (v->reports++ >= REPORTS)
		return;
	(void) fprintf(stderr, "verify: %s after %td instructions, left for reason %" PRIu32 "\n", what,
		       s != NULL ? s - v->step : (ptrdiff_t) -1, c->hot.kind);
	print_state("before     ", &v->step[0].state);
	print_state("translated ", ours);
	if (s != NULL)
		print_state("interpreted", &s->state);
}

/* Return: what is not as it was before @s, or NULL. */
static const char *difference(struct cpu *c, struct verify *v, const struct state *ours, const struct step *s)
{
	uint32_t live = flags_read(v, s);
	struct state a = *ours, b = s->state;

	a.status &= live;
	b.status &= live;
	if (memcmp(&a, &b, sizeof(a)) != 0)
		return "registers differ";
	if (vectors_differ(c->xsave, v->fp[s->fp]))
		return "vector registers differ";
	return journal_compare(&v->journal, s->writes) != NULL ? "memory differs" : NULL;
}

/* It may have come by there more than once: a loop behind other code is one block. */
void verify_end(struct cpu *c, struct verify *v)
{
	bool moved = c->hot.kind == GATE_LINK || c->hot.kind == GATE_JUMP || c->hot.kind == GATE_ARRIVE;
	const struct step *first = NULL;
	const char *wrong = NULL;
	struct state ours;

	look(c, &ours);
	for (unsigned n = 0; n < v->nr; n++) {
		const struct step *s = &v->step[n];
		const char *differs;

		if (s->state.rip != ours.rip || (moved && n == 0 && v->nr > 1))
			continue;
		differs = difference(c, v, &ours, s);
		if (differs == NULL) {
			c->stat_translated.verified++;
			return;
		}
		if (first == NULL) {
			first = s;
			wrong = differs;
		}
	}
	if (first != NULL || !v->open)
		report(c, v, first != NULL ? wrong : "it is at the wrong place", &ours, first);
}

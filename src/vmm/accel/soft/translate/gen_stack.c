/* SPDX-License-Identifier: MIT */
/*
 * Pushes and pops, which come in rows: functions save registers, and restore them and return.
 *
 * How it works: the stack's page is looked up once for all of a row, and nothing changes before.  For a row in two
 * pages there is another block, without rows.
 */
#include "vmm/accel/soft/translate/gen.h"

#define ROW_MAX 16 /* instructions */

static unsigned reg_of(const struct insn *i)
{
	return (i->opcode & 7) | (i->rm & 8);
}

/* How many items from @n on are pushes, or pops that leave RSP alone otherwise. */
static unsigned row(const struct gen *g, unsigned n, enum op_kind kind)
{
	unsigned k = 0, max = g->key & BLOCK_KEY_NO_ROWS ? 1 : ROW_MAX;

	while (n + k < g->nr && k < max && g->item[n + k].op.kind == kind &&
	       (kind == OP_PUSH || reg_of(&g->item[n + k].i) != REG_RSP))
		k++;
	return k;
}

/* T0 is where the lowest of a row goes; this one goes @up bytes above it, and @pushed bytes were pushed before. */
static void push(struct gen *g, const struct gen_item *it, int32_t up, int32_t pushed)
{
	struct emit *e = &g->e;
	unsigned reg = reg_of(&it->i);

	if (it->op.imm) {
		emit_rm(e, true, 0xC7, 0, T0, up);
		emit_32(e, (uint32_t) it->i.imm);
		return;
	}
	if (reg == REG_RSP) {
		emit_lea(e, true, T1, HOST_RSP, HOST_NONE, 0, -pushed);
		reg = T1;
	} else {
		reg = gen_reg_to(g, reg, T1);
	}
	emit_rm(e, true, OP_STORE, reg, T0, up);
}

static unsigned pushes(struct gen *g, unsigned n)
{
	unsigned k = row(g, n, OP_PUSH);
	int32_t size = (int32_t) k * 8;

	gen_spoil_flags(g, g->item[n].live);
	gen_stack(g, -size, (unsigned) size, true);
	for (unsigned j = 0; j < k; j++)
		push(g, &g->item[n + j], size - 8 * (int32_t) (j + 1), 8 * (int32_t) j);
	emit_lea(&g->e, true, HOST_RSP, HOST_RSP, HOST_NONE, 0, -size);
	return k;
}

static void pop_rsp(struct gen *g, const struct gen_item *it)
{
	gen_spoil_flags(g, it->live);
	gen_stack(g, 0, 8, false);
	emit_rm(&g->e, true, OP_LOAD, HOST_RSP, T0, 0);
}

static void pop(struct gen *g, unsigned reg, int32_t up)
{
	unsigned to = gen_is_in_memory(reg) ? T1 : reg;

	emit_rm(&g->e, true, OP_LOAD, to, T0, up);
	if (gen_is_in_memory(reg))
		emit_gs(&g->e, true, OP_STORE, to, AT_REG(reg));
}

/* Bytes that a return takes away besides the address. */
static int32_t dropped(const struct gen_item *ret)
{
	return ret->i.opcode == 0xC2 ? (int32_t) (ret->i.imm & 0xFFFF) : 0;
}

/* @ret: behind the row, or NULL */
static void pops(struct gen *g, unsigned n, unsigned k, const struct gen_item *ret)
{
	int32_t size = (int32_t) k * 8, more = ret == NULL ? 0 : 8 + dropped(ret);
	struct emit *e = &g->e;

	gen_spoil_flags(g, ret == NULL ? g->item[n].live : FL_STATUS);
	gen_stack(g, 0, (unsigned) size + (ret == NULL ? 0 : 8), false);
	for (unsigned j = 0; j < k; j++)
		pop(g, reg_of(&g->item[n + j].i), 8 * (int32_t) j);
	if (ret != NULL)
		emit_rm(e, true, OP_LOAD, T0, T0, size);
	emit_lea(e, true, HOST_RSP, HOST_RSP, HOST_NONE, 0, size + more);
	if (ret != NULL)
		gen_jump(g, ret->off, -more);
}

static unsigned pops_and_ret(struct gen *g, unsigned n)
{
	unsigned k = row(g, n, OP_POP);
	bool returns = n + k < g->nr && g->item[n + k].op.kind == OP_RET && (k == 0 || !(g->key & BLOCK_KEY_NO_ROWS));

	if (k == 0 && !returns) {
		pop_rsp(g, &g->item[n]);
		return 1;
	}
	pops(g, n, k, returns ? &g->item[n + k] : NULL);
	return k + returns;
}

unsigned gen_row(struct gen *g, unsigned n)
{
	enum op_kind kind = g->item[n].op.kind;
	unsigned k;

	if (kind != OP_PUSH && kind != OP_POP && kind != OP_RET)
		return 0;
	k = kind == OP_PUSH ? pushes(g, n) : pops_and_ret(g, n);
	g->insn[g->nr_insns - 1].row = k > 1;
	return k;
}

/* SPDX-License-Identifier: MIT */
/*
 * Instructions whose operands are at RSI and RDI: REP MOVS and REP STOS within a page, which operating systems copy and
 * clear with, and MASKMOV.
 *
 * How it works: the host executes the same instruction with host addresses in RSI and RDI.  What does not
 * fit into a page, or goes downwards, is the interpreter's.
 */
#include "vmm/accel/soft/translate/gen.h"

#define PAGE 4096

static void fault_if(struct gen *g, const struct gen_item *it, unsigned cc)
{
	gen_cold_add(g, &(struct gen_cold) { .kind = COLD_FAULT, .from = emit_jcc(&g->e, cc, NULL), .off = it->off });
}

/* struct cpu.hot.string = @reg behind the last element */
static void remember_end(struct gen *g, const struct gen_item *it, unsigned reg, unsigned n)
{
	emit_lea(&g->e, true, T1, reg, HOST_RCX, (unsigned) __builtin_ctz(it->i.size), 0);
	emit_gs(&g->e, true, OP_STORE, T1, AT(hot.string) + n * sizeof(uint64_t));
}

static void host_string(struct emit *e, const struct insn *i)
{
	if (i->size == 2)
		emit_8(e, 0x66);
	emit_8(e, 0xF3);
	if (i->size == 8)
		emit_8(e, 0x48);
	emit_8(e, i->opcode);
}

void gen_string(struct gen *g, const struct gen_item *it)
{
	bool moves = (it->i.opcode & 0xFE) == 0xA4;
	struct emit *e = &g->e;
	uint8_t *none;

	gen_spoil_flags(g, it->live);
	emit_gs_test(e, AT(flags), FL_DF);
	fault_if(g, it, CC_NE);
	emit_group(e, true, GROUP_CMP, HOST_RCX, PAGE / it->i.size);
	fault_if(g, it, CC_A);
	emit_rr(e, true, 0x85, HOST_RCX, HOST_RCX); /* TEST */
	none = emit_jcc(e, CC_E, NULL);

	gen_elements(g, it, HOST_RDI, true);
	if (moves) {
		emit_gs(e, true, OP_STORE, T0, AT(hot.target));
		gen_elements(g, it, HOST_RSI, false);
		remember_end(g, it, HOST_RSI, 1);
		emit_mov(e, HOST_RSI, T0);
	}
	remember_end(g, it, HOST_RDI, 0);
	if (moves)
		emit_gs(e, true, OP_LOAD, HOST_RDI, AT(hot.target));
	else
		emit_mov(e, HOST_RDI, T0);
	host_string(e, &it->i);
	emit_gs(e, true, OP_LOAD, HOST_RDI, AT(hot.string));
	if (moves)
		emit_gs(e, true, OP_LOAD, HOST_RSI, AT(hot.string) + sizeof(uint64_t));
	emit_patch(none, e->p);
}

/* That of MMX may raise #MF, which must find RDI as it was: a move from MM0 to T1 comes before, and would. */
void gen_maskmov(struct gen *g, const struct gen_item *it)
{
	static const uint8_t mmx_move[] = { 0x41, 0x0F, 0x7E, 0xC3 };
	struct emit *e = &g->e;

	gen_spoil_flags(g, FL_STATUS);
	gen_base(g, REG_RDI, it->op.mem_size, true);
	gen_note_insn(g, it);
	if (it->i.pp == 0)
		emit_bytes(e, mmx_move, sizeof(mmx_move));
	emit_mov(e, T1, HOST_RDI);
	emit_mov(e, HOST_RDI, T0);
	emit_bytes(e, it->raw, it->i.len);
	emit_mov(e, HOST_RDI, T1);
}

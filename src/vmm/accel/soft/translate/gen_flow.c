/* SPDX-License-Identifier: MIT */
/*
 * Branches, calls and returns.
 *
 * How it works: every cycle of the guest's code goes through an edge backwards or out of the page,
 * and those enter the next block where it looks whether somebody wants attention.  A direct branch
 * inside of the page is a link: translations of a page stay valid together.  All others look
 * their linear address up in a table that belongs to the address space.
 */
#include "vmm/accel/soft/translate/gen.h"

#include <string.h>

#define PAGE 4096

void gen_cold_add(struct gen *g, const struct gen_cold *cold)
{
	if (g->nr_cold == GEN_COLD) {
		g->failed = true;
		return;
	}
	g->cold[g->nr_cold] = *cold;
	g->cold[g->nr_cold].flags = g->flags;
	g->nr_cold++;
}

void gen_spoil_flags(struct gen *g, uint16_t live)
{
	if (live == 0) {
		g->flags = 0;
		return;
	}
	if (g->flags == IN_HOST)
		emit_save_flags(&g->e, T1, AT(hot.flags));
	if (g->flags != 0)
		g->flags = IN_SLOT;
}

void gen_need_flags(struct gen *g)
{
	if (g->flags == IN_SLOT) {
		emit_restore_flags(&g->e, T1, AT(hot.flags));
		g->flags = IN_SLOT | IN_HOST;
	}
}

/* The branch whose rel32 is at @at goes to @off of this page. */
static void link_to(struct gen *g, uint8_t *at, int64_t off, bool to_host, uint16_t live)
{
	gen_cold_add(g, &(struct gen_cold) { .kind = COLD_LINK, .from = at, .off = off, .live = live });
	if (g->nr_links == GEN_COLD || at == NULL) {
		g->failed = true;
		return;
	}
	g->link[g->nr_links++] = (struct link) { .at = (uint32_t) (at - g->w), .off = (uint16_t) off, .to_host = to_host };
}

static bool in_page(int64_t off)
{
	return off >= 0 && off < PAGE;
}

/* Can a branch to @off, where @live flags matter, enter the block with the flags in the host's? */
static bool enters_host(const struct gen *g, unsigned source, int64_t off, uint16_t live)
{
	return off > source && (live == 0 || g->flags & IN_HOST);
}

void gen_jump(struct gen *g, unsigned source, int undo)
{
	uint8_t *unknown = gate_jump(g->gates, &g->e);

	gen_cold_add(g, &(struct gen_cold) { .kind = COLD_JUMP, .from = unknown, .source = source, .off = undo });
}

void gen_edge(struct gen *g, unsigned source, int64_t off, uint16_t live)
{
	if (in_page(off) && enters_host(g, source, off, live)) {
		link_to(g, emit_jmp(&g->e, NULL), off, true, live);
		return;
	}
	gen_spoil_flags(g, live);
	if (in_page(off)) {
		link_to(g, emit_jmp(&g->e, NULL), off, false, live);
		return;
	}
	gen_page_address(g, T0, off);
	gen_jump(g, source, 0);
}

/* Conditional branch @cc to @off. */
static void branch(struct gen *g, const struct gen_item *it, unsigned cc, int64_t off)
{
	uint16_t live = gen_live_at(g, off);
	uint8_t *at;

	gen_need_flags(g);
	at = emit_jcc(&g->e, cc, NULL);
	if (in_page(off) && enters_host(g, it->off, off, live))
		link_to(g, at, off, true, live);
	else if (in_page(off) && (live == 0 || g->flags & IN_SLOT))
		link_to(g, at, off, false, live);
	else
		gen_cold_add(g, &(struct gen_cold) { .kind = COLD_EDGE, .from = at, .off = off, .source = it->off,
						     .live = live });
}

static int64_t target(const struct gen_item *it)
{
	return (int64_t) it->off + it->i.len + it->i.imm;
}

/* JRCXZ over a short jump over a long one. */
static void jrcxz(struct gen *g, const struct gen_item *it)
{
	static const uint8_t code[] = { 0xE3, 0x02, 0xEB, 0x05 };

	if (it->i.addr_size == 4)
		emit_8(&g->e, 0x67);
	emit_bytes(&g->e, code, sizeof(code));
	gen_cold_add(g, &(struct gen_cold) { .kind = COLD_EDGE, .from = emit_jmp(&g->e, NULL), .off = target(it),
					     .source = it->off, .live = FL_STATUS });
}

/* Store T1 or a host register below RSP, then move RSP. */
static void push_reg(struct gen *g, unsigned reg)
{
	emit_rm(&g->e, true, OP_STORE, reg, T0, 0);
	emit_lea(&g->e, true, HOST_RSP, HOST_RSP, HOST_NONE, 0, -8);
}

static void push_mem(struct gen *g, const struct gen_item *it)
{
	gen_spoil_flags(g, it->live);
	gen_operand(g, it);
	emit_rm(&g->e, true, OP_LOAD, T0, T0, 0);
	emit_gs(&g->e, true, OP_STORE, T0, AT(hot.target));
	gen_stack(g, -8, 8, true);
	emit_gs(&g->e, true, OP_LOAD, T1, AT(hot.target));
	push_reg(g, T1);
}

static void leave(struct gen *g, const struct gen_item *it)
{
	gen_spoil_flags(g, it->live);
	gen_base(g, REG_RBP, 8, false);
	emit_lea(&g->e, true, HOST_RSP, HOST_RBP, HOST_NONE, 0, 8);
	emit_rm(&g->e, true, OP_LOAD, HOST_RBP, T0, 0);
}

static void push_return_address(struct gen *g, const struct gen_item *it)
{
	gen_stack(g, -8, 8, true);
	gen_page_address(g, T1, (int64_t) it->off + it->i.len);
	push_reg(g, T1);
}

static void call(struct gen *g, const struct gen_item *it)
{
	uint16_t live = gen_live_at(g, target(it));

	gen_spoil_flags(g, live);
	push_return_address(g, it);
	gen_edge(g, it->off, target(it), live);
}

/* T0 = where an indirect branch goes. */
static void load_target(struct gen *g, const struct gen_item *it)
{
	if (it->i.is_mem) {
		gen_operand(g, it);
		emit_rm(&g->e, true, OP_LOAD, T0, T0, 0);
	} else {
		emit_mov(&g->e, T0, gen_reg_to(g, it->i.rm, T0));
	}
}

static void jump_indirect(struct gen *g, const struct gen_item *it)
{
	gen_spoil_flags(g, FL_STATUS);
	load_target(g, it);
	gen_jump(g, it->off, 0);
}

/* A target that is not canonical faults before anything is pushed. */
static void call_indirect(struct gen *g, const struct gen_item *it)
{
	struct emit *e = &g->e;

	gen_spoil_flags(g, FL_STATUS);
	load_target(g, it);
	emit_mov(e, T1, T0);
	emit_shift_left(e, true, T1, 16);
	emit_shift_arithmetic(e, T1, 16);
	emit_rr(e, true, OP_CMP, T1, T0);
	gen_cold_add(g, &(struct gen_cold) { .kind = COLD_FAULT, .from = emit_jcc(e, CC_NE, NULL), .off = it->off });
	emit_gs(e, true, OP_STORE, T0, AT(hot.target));
	push_return_address(g, it);
	emit_gs(e, true, OP_LOAD, T0, AT(hot.target));
	gen_jump(g, it->off, 0);
}

bool gen_flow(struct gen *g, const struct gen_item *it)
{
	switch (it->op.kind) {
	case OP_PUSH_MEM:
		push_mem(g, it);
		break;
	case OP_LEAVE:
		leave(g, it);
		break;
	case OP_JCC:
		branch(g, it, it->i.opcode & 15, target(it));
		break;
	case OP_JRCXZ:
		jrcxz(g, it);
		break;
	case OP_JMP:
		gen_edge(g, it->off, target(it), gen_live_at(g, target(it)));
		break;
	case OP_JMP_IND:
		jump_indirect(g, it);
		break;
	case OP_CALL:
		call(g, it);
		break;
	case OP_CALL_IND:
		call_indirect(g, it);
		break;
	default:
		return false;
	}
	return true;
}

static void write_link(struct gen *g, const struct gen_cold *c)
{
	bool save = c->live != 0 && c->flags == IN_HOST;

	for (unsigned l = 0; l < g->nr_links; l++) {
		if (g->link[l].at == (uint32_t) (c->from - g->w))
			g->link[l].gate = (uint32_t) (g->e.p - g->w);
	}
	emit_mov_imm(&g->e, T1, (uint64_t) (c->from - g->w));
	(void) emit_jmp(&g->e, save ? g->gates->link_save : g->gates->at[GATE_LINK]);
}

void gen_cold_write(struct gen *g)
{
	/* An edge may add links. */
	for (unsigned n = 0; n < g->nr_cold && !g->failed; n++) {
		struct gen_cold c = g->cold[n];

		if (g->e.full)
			return;
		emit_patch(c.from, g->e.p);
		g->flags = c.flags;
		switch (c.kind) {
		case COLD_POLL:
			emit_mov_imm(&g->e, T1, (uint64_t) c.off);
			(void) emit_jmp(&g->e, g->gates->at[GATE_POLL]);
			break;
		case COLD_SLOW_READ:
		case COLD_SLOW_WRITE:
			gen_slow(g, &c);
			break;
		case COLD_LINK:
			write_link(g, &c);
			break;
		case COLD_FAULT:
			emit_mov_imm(&g->e, T1, (uint64_t) c.off);
			(void) emit_jmp(&g->e, g->gates->at[GATE_FAULT]);
			break;
		case COLD_JUMP:
			emit_mov_imm(&g->e, T1, (uint64_t) c.off << GATE_JUMP_UNDO_SHIFT | c.source);
			(void) emit_jmp(&g->e, g->gates->at[GATE_JUMP]);
			break;
		case COLD_NEXT:
			(void) emit_jmp(&g->e, g->gates->at[GATE_NEXT]);
			break;
		case COLD_EDGE:
			gen_edge(g, c.source, c.off, c.live);
			break;
		}
	}
}

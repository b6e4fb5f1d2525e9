/* SPDX-License-Identifier: MIT */
/*
 * Memory operands, and instructions that are copied.
 *
 * How it works: the address goes to T0, the entry of the soft TLB for it to T1, and then the host
 * address to T0; the copy of the instruction has [T0] where the original had its operand.  A miss
 * leaves to the run loop, which fills the TLB and starts again at the computation of the address,
 * or lets the interpreter execute the instruction: nothing was changed yet.
 */
#include "vmm/accel/soft/translate/gen.h"

#define PAGE 4096

/* Registers in memory that @it names as reg, rm, opcode register or vvvv. */
static bool names_memory_register(const struct gen_item *it)
{
	const struct insn *i = &it->i;
	const struct op *op = &it->op;

	return (op->reg != 0 && gen_is_in_memory(i->reg & 15)) ||
	       (op->rm != 0 && !i->is_mem && gen_is_in_memory(i->rm & 15)) ||
	       (op->vvvv != 0 && gen_is_in_memory(i->vvvv & 15)) ||
	       (op->opreg != 0 && gen_is_in_memory((i->opcode & 7) | (i->rm & 8)));
}

/* ADD SIZE of 67: a 32-bit offset. */
static bool wide(const struct insn *i)
{
	return i->addr_size == 8;
}

bool gen_plain_can(const struct gen_item *it)
{
	const struct insn *i = &it->i;
	const struct op *op = &it->op;

	if (i->is_mem && op->mem == 0)
		return false;
	/* AH to BH cannot be named together with T0. */
	if (i->is_mem && op->reg != 0 && i->size == 1 && !(i->prefix & PFX_REX) && i->reg >= 4 && i->enc == ENC_LEGACY)
		return false;
	if (i->enc == ENC_EVEX && names_memory_register(it))
		return false;
	/* T1 cannot be two registers, except one that is read before the other is written. */
	if (op->vvvv != 0 && op->reg != 0 && gen_is_in_memory(i->vvvv & 15) && gen_is_in_memory(i->reg & 15) &&
	    (op->vvvv != ROLE_R || op->reg != ROLE_W))
		return false;
	return true;
}

unsigned gen_reg_to(struct gen *g, unsigned reg, unsigned scratch)
{
	if (!gen_is_in_memory(reg))
		return reg;
	emit_gs(&g->e, true, OP_LOAD, scratch, AT_REG(reg));
	return scratch;
}

void gen_page_address(struct gen *g, unsigned to, int64_t off)
{
	int32_t first = off > INT32_MAX ? INT32_MAX : off < INT32_MIN ? INT32_MIN : (int32_t) off;

	emit_gs(&g->e, true, OP_LOAD, to, AT(hot.page));
	emit_lea(&g->e, true, to, to, HOST_NONE, 0, first);
	if (off != first)
		emit_lea(&g->e, true, to, to, HOST_NONE, 0, (int32_t) (off - first));
}

/* @to = offset of the memory operand in its segment.  Spoils T1; leaves flags alone. */
static void effective_address(struct gen *g, const struct gen_item *it, unsigned to)
{
	const struct insn *i = &it->i;
	unsigned base = HOST_NONE, index = HOST_NONE;

	if (i->base == REG_RIP) {
		gen_page_address(g, to, (int64_t) it->off + i->len + i->disp);
		return;
	}
	if (i->base != REG_ZERO)
		base = gen_reg_to(g, i->base, T0);
	if (i->index != REG_ZERO)
		index = gen_reg_to(g, i->index, T1);
	emit_lea(&g->e, wide(i), to, base, index, i->scale, i->disp);
}

/* Offset of the pointer to the TLB entry that code like this, with base register @base, has used last. */
static size_t way_of(const struct gen *g, unsigned base, unsigned salt)
{
	unsigned n = base == REG_RSP ? REG_RSP : base + salt * 16;

	return AT(hot.way) + (g->ways * CPU_WAYS + n % CPU_WAYS) * sizeof(void *);
}

static int32_t tag_of(bool write)
{
	return write ? offsetof(struct tlb_entry, write) : offsetof(struct tlb_entry, read);
}

/* Holes of struct gate_probe */
enum probe_hot { HOT_WAY, HOT_ROOM, HOT_SLOW };
enum probe_slow { SLOW_WAY, SLOW_ROOM, SLOW_BACK, SLOW_RETRY, SLOW_GATE };

/* Flags: is T0 (linear) not in the page of the entry T1, or too near to its end?  T0 = offset in the page. */
static void compare(struct emit *e, struct emit_shape *s, bool write)
{
	emit_rm(e, true, OP_SUB, T0, T1, tag_of(write));
	emit_group(e, true, GROUP_CMP, T0, PAGE);
	emit_hole(e, s);
}

static void shape_hot(struct emit_shape *s, bool write)
{
	struct emit e = { .p = s->code, .end = s->code + EMIT_SHAPE };

	emit_gs(&e, true, OP_LOAD, T1, AT(hot.way));
	emit_hole(&e, s);
	compare(&e, s, write);
	(void) emit_jcc(&e, CC_A, NULL);
	emit_hole(&e, s);
	emit_rm(&e, true, OP_ADD, T0, T1, offsetof(struct tlb_entry, host));
	s->len = (uint8_t) (e.p - s->code);
}

static void shape_slow(struct emit_shape *s, bool write)
{
	struct emit e = { .p = s->code, .end = s->code + EMIT_SHAPE };

	_Static_assert(sizeof(struct tlb_entry) == 32, "shift of the page number below");
	emit_rm(&e, true, OP_ADD, T0, T1, tag_of(write));
	emit_rr(&e, false, OP_LOAD, T1, T0);
	emit_shift_right(&e, false, T1, 12 - 5);
	emit_group(&e, false, GROUP_AND, T1, (TLB_ENTRIES - 1) << 5);
	emit_gs(&e, true, OP_ADD, T1, AT(tlb_now));
	emit_gs(&e, true, OP_STORE, T1, AT(hot.way));
	emit_hole(&e, s);
	compare(&e, s, write);
	(void) emit_jcc(&e, CC_BE, NULL);
	emit_hole(&e, s);
	emit_rm(&e, true, OP_ADD, T0, T1, tag_of(write));
	emit_mov_imm(&e, T1, 0);
	emit_hole(&e, s);
	(void) emit_jmp(&e, NULL);
	emit_hole(&e, s);
	s->len = (uint8_t) (e.p - s->code);
}

void gen_shape_probe(struct gate_probe *p, bool write)
{
	*p = (struct gate_probe) { 0 };
	shape_hot(&p->hot, write);
	shape_slow(&p->slow, write);
}

/* T0 = host address of @size bytes at linear address T0. */
static void probe(struct gen *g, unsigned size, bool write, size_t way, uint8_t *retry)
{
	const struct emit_shape *s = &g->gates->probe[write].hot;
	uint8_t *p = emit_shape(&g->e, s);

	emit_shape_set(s, p, HOT_WAY, (int32_t) way);
	emit_shape_set(s, p, HOT_ROOM, PAGE - (int32_t) size);
	gen_cold_add(g, &(struct gen_cold) { .kind = write ? COLD_SLOW_WRITE : COLD_SLOW_READ,
					     .from = emit_shape_at(s, p, HOT_SLOW), .retry = retry, .size = size, .way = way });
}

void gen_slow(struct gen *g, const struct gen_cold *c)
{
	bool write = c->kind == COLD_SLOW_WRITE;
	const struct emit_shape *s = &g->gates->probe[write].slow;
	uint8_t *p = emit_shape(&g->e, s);

	emit_shape_set(s, p, SLOW_WAY, (int32_t) c->way);
	emit_shape_set(s, p, SLOW_ROOM, PAGE - (int32_t) c->size);
	emit_patch(emit_shape_at(s, p, SLOW_BACK), c->from + sizeof(int32_t));
	emit_shape_set(s, p, SLOW_RETRY, (int32_t) (c->retry - g->w));
	emit_patch(emit_shape_at(s, p, SLOW_GATE), g->gates->at[write ? GATE_SLOW_WRITE : GATE_SLOW_READ]);
}

/* Code that is near shares a way if it uses the same base register, or accesses the same static page. */
static size_t operand_way(const struct gen *g, const struct gen_item *it)
{
	const struct insn *i = &it->i;

	if (i->base == REG_ZERO || i->base == REG_RIP)
		return way_of(g, i->index & 15, 1 + (unsigned) ((it->off + i->disp) >> 12) % 3);
	return way_of(g, i->base, ((unsigned) it->off >> 7 ^ (unsigned) (i->disp + 2048) >> 12) & 3);
}

/* T0 += the bytes that the bit offset in a register skips, or -= them. */
static void skip_bits(struct gen *g, const struct insn *i, bool back)
{
	bool quad = i->size == 8;
	struct emit *e = &g->e;
	unsigned reg = gen_reg_to(g, i->reg, T1);

	if (quad)
		emit_mov(e, T1, reg);
	else
		emit_rr(e, true, 0x63, T1, reg); /* MOVSXD */
	emit_shift_arithmetic(e, T1, quad ? 6 : 5);
	if (back)
		emit_negate(e, T1);
	emit_lea(e, true, T0, T0, T1, quad ? 3 : 2, 0);
}

void gen_operand(struct gen *g, const struct gen_item *it)
{
	uint8_t *retry = g->e.p;

	effective_address(g, it, T0);
	if (it->op.kind == OP_BIT)
		skip_bits(g, &it->i, false);
	if (it->i.seg == SEG_FS || it->i.seg == SEG_GS)
		emit_gs(&g->e, true, OP_ADD, T0, AT(seg) + it->i.seg * sizeof(struct cpu_seg) + offsetof(struct cpu_seg, base));
	probe(g, it->op.mem_size, it->op.mem & ROLE_W, operand_way(g, it), retry);
}

void gen_stack(struct gen *g, int32_t disp, unsigned size, bool write)
{
	uint8_t *retry = g->e.p;

	emit_lea(&g->e, true, T0, HOST_RSP, HOST_NONE, 0, disp);
	probe(g, size, write, way_of(g, REG_RSP, 0), retry);
}

void gen_base(struct gen *g, unsigned reg, unsigned size, bool write)
{
	uint8_t *retry = g->e.p;

	emit_mov(&g->e, T0, gen_reg_to(g, reg, T0));
	probe(g, size, write, way_of(g, reg, 0), retry);
}

void gen_elements(struct gen *g, const struct gen_item *it, unsigned reg, bool write)
{
	uint8_t *retry = g->e.p;
	struct emit *e = &g->e;

	emit_mov(e, T0, reg);
	probe(g, 1, write, way_of(g, reg, (unsigned) it->off >> 7 & 3), retry);
	emit_mov(e, T1, T0);
	emit_group(e, false, GROUP_AND, T1, PAGE - 1);
	emit_lea(e, true, T1, T1, HOST_RCX, (unsigned) __builtin_ctz(it->i.size), 0);
	emit_group(e, true, GROUP_CMP, T1, PAGE);
	gen_cold_add(g, &(struct gen_cold) { .kind = COLD_FAULT, .from = emit_jcc(e, CC_A, NULL), .off = it->off });
}

void gen_lea(struct gen *g, const struct gen_item *it)
{
	const struct insn *i = &it->i;
	bool in_memory = gen_is_in_memory(i->reg);
	unsigned to = in_memory ? T0 : i->reg;

	effective_address(g, it, to);
	if (i->size == 4 && wide(i))
		emit_rr(&g->e, false, OP_LOAD, to, to);
	if (in_memory)
		emit_gs(&g->e, true, OP_STORE, to, AT_REG(i->reg));
}

/* Host registers for the operands of an instruction */
struct operands {
	unsigned reg, rm, vvvv, opreg;
};

static void write_legacy(struct emit *e, const struct gen_item *it, const struct operands *o)
{
	const struct insn *i = &it->i;
	unsigned extend = i->has_modrm ? o->rm : o->opreg;
	unsigned rex = (i->prefix & PFX_REX_W ? 8 : 0) | (o->reg >> 3 & 1) << 2 | (extend >> 3 & 1);

	if (i->prefix & PFX_66)
		emit_8(e, 0x66);
	if (i->prefix & PFX_F2)
		emit_8(e, 0xF2);
	if (i->prefix & PFX_F3)
		emit_8(e, 0xF3);
	if (i->prefix & PFX_LOCK)
		emit_8(e, 0xF0);
	if (i->prefix & PFX_REX || rex != 0)
		emit_8(e, (uint8_t) (0x40 | rex));
	if (i->map != MAP_1BYTE)
		emit_8(e, 0x0F);
	if (i->map == MAP_0F38)
		emit_8(e, 0x38);
	if (i->map == MAP_0F3A)
		emit_8(e, 0x3A);
	emit_8(e, it->op.opreg != 0 ? (uint8_t) ((i->opcode & 0xF8) | (o->opreg & 7)) : i->opcode);
}

static void write_vex(struct emit *e, const struct insn *i, const struct operands *o)
{
	emit_8(e, 0xC4);
	emit_8(e, (uint8_t) ((~o->reg >> 3 & 1) << 7 | 1 << 6 | (~o->rm >> 3 & 1) << 5 | i->map));
	emit_8(e, (uint8_t) ((i->prefix & PFX_REX_W ? 1 : 0) << 7 | (~o->vvvv & 15) << 3 | (i->vl & 1) << 2 | i->pp));
	emit_8(e, i->opcode);
}

/* Only for a memory operand: B is T0's, X is not used. */
static void write_evex(struct emit *e, const struct gen_item *it)
{
	const uint8_t *evex = it->raw + it->i.opcode_off - 4;

	emit_8(e, evex[0]);
	emit_8(e, (uint8_t) ((evex[1] | 0x40) & ~0x20));
	emit_bytes(e, evex + 2, 3);
}

static void write_insn(struct gen *g, const struct gen_item *it, const struct operands *o)
{
	const struct insn *i = &it->i;
	struct emit *e = &g->e;

	if (i->enc == ENC_LEGACY)
		write_legacy(e, it, o);
	else if (i->enc == ENC_VEX)
		write_vex(e, i, o);
	else
		write_evex(e, it);
	if (i->has_modrm)
		emit_8(e, (uint8_t) ((i->is_mem ? 0 : 0xC0) | (o->reg & 7) << 3 | (o->rm & 7)));
	emit_bytes(e, it->raw + i->imm_off, i->imm_size);
}

/* @role: ROLE_*; a register of less than 32 bits keeps the rest. */
static unsigned load(struct gen *g, unsigned role, unsigned reg, unsigned scratch, unsigned size)
{
	if (role == 0 || !gen_is_in_memory(reg))
		return reg;
	return role & ROLE_R || size < 4 ? gen_reg_to(g, reg, scratch) : scratch;
}

static void store(struct gen *g, unsigned role, unsigned reg, unsigned scratch)
{
	if (role & ROLE_W && gen_is_in_memory(reg))
		emit_gs(&g->e, true, OP_STORE, scratch, AT_REG(reg));
}

/* The instruction with other registers; T0 is the address of its memory operand. */
static void rewrite(struct gen *g, const struct gen_item *it)
{
	const struct insn *i = &it->i;
	const struct op *op = &it->op;
	unsigned opreg = (i->opcode & 7) | (i->rm & 8);
	struct operands o = { .reg = i->reg, .rm = i->is_mem ? T0 : i->rm, .vvvv = i->vvvv, .opreg = opreg };

	if (op->vvvv != 0)
		o.vvvv = load(g, op->vvvv, i->vvvv, T1, i->size);
	if (op->reg != 0 && !(o.vvvv == T1 && op->vvvv != 0 && op->reg == ROLE_W && gen_is_in_memory(i->reg)))
		o.reg = load(g, op->reg, i->reg, T1, i->size);
	else if (op->reg != 0)
		o.reg = T1;
	if (!i->is_mem)
		o.rm = load(g, op->rm, i->rm, T0, i->size);
	if (op->opreg != 0)
		o.opreg = load(g, op->opreg, opreg, T1, i->size);

	write_insn(g, it, &o);

	store(g, op->vvvv, i->vvvv, T1);
	store(g, op->reg, i->reg, T1);
	if (!i->is_mem)
		store(g, op->rm, i->rm, T0);
	store(g, op->opreg, opreg, T1);
}

void gen_bit(struct gen *g, const struct gen_item *it)
{
	const struct insn *i = &it->i;
	struct operands o = { .rm = T0 };

	gen_spoil_flags(g, it->live & ~it->op.def);
	gen_operand(g, it);
	skip_bits(g, i, true); /* the host skips them, too */
	if (it->live & ~it->op.def)
		gen_need_flags(g);
	gen_note_insn(g, it);
	o.reg = gen_reg_to(g, i->reg, T1);
	write_insn(g, it, &o);
	g->flags = IN_HOST;
}

void gen_plain(struct gen *g, const struct gen_item *it)
{
	const struct op *op = &it->op;

	if (it->i.is_mem) {
		gen_spoil_flags(g, (uint16_t) ((it->live & ~op->def) | op_needs(op)));
		gen_operand(g, it);
	}
	if (op->use != 0 || (op->mod != 0 && it->live & ~op->def))
		gen_need_flags(g);
	gen_note_insn(g, it);
	if (it->i.is_mem || names_memory_register(it))
		rewrite(g, it);
	else
		emit_bytes(&g->e, it->raw, it->i.len);
	if (op->mod != 0)
		g->flags = IN_HOST;
}

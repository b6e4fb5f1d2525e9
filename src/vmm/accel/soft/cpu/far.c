/* SPDX-License-Identifier: MIT */
/**
 * DOC: transfers between code segments
 *
 * Spec: Intel SDM volume 2, JMP, CALL, RET, IRET; volume 3, chapter 5.
 */
#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/cpu/seg.h"

#define GATE_CALL16 4
#define GATE_TASK 5
#define GATE_CALL 12
#define TSS16 1
#define TSS32 9

static bool is_code(uint16_t attr)
{
	return (attr & (SEG_S | SEG_TYPE_CODE)) == (SEG_S | SEG_TYPE_CODE);
}

static bool is_conforming(uint16_t attr)
{
	return attr & SEG_TYPE_DOWN;
}

static bool is_canonical(uint64_t v)
{
	return (uint64_t) ((int64_t) (v << 16) >> 16) == v;
}

/* Offset @rip must be in the segment of @d. */
static void check_rip(struct cpu *c, const struct descriptor *d, uint64_t rip)
{
	bool long_code = cpu_is_long(c) && (descriptor_attr(d) & SEG_L);

	if (long_code ? !is_canonical(rip) : rip > descriptor_limit(d))
		cpu_raise_code(c, EXC_GP, 0);
}

static void fetch(struct cpu *c, uint16_t sel, struct descriptor *d)
{
	if ((sel & 0xFFFC) == 0)
		cpu_raise_code(c, EXC_GP, 0);
	if (!seg_descriptor(c, sel, d))
		cpu_raise_code(c, EXC_GP, sel & 0xFFFC);
}

static void check_bits(struct cpu *c, uint16_t sel, uint16_t attr)
{
	if (cpu_is_long(c) && (attr & SEG_L) && (attr & SEG_DB))
		cpu_raise_code(c, EXC_GP, sel & 0xFFFC);
	if (!(attr & SEG_P))
		cpu_raise_code(c, EXC_NP, sel & 0xFFFC);
}

static void jump_real(struct cpu *c, uint16_t sel, uint64_t rip, unsigned size, bool call)
{
	uint64_t to = size == 2 ? (uint16_t) rip : (uint32_t) rip;

	if (to > c->seg[SEG_CS].limit)
		cpu_raise_code(c, EXC_GP, 0);
	if (call) {
		uint64_t v[2] = { c->seg[SEG_CS].sel, c->reg[REG_RIP] }, sp = c->reg[REG_RSP];

		for (unsigned i = 0; i < 2; i++) {
			sp -= size;
			mem_write_n(c, mem_linear(c, SEG_SS, sp & stack_mask(c), size, MEM_WRITE), size, v[i]);
		}
		stack_set(c, sp);
	}
	seg_set_real(c, SEG_CS, sel);
	c->reg[REG_RIP] = to;
	c->leave = true;
	cpu_mode_changed(c);
}

/* Push @n values of @size bytes below @rsp of stack @ss as level @cpl; returns the new stack pointer. */
static uint64_t push_values(struct cpu *c, uint64_t rsp, uint64_t mask, uint64_t base, unsigned size, const uint64_t *v,
			    unsigned n, unsigned cpl)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t lin;

		rsp = (rsp & ~mask) | ((rsp - size) & mask);
		lin = base + (rsp & mask);
		if (!cpu_is_long(c))
			lin = (uint32_t) lin;
		if (cpl < 3)
			cpu_write_system(c, lin, &v[i], size);
		else
			cpu_write(c, lin, &v[i], size);
	}
	return rsp;
}

/* A call through a gate to a more privileged level: the arguments go along. */
static void call_inner(struct cpu *c, uint16_t sel, struct descriptor *code, const struct descriptor *gate, uint64_t rip,
		       unsigned size)
{
	unsigned cpl = descriptor_dpl(code), nr = cpu_is_long(c) ? 0 : gate->low >> 32 & 31, n = 0;
	struct cpu_seg old_ss = c->seg[SEG_SS];
	uint64_t rsp, v[36], mask = UINT64_MAX;
	uint16_t ss;

	seg_stack_of(c, cpl, &rsp, &ss);
	v[n++] = old_ss.sel;
	v[n++] = c->reg[REG_RSP];
	for (unsigned i = nr; i > 0; i--)
		v[n++] = stack_peek(c, (i - 1) * size, size);
	v[n++] = c->seg[SEG_CS].sel;
	v[n++] = c->reg[REG_RIP];
	if (cpu_is_long(c)) {
		rsp = push_values(c, rsp, mask, 0, size, v, n, cpl);
		c->seg[SEG_SS] = (struct cpu_seg) { .sel = (uint16_t) cpl, .attr = (uint16_t) (cpl << SEG_DPL_SHIFT) };
	} else {
		struct cpu_seg new_ss;

		seg_load_stack(c, ss, cpl, EXC_TS);
		new_ss = c->seg[SEG_SS];
		c->seg[SEG_SS] = old_ss;
		mask = new_ss.attr & SEG_DB ? 0xFFFFFFFF : 0xFFFF;
		rsp = push_values(c, rsp, mask, new_ss.base, size, v, n, cpl);
		c->seg[SEG_SS] = new_ss;
	}
	seg_accessed(c, sel, code);
	seg_enter(c, sel, code, cpl, rip);
	c->reg[REG_RSP] = rsp;
}

static void call_same(struct cpu *c, uint64_t rip, unsigned size, uint16_t sel, struct descriptor *d)
{
	uint64_t v[2] = { c->seg[SEG_CS].sel, c->reg[REG_RIP] }, sp = c->reg[REG_RSP];

	for (unsigned i = 0; i < 2; i++) {
		sp -= size;
		mem_write_n(c, mem_linear(c, stack_seg(c), sp & stack_mask(c), size, MEM_WRITE), size, v[i]);
	}
	seg_accessed(c, sel, d);
	stack_set(c, sp);
	seg_enter(c, sel, d, c->cpl, rip);
}

static void through_gate(struct cpu *c, uint16_t sel, const struct descriptor *gate, bool call)
{
	uint16_t attr = descriptor_attr(gate), target = (uint16_t) (gate->low >> 16), tattr;
	bool is16 = (attr & SEG_TYPE) == GATE_CALL16;
	uint64_t rip = (gate->low & 0xFFFF) | (is16 ? 0 : gate->low >> 48 << 16) | (uint64_t) (uint32_t) gate->high << 32;
	unsigned size = cpu_is_long(c) ? 8 : is16 ? 2 : 4;
	struct descriptor d;

	if (descriptor_dpl(gate) < c->cpl || descriptor_dpl(gate) < (sel & 3u))
		cpu_raise_code(c, EXC_GP, sel & 0xFFFC);
	if (!(attr & SEG_P))
		cpu_raise_code(c, EXC_NP, sel & 0xFFFC);
	fetch(c, target, &d);
	tattr = descriptor_attr(&d);
	if (!is_code(tattr) || descriptor_dpl(&d) > c->cpl || (cpu_is_long(c) && (tattr & (SEG_L | SEG_DB)) != SEG_L))
		cpu_raise_code(c, EXC_GP, target & 0xFFFC);
	if (!call && !is_conforming(tattr) && descriptor_dpl(&d) != c->cpl)
		cpu_raise_code(c, EXC_GP, target & 0xFFFC);
	if (!(tattr & SEG_P))
		cpu_raise_code(c, EXC_NP, target & 0xFFFC);
	check_rip(c, &d, rip);
	if (call && !is_conforming(tattr) && descriptor_dpl(&d) < c->cpl) {
		call_inner(c, target, &d, gate, rip, size);
	} else if (call) {
		call_same(c, rip, size, target, &d);
	} else {
		seg_accessed(c, target, &d);
		seg_enter(c, target, &d, c->cpl, rip);
	}
}

static void to_system(struct cpu *c, uint16_t sel, struct descriptor *d, bool call)
{
	unsigned type = descriptor_attr(d) & SEG_TYPE;

	if (type == GATE_CALL || (type == GATE_CALL16 && !cpu_is_long(c))) {
		through_gate(c, sel, d, call);
		return;
	}
	if (cpu_is_long(c) || (type != TSS16 && type != TSS32 && type != GATE_TASK))
		cpu_raise_code(c, EXC_GP, sel & 0xFFFC);
	if (descriptor_dpl(d) < c->cpl || descriptor_dpl(d) < (sel & 3u))
		cpu_raise_code(c, EXC_GP, sel & 0xFFFC);
	if (!(descriptor_attr(d) & SEG_P))
		cpu_raise_code(c, EXC_NP, sel & 0xFFFC);
	if (type == GATE_TASK) {
		sel = (uint16_t) (d->low >> 16);
		fetch(c, sel, d);
	}
	task_switch(c, sel, d, call ? TASK_CALL : TASK_JUMP, -1);
}

void seg_jump_far(struct cpu *c, uint16_t sel, uint64_t rip, unsigned size, bool call)
{
	struct descriptor d;
	uint16_t attr;

	if (cpu_is_real(c) || cpu_is_v86(c)) {
		jump_real(c, sel, rip, size, call);
		return;
	}
	fetch(c, sel, &d);
	attr = descriptor_attr(&d);
	if (!(attr & SEG_S)) {
		to_system(c, sel, &d, call);
		return;
	}
	if (!is_code(attr) || (is_conforming(attr) ? descriptor_dpl(&d) > c->cpl :
				     (sel & 3u) > c->cpl || descriptor_dpl(&d) != c->cpl))
		cpu_raise_code(c, EXC_GP, sel & 0xFFFC);
	check_bits(c, sel, attr);
	if (!(cpu_is_long(c) && (attr & SEG_L)))
		rip = size == 2 ? (uint16_t) rip : (uint32_t) rip;
	check_rip(c, &d, rip);
	if (call) {
		call_same(c, rip, size, sel, &d);
		return;
	}
	seg_accessed(c, sel, &d);
	seg_enter(c, sel, &d, c->cpl, rip);
}

/* Data segments that level @cpl may not use become null, and null is 0, whatever level its selector had. */
static void drop_segments(struct cpu *c, unsigned cpl)
{
	static const uint8_t data[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };

	for (unsigned i = 0; i < sizeof(data); i++) {
		struct cpu_seg *s = &c->seg[data[i]];
		bool conforming = (s->attr & (SEG_TYPE_CODE | SEG_TYPE_DOWN)) == (SEG_TYPE_CODE | SEG_TYPE_DOWN);

		if ((s->sel & 0xFFFC) == 0 || ((s->attr & SEG_P) && !conforming && (s->attr >> SEG_DPL_SHIFT & 3) < cpl))
			s->sel = s->attr = 0; /* the base stays, 64-bit code sees it */
	}
}

/* Return to the code of @cs, whose level is not higher; from the stack at @at come RSP and SS when it is lower, or
 * @always (IRET of 64-bit code). */
static void return_to(struct cpu *c, uint16_t cs, uint64_t rip, unsigned size, unsigned at, uint16_t drop, bool always)
{
	struct descriptor d;
	unsigned cpl = cs & 3;
	uint64_t rsp;
	uint16_t attr, ss;

	fetch(c, cs, &d);
	attr = descriptor_attr(&d);
	if (!is_code(attr) || cpl < c->cpl || (is_conforming(attr) ? descriptor_dpl(&d) > cpl : descriptor_dpl(&d) != cpl))
		cpu_raise_code(c, EXC_GP, cs & 0xFFFC);
	check_bits(c, cs, attr);
	if (!(cpu_is_long(c) && (attr & SEG_L)))
		rip = size == 2 ? (uint16_t) rip : (uint32_t) rip;
	check_rip(c, &d, rip);
	if (cpl == c->cpl && !always) {
		seg_accessed(c, cs, &d);
		stack_set(c, c->reg[REG_RSP] + at + drop);
		seg_enter(c, cs, &d, cpl, rip);
		return;
	}
	rsp = stack_peek(c, at + drop, size);
	ss = (uint16_t) stack_peek(c, at + drop + size, size);
	if ((ss & 0xFFFC) == 0) {
		if (!(cpu_is_long(c) && (attr & SEG_L)) || cpl == 3 || (ss & 3) != cpl)
			cpu_raise_code(c, EXC_GP, 0);
		seg_accessed(c, cs, &d);
		c->seg[SEG_SS] = (struct cpu_seg) { .sel = ss, .attr = (uint16_t) (cpl << SEG_DPL_SHIFT) };
	} else {
		seg_load_stack(c, ss, cpl, EXC_GP);
		seg_accessed(c, cs, &d);
	}
	if (cpl != c->cpl)
		drop_segments(c, cpl);
	seg_enter(c, cs, &d, cpl, rip);
	stack_set(c, rsp + drop);
}

void seg_return_far(struct cpu *c, unsigned size, uint16_t drop)
{
	uint64_t rip = stack_peek(c, 0, size);
	uint16_t cs = (uint16_t) stack_peek(c, size, size);

	if (cpu_is_real(c) || cpu_is_v86(c)) {
		if (rip > c->seg[SEG_CS].limit)
			cpu_raise_code(c, EXC_GP, 0);
		seg_set_real(c, SEG_CS, cs);
		stack_set(c, c->reg[REG_RSP] + 2 * size + drop);
		c->reg[REG_RIP] = rip;
		c->leave = true;
		cpu_mode_changed(c);
		return;
	}
	return_to(c, cs, rip, size, 2 * size, drop, false);
}

/* The flags that IRET changes at level @cpl, whose I/O level was @iopl. */
static void set_flags(struct cpu *c, uint32_t value, unsigned size, unsigned cpl, unsigned iopl)
{
	uint32_t mask = FL_STATUS | FL_TF | FL_DF | FL_NT;

	if (size > 2)
		mask |= FL_RF | FL_AC | FL_ID;
	if (cpl <= iopl)
		mask |= FL_IF;
	if (cpl == 0)
		mask |= FL_IOPL | (size > 2 ? FL_VIF | FL_VIP : 0);
	cpu_set_rflags(c, (cpu_rflags(c) & ~mask) | (value & mask));
}

static void to_v86(struct cpu *c, uint64_t rip, uint16_t cs, uint32_t flags)
{
	static const uint8_t order[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
	uint64_t rsp = stack_peek(c, 12, 4);
	uint16_t ss = (uint16_t) stack_peek(c, 16, 4), sel[4];

	for (unsigned i = 0; i < 4; i++)
		sel[i] = (uint16_t) stack_peek(c, 20 + i * 4, 4);
	cpu_set_rflags(c, flags & (FL_STATUS | FL_TF | FL_IF | FL_DF | FL_IOPL | FL_NT | FL_RF | FL_VM | FL_AC | FL_VIF |
				   FL_VIP | FL_ID));
	c->cpl = 3;
	for (unsigned i = 0; i < 4; i++)
		seg_set_real(c, order[i], sel[i]);
	seg_set_real(c, SEG_SS, ss);
	seg_set_real(c, SEG_CS, cs);
	c->reg[REG_RSP] = rsp;
	c->reg[REG_RIP] = rip & 0xFFFF;
	c->leave = true;
	cpu_mode_changed(c);
}

static void iret_real(struct cpu *c, unsigned size, uint64_t rip, uint16_t cs, uint32_t flags)
{
	unsigned iopl = c->flags >> 12 & 3;

	if (cpu_is_v86(c) && iopl < 3)
		cpu_raise_code(c, EXC_GP, 0);
	if (rip > c->seg[SEG_CS].limit)
		cpu_raise_code(c, EXC_GP, 0);
	stack_set(c, c->reg[REG_RSP] + 3 * size);
	seg_set_real(c, SEG_CS, cs);
	set_flags(c, flags, size, cpu_is_v86(c) ? 3 : 0, iopl);
	c->reg[REG_RIP] = rip;
	c->leave = true;
	cpu_mode_changed(c);
}

void seg_iret(struct cpu *c, unsigned size)
{
	uint64_t rip;
	uint16_t cs;
	uint32_t flags;
	unsigned cpl = c->cpl, iopl = c->flags >> 12 & 3;

	c->nmi_blocked = false;
	if (!cpu_is_real(c) && !cpu_is_v86(c) && (c->flags & FL_NT)) {
		struct descriptor d;
		uint16_t link;

		if (cpu_is_long(c))
			cpu_raise_code(c, EXC_GP, 0);
		cpu_read_system(c, c->tr.base, &link, 2);
		if ((link & 4) || !seg_descriptor(c, link, &d))
			cpu_raise_code(c, EXC_TS, link & 0xFFFC);
		task_switch(c, link, &d, TASK_IRET, -1);
		return;
	}
	rip = stack_peek(c, 0, size);
	cs = (uint16_t) stack_peek(c, size, size);
	flags = (uint32_t) stack_peek(c, 2 * size, size);
	if (cpu_is_real(c) || cpu_is_v86(c)) {
		iret_real(c, size, rip, cs, flags);
		return;
	}
	if ((flags & FL_VM) && size == 4 && c->cpl == 0 && !cpu_is_long(c)) {
		to_v86(c, rip, cs, flags);
		return;
	}
	return_to(c, cs, rip, size, 3 * size, 0, c->mode == CPU_MODE_64);
	set_flags(c, flags, size, cpl, iopl);
	mmu_select(c);
}

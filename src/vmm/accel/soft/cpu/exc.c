/* SPDX-License-Identifier: MIT */
/**
 * DOC: delivery of exceptions and interrupts
 *
 * Everything that can fault comes before everything that changes: the new stack is written with RSP
 * as it will be, then registers change.
 * Spec: Intel SDM volume 3, chapter 6.
 */
#include "vmm/accel/soft/cpu/exc.h"

#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/cpu/seg.h"

#define GATE_TASK 5
#define GATE_INT16 6
#define GATE_TRAP16 7
#define GATE_INT 14
#define GATE_TRAP 15

#define DR7_GD (1ull << 13)

/**
 * struct event - what is delivered
 * @software: by INT n and the like: the gate's level is checked
 * @rf: RF is set in the flags that are pushed
 */
struct event {
	uint8_t vector;
	bool software, has_code, rf;
	uint32_t code;
};

static uint32_t idt_code(const struct event *e)
{
	return e->vector * 8u + 2 + !e->software;
}

static void real_mode(struct cpu *c, const struct event *e)
{
	uint64_t values[3] = { (uint16_t) cpu_rflags(c), c->seg[SEG_CS].sel, (uint16_t) c->reg[REG_RIP] };
	uint64_t sp = c->reg[REG_RSP];
	uint16_t to[2];

	if (e->vector * 4u + 3 > c->idt.limit)
		cpu_raise_code(c, EXC_GP, idt_code(e));
	cpu_read_system(c, c->idt.base + e->vector * 4u, to, 4);
	for (unsigned i = 0; i < 3; i++) {
		sp -= 2;
		mem_write16(c, mem_linear(c, SEG_SS, sp & stack_mask(c), 2, MEM_WRITE), (uint16_t) values[i]);
	}
	stack_set(c, sp);
	seg_set_real(c, SEG_CS, to[1]);
	c->reg[REG_RIP] = to[0];
	c->flags &= ~(FL_IF | FL_TF | FL_RF | FL_AC);
	c->leave = true;
	cpu_mode_changed(c);
}

/** struct entry - where delivery goes */
struct entry {
	struct descriptor gate, code;
	uint16_t sel;
	unsigned cpl, size;
	uint64_t rip, rsp;
	struct cpu_seg ss; /* new stack of legacy modes */
	bool new_stack;
};

static void read_gate(struct cpu *c, const struct event *e, struct descriptor *gate)
{
	unsigned size = cpu_is_long(c) ? 16 : 8;

	*gate = (struct descriptor) { 0 };
	if (e->vector * size + size - 1 > c->idt.limit)
		cpu_raise_code(c, EXC_GP, idt_code(e));
	cpu_read_system(c, c->idt.base + e->vector * size, &gate->low, 8);
	if (size == 16)
		cpu_read_system(c, c->idt.base + e->vector * size + 8, &gate->high, 8);
}

static void check_gate(struct cpu *c, const struct event *e, const struct descriptor *gate)
{
	unsigned type = descriptor_attr(gate) & (SEG_TYPE | SEG_S);
	bool ok = type == GATE_INT || type == GATE_TRAP;

	if (!cpu_is_long(c))
		ok = ok || type == GATE_INT16 || type == GATE_TRAP16 || type == GATE_TASK;
	if (!ok || (e->software && descriptor_dpl(gate) < c->cpl))
		cpu_raise_code(c, EXC_GP, idt_code(e));
	if (!(descriptor_attr(gate) & SEG_P))
		cpu_raise_code(c, EXC_NP, idt_code(e));
}

static void find_code(struct cpu *c, const struct event *e, struct entry *t)
{
	uint32_t ext = !e->software;
	uint16_t attr;

	t->sel = (uint16_t) (t->gate.low >> 16);
	if ((t->sel & 0xFFFC) == 0)
		cpu_raise_code(c, EXC_GP, ext);
	if (!seg_descriptor(c, t->sel, &t->code))
		cpu_raise_code(c, EXC_GP, (t->sel & 0xFFFC) | ext);
	attr = descriptor_attr(&t->code);
	if ((attr & (SEG_S | SEG_TYPE_CODE)) != (SEG_S | SEG_TYPE_CODE) || descriptor_dpl(&t->code) > c->cpl ||
	    (cpu_is_long(c) && (attr & (SEG_L | SEG_DB)) != SEG_L))
		cpu_raise_code(c, EXC_GP, (t->sel & 0xFFFC) | ext);
	if (!(attr & SEG_P))
		cpu_raise_code(c, EXC_NP, (t->sel & 0xFFFC) | ext);
	t->cpl = attr & SEG_TYPE_DOWN ? c->cpl : descriptor_dpl(&t->code);
	if (cpu_is_v86(c) && t->cpl != 0)
		cpu_raise_code(c, EXC_GP, (t->sel & 0xFFFC) | ext);
	t->rip = (t->gate.low & 0xFFFF) | t->gate.low >> 48 << 16;
	t->size = cpu_is_long(c) ? 8 : descriptor_attr(&t->gate) & 8 ? 4 : 2;
	if (t->size == 2)
		t->rip &= 0xFFFF;
	if (cpu_is_long(c))
		t->rip |= t->gate.high << 32;
	else if (t->rip > descriptor_limit(&t->code))
		cpu_raise_code(c, EXC_GP, ext);
}

/* The stack pointer to begin with. */
static void find_stack(struct cpu *c, struct entry *t)
{
	unsigned ist = cpu_is_long(c) ? t->gate.low >> 32 & 7 : 0;
	struct cpu_seg old = c->seg[SEG_SS];
	uint16_t ss;

	t->rsp = c->reg[REG_RSP];
	t->ss = old;
	t->new_stack = t->cpl != c->cpl;
	if (ist != 0) {
		uint32_t at = 0x24 + 8 * (ist - 1);

		if (at + 7 > c->tr.limit)
			cpu_raise_code(c, EXC_TS, c->tr.sel & 0xFFFC);
		cpu_read_system(c, c->tr.base + at, &t->rsp, 8);
	} else if (t->new_stack) {
		seg_stack_of(c, t->cpl, &t->rsp, &ss);
		if (!cpu_is_long(c)) {
			seg_load_stack(c, ss, t->cpl, EXC_TS);
			t->ss = c->seg[SEG_SS];
			c->seg[SEG_SS] = old;
		}
	}
	if (cpu_is_long(c)) {
		if ((uint64_t) ((int64_t) (t->rsp << 16) >> 16) != t->rsp)
			cpu_raise_code(c, EXC_SS, 0);
		t->rsp &= ~15ull;
	}
}

static void write_frame(struct cpu *c, struct entry *t, const uint64_t *v, unsigned n)
{
	uint64_t mask = cpu_is_long(c) ? UINT64_MAX : t->ss.attr & SEG_DB ? 0xFFFFFFFF : 0xFFFF;

	for (unsigned i = 0; i < n; i++) {
		uint64_t lin;

		t->rsp = (t->rsp & ~mask) | ((t->rsp - t->size) & mask);
		lin = cpu_is_long(c) ? t->rsp : (uint32_t) (t->ss.base + (t->rsp & mask));
		if (t->cpl < 3)
			cpu_write_system(c, lin, &v[i], t->size);
		else
			cpu_write(c, lin, &v[i], t->size);
	}
}

static void leave_v86(struct cpu *c)
{
	static const uint8_t data[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };

	for (unsigned i = 0; i < sizeof(data); i++)
		c->seg[data[i]] = (struct cpu_seg) { .sel = 0 };
}

static void protected_mode(struct cpu *c, const struct event *e)
{
	struct entry t;
	uint64_t v[12];
	unsigned n = 0, type;
	bool v86 = cpu_is_v86(c);

	read_gate(c, e, &t.gate);
	check_gate(c, e, &t.gate);
	type = descriptor_attr(&t.gate) & SEG_TYPE;
	if (type == GATE_TASK) {
		uint16_t sel = (uint16_t) (t.gate.low >> 16);

		if ((sel & 4) || !seg_descriptor(c, sel, &t.code))
			cpu_raise_code(c, EXC_GP, (sel & 0xFFFC) | !e->software);
		task_switch(c, sel, &t.code, TASK_GATE, e->has_code ? (int64_t) e->code : -1);
		return;
	}
	find_code(c, e, &t);
	find_stack(c, &t);
	if (v86) {
		v[n++] = c->seg[SEG_GS].sel;
		v[n++] = c->seg[SEG_FS].sel;
		v[n++] = c->seg[SEG_DS].sel;
		v[n++] = c->seg[SEG_ES].sel;
	}
	if (cpu_is_long(c) || t.new_stack) {
		v[n++] = c->seg[SEG_SS].sel;
		v[n++] = c->reg[REG_RSP];
	}
	v[n++] = cpu_rflags(c) | (e->rf ? FL_RF : 0);
	v[n++] = c->seg[SEG_CS].sel;
	v[n++] = c->reg[REG_RIP];
	if (e->has_code)
		v[n++] = e->code;
	write_frame(c, &t, v, n);
	seg_accessed(c, t.sel, &t.code);

	if (v86)
		leave_v86(c);
	if (t.new_stack)
		c->seg[SEG_SS] = cpu_is_long(c) ?
			(struct cpu_seg) { .sel = (uint16_t) t.cpl, .attr = (uint16_t) (t.cpl << SEG_DPL_SHIFT) } : t.ss;
	c->flags &= ~(FL_TF | FL_NT | FL_RF | FL_VM);
	if (type == GATE_INT || type == GATE_INT16)
		c->flags &= ~FL_IF;
	seg_enter(c, t.sel, &t.code, t.cpl, t.rip);
	stack_set(c, t.rsp);
}

static void deliver(struct cpu *c, const struct event *e)
{
	if (cpu_is_real(c))
		real_mode(c, e);
	else
		protected_mode(c, e);
}

void exc_software(struct cpu *c, uint8_t vector, uint8_t opcode)
{
	struct event e = { .vector = vector, .software = opcode != 0xF1 };

	if (opcode == 0xCD && cpu_is_v86(c) && (c->flags & FL_IOPL) != FL_IOPL)
		cpu_raise_code(c, EXC_GP, 0);
	deliver(c, &e);
	c->stepped = false;
	if (opcode != 0xF1)
		return;
	c->dr6 |= c->pending_db; /* a trap that waited for it is told with it */
	c->pending_db = 0;
	c->dr7 &= ~DR7_GD;
}

void exc_interrupt(struct cpu *c, uint8_t vector)
{
	struct event e = { .vector = vector };

	c->fault.vector = vector;
	c->fault.has_code = false;
	c->shadow = 0;
	c->delivering = true;
	c->insn = NULL;
	c->deliver_vector = vector == EXC_NMI ? EXC_NMI : 32; /* of the harmless kind, whatever its number */
	deliver(c, &e);
	c->delivering = false;
}

static bool contributory(unsigned vector)
{
	return vector == EXC_DE || (vector >= EXC_TS && vector <= EXC_GP);
}

/* A fault while an earlier event is delivered: what becomes of both.  False: shutdown. */
static bool combine(struct cpu *c)
{
	unsigned first = c->deliver_vector, second = c->fault.vector;

	if (first == EXC_DF)
		return false;
	if ((contributory(first) && contributory(second)) ||
	    (first == EXC_PF && (second == EXC_PF || contributory(second)))) {
		if (second == EXC_PF)
			c->cr2 = c->fault.addr;
		c->fault = (struct cpu_fault) { .vector = EXC_DF, .has_code = true };
	} else if (c->fault.has_code && second != EXC_PF) {
		c->fault.code |= 1; /* EXT */
	}
	return true;
}

bool exc_fault(struct cpu *c)
{
	struct event e;

	if (c->delivering && !combine(c))
		return false;
	c->stat_faults++;
	e = (struct event) { .vector = c->fault.vector, .has_code = c->fault.has_code && !cpu_is_real(c),
			     .code = c->fault.code };
	e.rf = e.vector != EXC_DB;
	if (e.vector == EXC_PF)
		c->cr2 = c->fault.addr;
	if (e.vector == EXC_DB) {
		c->dr6 = (c->dr6 & ~0xFull) | c->fault.addr;
		c->dr7 &= ~DR7_GD;
		e.rf = c->fault.code; /* an instruction breakpoint: a fault, not a trap */
	}
	c->shadow = 0;
	c->insn = NULL;
	c->delivering = true;
	c->deliver_vector = e.vector;
	deliver(c, &e);
	c->delivering = false;
	return true;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: instructions on segment registers and descriptor tables
 */
#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/cpu/seg.h"

#define TSS16 1
#define LDT 2
#define TSS32 9
#define BUSY 2

static void need_protected(struct cpu *c)
{
	if (cpu_is_real(c) || cpu_is_v86(c))
		cpu_raise(c, EXC_UD);
}

static void need_umip(struct cpu *c)
{
	if ((c->cr4 & CR4_UMIP) && c->cpl > 0 && (c->cr0 & CR0_PE))
		cpu_raise_code(c, EXC_GP, 0);
}

static void mov_from_seg(struct cpu *c, const struct insn *i)
{
	uint16_t sel = c->seg[i->modrm >> 3 & 7].sel;

	if (i->is_mem)
		mem_write16(c, mem_operand(c, i, 2, MEM_WRITE), sel);
	else
		reg_set(c, i->rm, i->size, sel);
}

static void mov_to_seg(struct cpu *c, const struct insn *i)
{
	unsigned seg = i->modrm >> 3 & 7;

	seg_load(c, seg, (uint16_t) rm_read(c, i, 2));
	if (seg == SEG_SS)
		c->shadow = 2;
}

static unsigned seg_of(const struct insn *i)
{
	return i->opcode >> 3 & 7; /* 06, 0E, 16, 1E; 0F A0, A8 */
}

static void push_seg(struct cpu *c, const struct insn *i)
{
	uint64_t sp = c->reg[REG_RSP] - i->size;
	uint64_t lin = mem_linear(c, stack_seg(c), sp & stack_mask(c), i->size, MEM_WRITE);

	if (i->size == 4)
		mem_write16(c, lin, c->seg[seg_of(i)].sel); /* the upper half stays, as on processors of today */
	else
		mem_write_n(c, lin, i->size, c->seg[seg_of(i)].sel);
	stack_set(c, sp);
}

static void pop_seg(struct cpu *c, const struct insn *i)
{
	uint16_t sel = (uint16_t) stack_peek(c, 0, i->size);
	uint64_t mask = stack_mask(c), sp = c->reg[REG_RSP] + i->size;

	seg_load(c, seg_of(i), sel);
	if (mask == 0xFFFF)
		reg_set16(c, REG_RSP * 8, (uint16_t) sp);
	else
		c->reg[REG_RSP] = sp & mask;
	if (seg_of(i) == SEG_SS)
		c->shadow = 2;
}

/* LES, LDS, LSS, LFS, LGS */
static void load_far(struct cpu *c, const struct insn *i, unsigned seg)
{
	uint64_t lin = mem_operand(c, i, i->size + 2, MEM_READ);
	uint64_t v = mem_read_n(c, lin, i->size);

	seg_load(c, seg, mem_read16(c, lin + i->size));
	reg_set(c, i->reg, i->size, v);
}

static void les_lds(struct cpu *c, const struct insn *i)
{
	load_far(c, i, i->opcode == 0xC4 ? SEG_ES : SEG_DS);
}

static void lss_lfs_lgs(struct cpu *c, const struct insn *i)
{
	load_far(c, i, i->opcode == 0xB2 ? SEG_SS : i->opcode == 0xB4 ? SEG_FS : SEG_GS);
}

static void store_table(struct cpu *c, const struct insn *i)
{
	const struct cpu_table *t = i->modrm >> 3 & 1 ? &c->idt : &c->gdt;
	uint8_t v[10];
	unsigned size = c->mode == CPU_MODE_64 ? 10 : 6;

	need_umip(c);
	memcpy(v, &t->limit, 2);
	memcpy(v + 2, &t->base, 8);
	cpu_write(c, mem_operand(c, i, size, MEM_WRITE), v, size);
}

static void load_table(struct cpu *c, const struct insn *i)
{
	struct cpu_table *t = i->modrm >> 3 & 1 ? &c->idt : &c->gdt;
	uint8_t v[10] = { 0 };
	unsigned size = c->mode == CPU_MODE_64 ? 10 : 6;
	uint64_t base;

	cpu_need_cpl0(c);
	cpu_read(c, mem_operand(c, i, size, MEM_READ), v, size);
	memcpy(&base, v + 2, 8);
	if (c->mode != CPU_MODE_64)
		base &= i->size == 2 ? 0xFFFFFF : 0xFFFFFFFF;
	else if ((uint64_t) ((int64_t) (base << 16) >> 16) != base)
		cpu_raise_code(c, EXC_GP, 0);
	t->base = base;
	memcpy(&t->limit, v, 2);
}

static void smsw(struct cpu *c, const struct insn *i)
{
	need_umip(c);
	if (i->is_mem)
		mem_write16(c, mem_operand(c, i, 2, MEM_WRITE), (uint16_t) c->cr0);
	else
		reg_set(c, i->rm, i->size, c->cr0);
}

static void lmsw(struct cpu *c, const struct insn *i)
{
	uint64_t v;

	cpu_need_cpl0(c);
	v = rm_read(c, i, 2);
	v = (c->cr0 & ~0xEull) | (v & 0xF); /* PE can be set, not cleared */
	c->cr0 = v;
	if ((c->cr0 & CR0_PE) == 0)
		c->cpl = 0;
	c->leave = true;
	cpu_mode_changed(c);
}

/* SLDT, STR */
static void store_selector(struct cpu *c, const struct insn *i)
{
	uint16_t sel = (i->modrm >> 3 & 7) == 0 ? c->ldtr.sel : c->tr.sel;

	need_protected(c);
	need_umip(c);
	if (i->is_mem)
		mem_write16(c, mem_operand(c, i, 2, MEM_WRITE), sel);
	else
		reg_set(c, i->rm, i->size, sel);
}

static void set_system(struct cpu_seg *s, uint16_t sel, const struct descriptor *d)
{
	*s = (struct cpu_seg) { .base = descriptor_base(d), .limit = descriptor_limit(d), .sel = sel,
				.attr = descriptor_attr(d) };
}

static void lldt(struct cpu *c, const struct insn *i)
{
	struct descriptor d;
	uint16_t sel;

	need_protected(c);
	cpu_need_cpl0(c);
	sel = (uint16_t) rm_read(c, i, 2);
	if ((sel & 0xFFFC) == 0) {
		c->ldtr = (struct cpu_seg) { .sel = sel };
		return;
	}
	if ((sel & 4) || !seg_descriptor(c, sel, &d) || (descriptor_attr(&d) & (SEG_S | SEG_TYPE)) != LDT)
		cpu_raise_code(c, EXC_GP, sel & 0xFFFC);
	if (!(descriptor_attr(&d) & SEG_P))
		cpu_raise_code(c, EXC_NP, sel & 0xFFFC);
	set_system(&c->ldtr, sel, &d);
}

static void ltr(struct cpu *c, const struct insn *i)
{
	struct descriptor d;
	unsigned type;
	uint8_t byte;
	uint16_t sel;

	need_protected(c);
	cpu_need_cpl0(c);
	sel = (uint16_t) rm_read(c, i, 2);
	if ((sel & 0xFFFC) == 0)
		cpu_raise_code(c, EXC_GP, 0);
	if ((sel & 4) || !seg_descriptor(c, sel, &d))
		cpu_raise_code(c, EXC_GP, sel & 0xFFFC);
	type = descriptor_attr(&d) & (SEG_S | SEG_TYPE);
	if (type != TSS32 && (type != TSS16 || cpu_is_long(c)))
		cpu_raise_code(c, EXC_GP, sel & 0xFFFC);
	if (!(descriptor_attr(&d) & SEG_P))
		cpu_raise_code(c, EXC_NP, sel & 0xFFFC);
	d.low |= (uint64_t) BUSY << 40;
	byte = (uint8_t) (d.low >> 40);
	cpu_write_system(c, c->gdt.base + (sel & 0xFFF8u) + 5, &byte, 1);
	set_system(&c->tr, sel, &d);
}

/* May this descriptor be looked at from here? */
static bool visible(const struct cpu *c, uint16_t sel, const struct descriptor *d)
{
	uint16_t attr = descriptor_attr(d);

	if ((attr & (SEG_S | SEG_TYPE_CODE | SEG_TYPE_DOWN)) == (SEG_S | SEG_TYPE_CODE | SEG_TYPE_DOWN))
		return true;
	return descriptor_dpl(d) >= c->cpl && descriptor_dpl(d) >= (sel & 3u);
}

static bool has_limit(const struct cpu *c, unsigned type, bool lar)
{
	if (type == 2 || type == 9 || type == 11)
		return true;
	if (lar && type == 12)
		return true;
	return !cpu_is_long(c) && (type == 1 || type == 3 || (lar && (type == 4 || type == 5)));
}

static void lar_lsl(struct cpu *c, const struct insn *i)
{
	struct descriptor d;
	uint16_t sel, attr;
	bool lar = i->opcode == 2;

	need_protected(c);
	sel = (uint16_t) rm_read(c, i, 2);
	c->status &= ~FL_ZF;
	if ((sel & 0xFFFC) == 0 || !seg_descriptor(c, sel, &d) || !visible(c, sel, &d))
		return;
	attr = descriptor_attr(&d);
	if (!(attr & SEG_S) && !has_limit(c, attr & SEG_TYPE, lar))
		return;
	c->status |= FL_ZF;
	reg_set(c, i->reg, i->size, lar ? d.low >> 32 & 0xF0FF00 : descriptor_limit(&d));
}

static void verr_verw(struct cpu *c, const struct insn *i)
{
	struct descriptor d;
	uint16_t sel, attr;

	need_protected(c);
	sel = (uint16_t) rm_read(c, i, 2);
	c->status &= ~FL_ZF;
	if ((sel & 0xFFFC) == 0 || !seg_descriptor(c, sel, &d) || !visible(c, sel, &d))
		return;
	attr = descriptor_attr(&d);
	if (!(attr & SEG_S))
		return;
	if ((i->modrm >> 3 & 7) == 4 ? !(attr & SEG_TYPE_CODE) || (attr & SEG_TYPE_WRITE) :
				       !(attr & SEG_TYPE_CODE) && (attr & SEG_TYPE_WRITE))
		c->status |= FL_ZF;
}

static void arpl(struct cpu *c, const struct insn *i)
{
	uint16_t dest, rpl = (uint16_t) c->reg[i->reg] & 3;

	need_protected(c);
	dest = (uint16_t) rm_read(c, i, 2);
	if ((dest & 3) < rpl) {
		rm_write(c, i, 2, (dest & 0xFFFC) | rpl);
		c->status |= FL_ZF;
	} else {
		c->status &= ~FL_ZF;
	}
}

static void bound(struct cpu *c, const struct insn *i)
{
	uint64_t lin = mem_operand(c, i, i->size * 2u, MEM_READ);
	unsigned shift = 64 - i->size * 8;
	int64_t v = (int64_t) (c->reg[i->reg] << shift), low = (int64_t) (mem_read_n(c, lin, i->size) << shift);
	int64_t high = (int64_t) (mem_read_n(c, lin + i->size, i->size) << shift);

	if (v < low || v > high)
		cpu_raise(c, EXC_BR);
}

static cpu_exec_fn *bind_1byte(const struct cpu *c, const struct insn *i)
{
	unsigned seg = i->modrm >> 3 & 7;

	switch (i->opcode) {
	case 0x06:
	case 0x0E:
	case 0x16:
	case 0x1E:
		return push_seg;
	case 0x07:
	case 0x17:
	case 0x1F:
		return pop_seg;
	case 0x62:
		return i->is_mem ? bound : cpu_undefined;
	case 0x63:
		return c->mode != CPU_MODE_64 ? arpl : NULL;
	case 0x8C:
		return seg < 6 ? mov_from_seg : cpu_undefined;
	case 0x8E:
		return seg < 6 && seg != SEG_CS ? mov_to_seg : cpu_undefined;
	case 0xC4:
	case 0xC5:
		return i->is_mem ? les_lds : cpu_undefined;
	default:
		return NULL;
	}
}

static cpu_exec_fn *bind_group6(const struct insn *i)
{
	static cpu_exec_fn *const f[8] = { store_selector, store_selector, lldt, ltr, verr_verw, verr_verw, NULL, NULL };
	cpu_exec_fn *found = f[i->modrm >> 3 & 7];

	return found != NULL ? found : cpu_undefined;
}

static cpu_exec_fn *bind_0f(const struct insn *i)
{
	unsigned n = i->modrm >> 3 & 7;

	switch (i->opcode) {
	case 0x00:
		return bind_group6(i);
	case 0x01:
		if (n == 4)
			return smsw;
		if (n == 6)
			return lmsw;
		if (i->is_mem && n < 4)
			return n < 2 ? store_table : load_table;
		return NULL;
	case 0x02:
	case 0x03:
		return lar_lsl;
	case 0xA0:
	case 0xA8:
		return push_seg;
	case 0xA1:
	case 0xA9:
		return pop_seg;
	case 0xB2:
	case 0xB4:
	case 0xB5:
		return i->is_mem ? lss_lfs_lgs : cpu_undefined;
	default:
		return NULL;
	}
}

cpu_exec_fn *segment_bind(const struct cpu *c, const struct insn *i)
{
	cpu_exec_fn *f = NULL;

	if (i->map == MAP_1BYTE)
		f = bind_1byte(c, i);
	else if (i->map == MAP_0F)
		f = bind_0f(i);
	return f != NULL && (i->prefix & PFX_LOCK) ? cpu_undefined : f;
}

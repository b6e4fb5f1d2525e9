/* SPDX-License-Identifier: MIT */
/**
 * DOC: segment registers
 *
 * Spec: Intel SDM volume 3, chapters 3 and 5; volume 2, MOV, LDS.
 */
#include "vmm/accel/soft/cpu/seg.h"

#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/run.h"

bool seg_descriptor(struct cpu *c, uint16_t sel, struct descriptor *ret)
{
	uint64_t base = c->gdt.base;
	uint32_t limit = c->gdt.limit, at = sel & 0xFFF8u;

	if (sel & 4) {
		base = c->ldtr.base;
		limit = c->ldtr.attr & SEG_P ? c->ldtr.limit : 0;
	}
	if (at + 7 > limit)
		return false;
	*ret = (struct descriptor) { 0 };
	cpu_read_system(c, base + at, &ret->low, 8);
	if (cpu_is_long(c) && !(ret->low >> 44 & 1) && at + 15 <= limit && (ret->low >> 40 & 15) != 0)
		cpu_read_system(c, base + at + 8, &ret->high, 8);
	return true;
}

void seg_accessed(struct cpu *c, uint16_t sel, struct descriptor *d)
{
	uint64_t base = sel & 4 ? c->ldtr.base : c->gdt.base;
	uint8_t type;

	if (d->low >> 40 & 1)
		return;
	d->low |= 1ull << 40;
	type = (uint8_t) (d->low >> 40);
	cpu_write_system(c, base + (sel & 0xFFF8u) + 5, &type, 1);
}

void seg_set(struct cpu *c, unsigned seg, uint16_t sel, const struct descriptor *d)
{
	c->seg[seg] = (struct cpu_seg) {
		.base = descriptor_base(d) & 0xFFFFFFFF,
		.limit = descriptor_limit(d),
		.sel = sel,
		.attr = descriptor_attr(d),
	};
}

void seg_set_real(struct cpu *c, unsigned seg, uint16_t sel)
{
	c->seg[seg].sel = sel;
	c->seg[seg].base = (uint64_t) sel << 4;
	if (cpu_is_v86(c)) {
		c->seg[seg].limit = 0xFFFF;
		c->seg[seg].attr = SEG_P | SEG_DPL | SEG_S | SEG_TYPE_WRITE | SEG_TYPE_ACCESSED;
	} else if (seg == SEG_CS) {
		c->seg[seg].attr = SEG_P | SEG_S | SEG_TYPE_WRITE | SEG_TYPE_ACCESSED;
	}
}

static uint8_t flatness(const struct cpu *c, unsigned seg)
{
	const struct cpu_seg *s = &c->seg[seg];
	uint8_t flat = 0;

	if (c->mode == CPU_MODE_64)
		return SEG_FLAT_READ | SEG_FLAT_WRITE;
	if (!(s->attr & SEG_P) || s->base != 0 || s->limit != 0xFFFFFFFF)
		return 0;
	if (s->attr & SEG_TYPE_CODE)
		return s->attr & SEG_TYPE_WRITE ? SEG_FLAT_READ : 0;
	if (!(s->attr & SEG_TYPE_DOWN))
		flat = s->attr & SEG_TYPE_WRITE ? SEG_FLAT_READ | SEG_FLAT_WRITE : SEG_FLAT_READ;
	return flat;
}

void seg_flatness(struct cpu *c)
{
	for (unsigned i = 0; i < SEG_FLAT; i++)
		c->seg[i].flat = flatness(c, i);
	for (unsigned i = SEG_FLAT; i < SEG_NR; i++)
		c->seg[i] = (struct cpu_seg) { .attr = SEG_P | SEG_S | SEG_TYPE_WRITE, .limit = UINT32_MAX,
					       .flat = SEG_FLAT_READ | SEG_FLAT_WRITE };
}

void cpu_mode_changed(struct cpu *c)
{
	if (cpu_is_long(c) && (c->seg[SEG_CS].attr & SEG_L))
		c->mode = CPU_MODE_64;
	else
		c->mode = c->seg[SEG_CS].attr & SEG_DB && !cpu_is_v86(c) ? CPU_MODE_32 : CPU_MODE_16;
	seg_flatness(c);
	mmu_select(c);
}

static void load_null(struct cpu *c, unsigned seg, uint16_t sel)
{
	uint16_t attr = 0;

	if (seg == SEG_SS) {
		if (c->mode != CPU_MODE_64 || c->cpl == 3 || (sel & 3) != c->cpl)
			cpu_raise_code(c, EXC_GP, 0);
		attr = (uint16_t) (c->cpl << SEG_DPL_SHIFT);
	}
	c->seg[seg] = (struct cpu_seg) { .sel = sel, .attr = attr };
	c->seg[seg].flat = flatness(c, seg);
}

void seg_load_stack(struct cpu *c, uint16_t sel, unsigned cpl, enum cpu_vector vector)
{
	struct descriptor d;
	uint16_t attr;

	if ((sel & 0xFFFC) == 0)
		cpu_raise_code(c, vector, 0);
	if (!seg_descriptor(c, sel, &d))
		cpu_raise_code(c, vector, sel & 0xFFFC);
	attr = descriptor_attr(&d);
	if ((sel & 3) != cpl || descriptor_dpl(&d) != cpl ||
	    (attr & (SEG_S | SEG_TYPE_CODE | SEG_TYPE_WRITE)) != (SEG_S | SEG_TYPE_WRITE))
		cpu_raise_code(c, vector, sel & 0xFFFC);
	if (!(attr & SEG_P))
		cpu_raise_code(c, EXC_SS, sel & 0xFFFC);
	seg_accessed(c, sel, &d);
	seg_set(c, SEG_SS, sel, &d);
	c->seg[SEG_SS].flat = flatness(c, SEG_SS);
}

void seg_load(struct cpu *c, unsigned seg, uint16_t sel)
{
	struct descriptor d;
	uint16_t attr;
	bool conforming;

	if (cpu_is_real(c) || cpu_is_v86(c)) {
		seg_set_real(c, seg, sel);
		c->seg[seg].flat = flatness(c, seg);
		return;
	}
	if ((sel & 0xFFFC) == 0) {
		load_null(c, seg, sel);
		return;
	}
	if (seg == SEG_SS) {
		seg_load_stack(c, sel, c->cpl, EXC_GP);
		return;
	}
	if (!seg_descriptor(c, sel, &d))
		cpu_raise_code(c, EXC_GP, sel & 0xFFFC);
	attr = descriptor_attr(&d);
	if (!(attr & SEG_S) || (attr & (SEG_TYPE_CODE | SEG_TYPE_WRITE)) == SEG_TYPE_CODE)
		cpu_raise_code(c, EXC_GP, sel & 0xFFFC);
	conforming = (attr & (SEG_TYPE_CODE | SEG_TYPE_DOWN)) == (SEG_TYPE_CODE | SEG_TYPE_DOWN);
	if (!conforming && (descriptor_dpl(&d) < c->cpl || descriptor_dpl(&d) < (sel & 3u)))
		cpu_raise_code(c, EXC_GP, sel & 0xFFFC);
	if (!(attr & SEG_P))
		cpu_raise_code(c, EXC_NP, sel & 0xFFFC);
	seg_accessed(c, sel, &d);
	seg_set(c, seg, sel, &d);
	c->seg[seg].flat = flatness(c, seg);
}

void seg_enter(struct cpu *c, uint16_t sel, const struct descriptor *d, unsigned cpl, uint64_t rip)
{
	seg_set(c, SEG_CS, (uint16_t) ((sel & 0xFFFC) | cpl), d);
	c->cpl = (uint8_t) cpl;
	c->reg[REG_RIP] = rip;
	c->leave = true;
	cpu_mode_changed(c);
}

void seg_stack_of(struct cpu *c, unsigned cpl, uint64_t *rsp, uint16_t *sel)
{
	bool wide = c->tr.attr & 8;
	uint32_t at = wide ? 4 + 8 * cpl : 2 + 4 * cpl, size = wide ? 4 : 2;

	*rsp = 0;
	*sel = 0;
	if (cpu_is_long(c))
		size = 8;
	if (at + size + (cpu_is_long(c) ? 0 : 2) - 1 > c->tr.limit)
		cpu_raise_code(c, EXC_TS, c->tr.sel & 0xFFFC);
	cpu_read_system(c, c->tr.base + at, rsp, size);
	if (!cpu_is_long(c))
		cpu_read_system(c, c->tr.base + at + size, sel, 2);
}

/* SPDX-License-Identifier: MIT */
/*
 * What a processor asks of its surroundings, which may use vector registers: the guest's are put away first.
 */
#include "vmm/accel/soft/translate/run.h"

static const struct cpu_ops *surroundings(struct cpu *c)
{
	translator_fp_out(c);
	return translator_of(c)->owner_ops;
}

static cpu_exec_fn *bind(struct cpu *c, struct insn *i)
{
	return surroundings(c)->bind(c, i);
}

static uint32_t apic_read(struct cpu *c, uint32_t offset)
{
	return surroundings(c)->apic_read(c, offset);
}

static void apic_write(struct cpu *c, uint32_t offset, uint32_t value)
{
	surroundings(c)->apic_write(c, offset, value);
}

static bool msr_read(struct cpu *c, uint32_t msr, uint64_t *ret)
{
	return surroundings(c)->msr_read(c, msr, ret);
}

static bool msr_write(struct cpu *c, uint32_t msr, uint64_t value)
{
	return surroundings(c)->msr_write(c, msr, value);
}

static void page_ask(struct cpu *c, uint64_t gpa, uint32_t who, enum page_ask what)
{
	surroundings(c)->page_ask(c, gpa, who, what);
}

void translator_hooks(struct translator *t)
{
	t->ops = *t->owner_ops;
	t->ops.bind = bind;
	t->ops.apic_read = apic_read;
	t->ops.apic_write = apic_write;
	t->ops.msr_read = msr_read;
	t->ops.msr_write = msr_write;
	t->ops.page_ask = page_ask;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: who executes an instruction
 */
#include "vmm/accel/soft/cpu/exec.h"

static cpu_exec_fn *bind_integer(const struct cpu *c, const struct insn *i)
{
	cpu_exec_fn *f = alu_bind(i);

	if (f == NULL)
		f = move_bind(c, i);
	if (f == NULL)
		f = branch_bind(i);
	if (f == NULL)
		f = shift_bind(i);
	if (f == NULL)
		f = string_bind(i);
	if (f == NULL)
		f = bits_bind(c, i);
	if (f == NULL)
		f = mul_bind(i);
	if (f == NULL)
		f = atomic_bind(i);
	if (f == NULL)
		f = segment_bind(c, i);
	if (f == NULL)
		f = control_bind(c, i);
	if (f == NULL)
		f = io_bind(i);
	return f != NULL ? f : system_bind(c, i);
}

void insn_bind(struct cpu *c, struct insn *i)
{
	cpu_exec_fn *f = NULL;

	if (i->enc == ENC_LEGACY)
		f = bind_integer(c, i);
	if (f == NULL)
		f = c->ops->bind(c, i);
	i->exec = f != NULL ? f : cpu_undefined;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: jumps, calls, returns, interrupts
 *
 * A jump that is taken sets @leave, because what was decoded goes on behind it.
 */
#include "vmm/accel/soft/cpu/exc.h"
#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/cpu/seg.h"

bool flags_test(uint32_t status, unsigned condition)
{
	bool yes;

	switch (condition >> 1) {
	case 0:
		yes = status & FL_OF;
		break;
	case 1:
		yes = status & FL_CF;
		break;
	case 2:
		yes = status & FL_ZF;
		break;
	case 3:
		yes = status & (FL_CF | FL_ZF);
		break;
	case 4:
		yes = status & FL_SF;
		break;
	case 5:
		yes = status & FL_PF;
		break;
	case 6:
		yes = (status >> 7 ^ status >> 11) & 1;
		break;
	default:
		yes = ((status >> 7 ^ status >> 11) & 1) || (status & FL_ZF);
		break;
	}
	return yes != (condition & 1);
}

static void check_target(struct cpu *c, uint64_t rip)
{
	if (c->mode == CPU_MODE_64) {
		if ((uint64_t) ((int64_t) (rip << 16) >> 16) != rip)
			cpu_raise_code(c, EXC_GP, 0);
	} else if (rip > c->seg[SEG_CS].limit) {
		cpu_raise_code(c, EXC_GP, 0);
	}
}

static uint64_t target(const struct cpu *c, uint64_t rip, unsigned size)
{
	if (c->mode == CPU_MODE_64 && size == 8)
		return rip;
	return size == 2 ? (uint16_t) rip : (uint32_t) rip;
}

void cpu_jump(struct cpu *c, uint64_t rip, unsigned size)
{
	rip = target(c, rip, size);
	check_target(c, rip);
	c->reg[REG_RIP] = rip;
	c->leave = true;
}

#define JCC(n, test)                                                                     \
	static void jcc_##n(struct cpu *c, const struct insn *i)                         \
	{                                                                                \
		uint32_t s = c->status;                                                  \
		if (test)                                                                \
			cpu_jump(c, c->reg[REG_RIP] + (uint64_t) i->imm, i->size);       \
	}

JCC(0, s & FL_OF)
JCC(1, !(s & FL_OF))
JCC(2, s & FL_CF)
JCC(3, !(s & FL_CF))
JCC(4, s & FL_ZF)
JCC(5, !(s & FL_ZF))
JCC(6, s & (FL_CF | FL_ZF))
JCC(7, !(s & (FL_CF | FL_ZF)))
JCC(8, s & FL_SF)
JCC(9, !(s & FL_SF))
JCC(10, s & FL_PF)
JCC(11, !(s & FL_PF))
JCC(12, (s >> 7 ^ s >> 11) & 1)
JCC(13, !((s >> 7 ^ s >> 11) & 1))
JCC(14, ((s >> 7 ^ s >> 11) & 1) || (s & FL_ZF))
JCC(15, !((s >> 7 ^ s >> 11) & 1) && !(s & FL_ZF))

static cpu_exec_fn *const jcc[16] = {
	jcc_0, jcc_1, jcc_2, jcc_3, jcc_4, jcc_5, jcc_6, jcc_7,
	jcc_8, jcc_9, jcc_10, jcc_11, jcc_12, jcc_13, jcc_14, jcc_15,
};

static void jmp_rel(struct cpu *c, const struct insn *i)
{
	cpu_jump(c, c->reg[REG_RIP] + (uint64_t) i->imm, i->size);
}

static void call_to(struct cpu *c, const struct insn *i, uint64_t rip)
{
	uint64_t sp = c->reg[REG_RSP] - i->size;

	/* as on the host, the return address is written even if the target turns out to be no address */
	mem_write_n(c, mem_linear(c, stack_seg(c), sp & stack_mask(c), i->size, MEM_WRITE), i->size, c->reg[REG_RIP]);
	rip = target(c, rip, i->size);
	check_target(c, rip);
	stack_set(c, sp);
	c->reg[REG_RIP] = rip;
	c->leave = true;
}

static void call_rel(struct cpu *c, const struct insn *i)
{
	call_to(c, i, c->reg[REG_RIP] + (uint64_t) i->imm);
}

static void jmp_rm(struct cpu *c, const struct insn *i)
{
	cpu_jump(c, rm_read(c, i, i->size), i->size);
}

static void call_rm(struct cpu *c, const struct insn *i)
{
	call_to(c, i, rm_read(c, i, i->size));
}

static void ret(struct cpu *c, const struct insn *i)
{
	uint64_t rip = target(c, stack_peek(c, 0, i->size), i->size);

	check_target(c, rip);
	stack_set(c, c->reg[REG_RSP] + i->size + (uint64_t) (i->opcode == 0xC2 ? i->imm : 0));
	c->reg[REG_RIP] = rip;
	c->leave = true;
}

static void loop(struct cpu *c, const struct insn *i)
{
	uint64_t count = reg_get(c, REG_RCX, i->addr_size) - 1;
	bool zf = c->status & FL_ZF, yes;

	count &= i->addr_size == 8 ? UINT64_MAX : i->addr_size == 4 ? 0xFFFFFFFF : 0xFFFF;
	yes = count != 0 && (i->opcode == 0xE2 || zf == (i->opcode == 0xE1));
	if (yes)
		cpu_jump(c, c->reg[REG_RIP] + (uint64_t) i->imm, i->size);
	reg_set(c, REG_RCX, i->addr_size, count);
}

static void jcxz(struct cpu *c, const struct insn *i)
{
	if (reg_get(c, REG_RCX, i->addr_size) == 0)
		cpu_jump(c, c->reg[REG_RIP] + (uint64_t) i->imm, i->size);
}

static void jmp_far_imm(struct cpu *c, const struct insn *i)
{
	seg_jump_far(c, i->imm2, (uint64_t) i->imm, i->size, false);
}

static void call_far_imm(struct cpu *c, const struct insn *i)
{
	seg_jump_far(c, i->imm2, (uint64_t) i->imm, i->size, true);
}

static void jmp_call_far_mem(struct cpu *c, const struct insn *i)
{
	uint64_t lin = mem_operand(c, i, i->size + 2, MEM_READ);
	uint64_t rip = mem_read_n(c, lin, i->size);

	seg_jump_far(c, mem_read16(c, lin + i->size), rip, i->size, (i->modrm >> 3 & 7) == 3);
}

static void ret_far(struct cpu *c, const struct insn *i)
{
	seg_return_far(c, i->size, i->opcode == 0xCA ? (uint16_t) i->imm : 0);
}

static void iret(struct cpu *c, const struct insn *i)
{
	seg_iret(c, i->size);
}

/* Who debugs the guest from outside has it, unless it is known to be the guest's: does not return then. */
static void debug_int3(struct cpu *c)
{
	bool pass = c->debug.pass;

	c->debug.pass = false;
	if (pass)
		return;
	c->exit = (struct cpu_exit) { .kind = CPU_EXIT_DEBUG, .size = CPU_STOP_INT3,
				      .addr = c->seg[SEG_CS].base + c->reg[REG_RIP] - 1 };
	longjmp(c->unwind, UNWIND_EXIT);
}

/* INT n, INT3, INTO, INT1 */
static void int_n(struct cpu *c, const struct insn *i)
{
	uint8_t vector = (uint8_t) i->imm;

	if (i->opcode == 0xCC) {
		if (__builtin_expect(c->debug.on, 0))
			debug_int3(c);
		vector = EXC_BP;
	}
	if (i->opcode == 0xCE) {
		if (!(c->status & FL_OF))
			return;
		vector = EXC_OF;
	}
	if (i->opcode == 0xF1)
		vector = EXC_DB;
	exc_software(c, vector, i->opcode);
}

static cpu_exec_fn *bind_group5(const struct insn *i)
{
	switch (i->modrm >> 3 & 7) {
	case 2:
		return call_rm;
	case 4:
		return jmp_rm;
	case 3:
	case 5:
		return i->is_mem ? jmp_call_far_mem : cpu_undefined;
	case 7:
		return cpu_undefined;
	default:
		return NULL;
	}
}

static cpu_exec_fn *bind_1byte(const struct insn *i)
{
	if ((i->opcode & 0xF0) == 0x70)
		return jcc[i->opcode & 15];
	switch (i->opcode) {
	case 0x9A:
		return call_far_imm;
	case 0xC2:
	case 0xC3:
		return ret;
	case 0xCA:
	case 0xCB:
		return ret_far;
	case 0xCC:
	case 0xCD:
	case 0xCE:
	case 0xF1:
		return int_n;
	case 0xCF:
		return iret;
	case 0xE0:
	case 0xE1:
	case 0xE2:
		return loop;
	case 0xE3:
		return jcxz;
	case 0xE8:
		return call_rel;
	case 0xE9:
	case 0xEB:
		return jmp_rel;
	case 0xEA:
		return jmp_far_imm;
	case 0xFF:
		return bind_group5(i);
	default:
		return NULL;
	}
}

cpu_exec_fn *branch_bind(const struct insn *i)
{
	cpu_exec_fn *f = NULL;

	if (i->map == MAP_1BYTE)
		f = bind_1byte(i);
	else if (i->map == MAP_0F && (i->opcode & 0xF0) == 0x80)
		f = jcc[i->opcode & 15];
	return f != NULL && (i->prefix & PFX_LOCK) ? cpu_undefined : f;
}

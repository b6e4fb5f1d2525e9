/* SPDX-License-Identifier: MIT */
/*
 * Integer instructions.
 *
 * How it works: what is not named here is left to the interpreter, so a hole costs time and nothing
 * else.  @def may be smaller than the truth and @use, @mod larger.
 */
#include "vmm/accel/soft/translate/op.h"

#define OP(...) ((struct op) { __VA_ARGS__ })

static const struct op interp = { .kind = OP_INTERP };

uint16_t op_condition(unsigned cc)
{
	static const uint16_t used[8] = {
		FL_OF, FL_CF, FL_ZF, FL_CF | FL_ZF, FL_SF, FL_PF, FL_SF | FL_OF, FL_ZF | FL_SF | FL_OF,
	};

	return used[cc >> 1 & 7];
}

/* Sets all six flags. */
static struct op alu(unsigned reg, unsigned rm, unsigned mem)
{
	return (struct op) { .kind = OP_PLAIN, .reg = (uint8_t) reg, .rm = (uint8_t) rm, .mem = (uint8_t) mem,
			     .def = FL_STATUS, .mod = FL_STATUS };
}

/* Leaves flags alone. */
static struct op move(unsigned reg, unsigned rm, unsigned mem)
{
	return (struct op) { .kind = OP_PLAIN, .reg = (uint8_t) reg, .rm = (uint8_t) rm, .mem = (uint8_t) mem };
}

static struct op move_sized(unsigned reg, unsigned rm, unsigned mem, unsigned size)
{
	struct op op = move(reg, rm, mem);

	op.mem_size = (uint8_t) size;
	return op;
}

/* 0x00 to 0x3F: @which of ADD OR ADC SBB AND SUB XOR CMP. */
static struct op arithmetic(unsigned which, unsigned form)
{
	unsigned to = which == 7 ? ROLE_R : ROLE_RW;
	struct op op;

	switch (form) {
	case 0:
	case 1:
		op = alu(ROLE_R, to, to);
		break;
	case 2:
	case 3:
		op = alu(to, ROLE_R, ROLE_R);
		break;
	case 4:
	case 5: /* AL, rAX with a constant */
		op = alu(0, 0, 0);
		break;
	default:
		return interp;
	}
	if (which == 2 || which == 3)
		op.use = FL_CF;
	return op;
}

/* Groups 2: @which of ROL ROR RCL RCR SHL SHR SAL SAR; @count is -1 for CL. */
static struct op shift(const struct insn *i, int count)
{
	unsigned which = i->modrm >> 3 & 7;
	struct op op = move(0, ROLE_RW, ROLE_RW);

	if (count >= 0 && (count & (i->size == 8 ? 63 : 31)) == 0)
		return op;
	op.mod = which < 4 ? FL_CF | FL_OF : FL_STATUS;
	if (which == 2 || which == 3)
		op.use = FL_CF;
	if (count >= 0)
		op.def = op.mod;
	return op;
}

/* SHLD, SHRD */
static struct op shift_double(const struct insn *i, int count)
{
	struct op op = move(ROLE_R, ROLE_RW, ROLE_RW);

	if (count >= 0 && (count & (i->size == 8 ? 63 : 31)) == 0)
		return op;
	op.mod = FL_STATUS;
	if (count >= 0)
		op.def = FL_STATUS;
	return op;
}

/* 0xF6, 0xF7 */
static struct op group3(const struct insn *i)
{
	struct op op;

	switch (i->modrm >> 3 & 7) {
	case 0:
	case 1:
		return alu(0, ROLE_R, ROLE_R);
	case 2:
		return move(0, ROLE_RW, ROLE_RW);
	case 3:
		return alu(0, ROLE_RW, ROLE_RW);
	default: /* MUL, IMUL, DIV, IDIV: what is undefined afterwards depends on what was before */
		op = alu(0, ROLE_R, ROLE_R);
		op.def = 0;
		op.faults = (i->modrm >> 3 & 7) >= 6;
		return op;
	}
}

/* 0xFE, 0xFF */
static struct op group5(const struct insn *i)
{
	struct op op = interp;

	switch (i->modrm >> 3 & 7) {
	case 0:
	case 1:
		op = move(0, ROLE_RW, ROLE_RW);
		op.def = op.mod = FL_STATUS & ~FL_CF;
		break;
	case 2:
		op = move(0, ROLE_R, ROLE_R);
		op.kind = OP_CALL_IND;
		break;
	case 4:
		op = move(0, ROLE_R, ROLE_R);
		op.kind = OP_JMP_IND;
		break;
	case 6:
		op = move(0, ROLE_R, ROLE_R);
		op.kind = i->is_mem ? OP_PUSH_MEM : OP_INTERP;
		break;
	default:
		return interp;
	}
	if (i->opcode == 0xFE)
		return (i->modrm >> 3 & 7) < 2 ? op : interp;
	/* Branches and pushes are 64 bits wide here, whatever the prefix: with one, they are rare. */
	if (op.kind != OP_PLAIN && i->prefix & PFX_66)
		return interp;
	if (op.kind != OP_PLAIN)
		op.mem_size = 8;
	return op;
}

/* 0x8C */
static struct op selector(const struct insn *i)
{
	if ((i->modrm >> 3 & 7) >= 6)
		return interp;
	return OP(.kind = OP_SELECTOR, .rm = ROLE_W, .mem = ROLE_W, .mem_size = 2);
}

/* MOVS, STOS */
static struct op string(const struct insn *i)
{
	if (i->rep == 0 || i->addr_size != 8 || i->seg == SEG_FS || i->seg == SEG_GS)
		return interp;
	return OP(.kind = OP_STRING);
}

/* CLI, STI, CLD, STD */
static struct op flag(unsigned opcode)
{
	return OP(.kind = opcode == 0xFA ? OP_CLI : opcode == 0xFB ? OP_STI : OP_DIRECTION);
}

static struct op one_byte(const struct insn *i, enum op_fp fp)
{
	unsigned opcode = i->opcode;
	struct op op;

	if (opcode < 0x40)
		return arithmetic(opcode >> 3, opcode & 7);
	switch (opcode) {
	case 0x50 ... 0x57:
		return i->size == 8 ? OP(.kind = OP_PUSH, .opreg = ROLE_R, .mem = ROLE_W, .mem_size = 8) : interp;
	case 0x58 ... 0x5F:
		return i->size == 8 ? OP(.kind = OP_POP, .opreg = ROLE_W, .mem = ROLE_R, .mem_size = 8) : interp;
	case 0x63:
		return i->size >= 4 ? move_sized(ROLE_W, ROLE_R, ROLE_R, 4) : interp;
	case 0x68:
	case 0x6A:
		return i->size == 8 ? OP(.kind = OP_PUSH, .imm = true, .mem = ROLE_W, .mem_size = 8) : interp;
	case 0x69:
	case 0x6B:
		return alu(ROLE_W, ROLE_R, ROLE_R);
	case 0x70 ... 0x7F:
		return OP(.kind = OP_JCC, .use = op_condition(opcode));
	case 0x80:
	case 0x81:
	case 0x83:
		op = arithmetic(i->modrm >> 3 & 7, 0);
		op.reg = 0;
		return op;
	case 0x84:
	case 0x85:
		return alu(ROLE_R, ROLE_R, ROLE_R);
	case 0x86:
	case 0x87:
		return move(ROLE_RW, ROLE_RW, ROLE_RW);
	case 0x88:
	case 0x89:
		return move(ROLE_R, ROLE_W, ROLE_W);
	case 0x8A:
	case 0x8B:
		return move(ROLE_W, ROLE_R, ROLE_R);
	case 0x8C:
		return selector(i);
	case 0x8D:
		return i->is_mem && i->size >= 4 ? OP(.kind = OP_LEA, .reg = ROLE_W) : interp;
	case 0x90 ... 0x97:
		return OP(.kind = OP_PLAIN, .opreg = ROLE_RW);
	case 0x98:
	case 0x99:
		return move(0, 0, 0);
	case 0x9C:
		return i->size == 8 ? OP(.kind = OP_PUSHF, .use = FL_STATUS) : interp;
	case 0x9D:
		return i->size == 8 ? OP(.kind = OP_POPF, .def = FL_STATUS, .mod = FL_STATUS) : interp;
	case 0x9B:
		return fp == OP_FP_NONE ? interp : OP(.kind = OP_PLAIN, .faults = true);
	case 0x9E:
		op = move(0, 0, 0);
		op.def = op.mod = FL_STATUS & ~FL_OF;
		return op;
	case 0x9F:
		op = move(0, 0, 0);
		op.use = FL_STATUS & ~FL_OF;
		return op;
	case 0xA4:
	case 0xA5:
	case 0xAA:
	case 0xAB:
		return string(i);
	case 0xA8:
	case 0xA9:
		return alu(0, 0, 0);
	case 0xB0 ... 0xBF:
		return OP(.kind = OP_PLAIN, .opreg = ROLE_W);
	case 0xC0:
	case 0xC1:
		return shift(i, (int) (i->imm & 0xFF));
	case 0xD0:
	case 0xD1:
		return shift(i, 1);
	case 0xD2:
	case 0xD3:
		return shift(i, -1);
	case 0xC2:
	case 0xC3:
		return i->prefix & PFX_66 ? interp : OP(.kind = OP_RET, .mem = ROLE_R, .mem_size = 8);
	case 0xC6:
	case 0xC7:
		return (i->modrm >> 3 & 7) == 0 ? move(0, ROLE_W, ROLE_W) : interp;
	case 0xC9:
		return i->size == 8 ? OP(.kind = OP_LEAVE, .mem = ROLE_R, .mem_size = 8) : interp;
	case 0xD8 ... 0xDF:
		return op_simd(i, fp);
	case 0xE3:
		return OP(.kind = OP_JRCXZ);
	case 0xE8:
		return i->prefix & PFX_66 ? interp : OP(.kind = OP_CALL, .mem = ROLE_W, .mem_size = 8);
	case 0xE9:
	case 0xEB:
		return i->prefix & PFX_66 ? interp : OP(.kind = OP_JMP);
	case 0xF5:
		op = move(0, 0, 0);
		op.use = op.def = op.mod = FL_CF;
		return op;
	case 0xF8:
	case 0xF9:
		op = move(0, 0, 0);
		op.def = op.mod = FL_CF;
		return op;
	case 0xF6:
	case 0xF7:
		return group3(i);
	case 0xFA ... 0xFD:
		return flag(opcode);
	case 0xFE:
	case 0xFF:
		return group5(i);
	default:
		return interp;
	}
}

static struct op bit_test(const struct insn *i, unsigned which, bool by_register)
{
	unsigned to = which == 0 ? ROLE_R : ROLE_RW;
	struct op op = move(by_register ? ROLE_R : 0, to, to);

	op.def = FL_CF;
	op.mod = FL_STATUS;
	if (by_register && i->is_mem)
		op.kind = i->size >= 4 ? OP_BIT : OP_INTERP;
	return op;
}

/* 0F AE: fences and the MXCSR. */
static struct op group15(const struct insn *i, enum op_fp fp)
{
	unsigned which = i->modrm >> 3 & 7;

	if (i->pp == 2 && !i->is_mem && which < 4)
		return OP(.kind = OP_BASE, .rm = ROLE_RW);
	if (i->pp != 0)
		return interp;
	if (!i->is_mem)
		return which >= 5 ? move(0, 0, 0) : interp;
	if (fp == OP_FP_NONE)
		return interp;
	if (which == 2)
		return move_sized(0, 0, ROLE_R, 4);
	return which == 3 ? move_sized(0, 0, ROLE_W, 4) : interp;
}

/* 0F 01 */
static struct op group7(const struct insn *i)
{
	if (i->pp != 0 || i->rep != 0)
		return interp;
	switch (i->modrm) {
	case 0xCA:
		return OP(.kind = OP_CLAC);
	case 0xCB:
		return OP(.kind = OP_STAC);
	case 0xF8:
		return OP(.kind = OP_SWAPGS);
	case 0xF9:
		return OP(.kind = OP_RDTSC);
	default:
		return interp;
	}
}

static struct op two_byte(const struct insn *i, enum op_fp fp)
{
	unsigned opcode = i->opcode;
	struct op op;

	switch (opcode) {
	case 0x01:
		return group7(i);
	case 0x31:
		return OP(.kind = OP_RDTSC);
	case 0x05:
		return i->pp == 0 && i->rep == 0 ? OP(.kind = OP_SYSCALL) : interp;
	case 0x07:
		return i->pp == 0 && i->rep == 0 && i->size == 8 ? OP(.kind = OP_SYSRET) : interp;
	case 0x20:
		return !i->is_mem && i->size == 8 && i->reg < 5 && i->reg != 1 ? OP(.kind = OP_CONTROL, .rm = ROLE_W) : interp;
	case 0x0D:
	case 0x18 ... 0x1F:
		return i->has_modrm && i->is_mem ? OP(.kind = OP_NOTHING) :
		       opcode == 0x1F ? OP(.kind = OP_NOTHING) : interp;
	case 0x40 ... 0x4F:
		op = move(ROLE_RW, ROLE_R, ROLE_R);
		op.use = op_condition(opcode);
		return op;
	case 0x80 ... 0x8F:
		return i->prefix & PFX_66 ? interp : OP(.kind = OP_JCC, .use = op_condition(opcode));
	case 0x90 ... 0x9F:
		op = move_sized(0, ROLE_RW, ROLE_W, 1);
		op.use = op_condition(opcode);
		return op;
	case 0xA3:
		return bit_test(i, 0, true);
	case 0xAB:
	case 0xB3:
	case 0xBB:
		return bit_test(i, 1, true);
	case 0xBA:
		return (i->modrm >> 3 & 7) >= 4 ? bit_test(i, i->modrm >> 3 & 3, false) : interp;
	case 0xA4:
	case 0xAC:
		return shift_double(i, (int) (i->imm & 0xFF));
	case 0xA5:
	case 0xAD:
		return shift_double(i, -1);
	case 0xAE:
		return group15(i, fp);
	case 0xAF:
		return alu(ROLE_RW, ROLE_R, ROLE_R);
	case 0xB0:
	case 0xB1:
		return alu(ROLE_R, ROLE_RW, ROLE_RW);
	case 0xB6:
	case 0xBE:
		return move_sized(ROLE_W, ROLE_R, ROLE_R, 1);
	case 0xB7:
	case 0xBF:
		return move_sized(ROLE_W, ROLE_R, ROLE_R, 2);
	case 0xB8:
		return i->rep == 0xF3 ? alu(ROLE_W, ROLE_R, ROLE_R) : interp;
	case 0xBC:
	case 0xBD: /* BSF leaves its destination alone when there is no bit */
		op = move(ROLE_RW, ROLE_R, ROLE_R);
		op.def = FL_ZF;
		op.mod = FL_STATUS;
		return op;
	case 0xC0:
	case 0xC1:
		return alu(ROLE_RW, ROLE_RW, ROLE_RW);
	case 0xC3:
		return i->is_mem && i->pp == 0 ? move(ROLE_R, 0, ROLE_W) : interp;
	case 0xC7:
		if (!i->is_mem || (i->modrm >> 3 & 7) != 1 || i->pp != 0)
			return interp;
		op = move_sized(0, 0, ROLE_RW, i->prefix & PFX_REX_W ? 16 : 8);
		op.def = op.mod = FL_ZF;
		return op;
	case 0xC8 ... 0xCF:
		return i->size >= 4 ? OP(.kind = OP_PLAIN, .opreg = ROLE_RW) : interp;
	default:
		return op_simd(i, fp);
	}
}

/* 0F 38 F0 to F6 without VEX. */
static struct op three_byte(const struct insn *i, enum op_fp fp)
{
	struct op op;

	switch (i->opcode) {
	case 0xF0:
	case 0xF1:
		if (i->rep == 0xF2) /* CRC32 */
			return move_sized(ROLE_RW, ROLE_R, ROLE_R, i->opcode == 0xF0 ? 1 : i->size);
		if (i->rep != 0 || !i->is_mem)
			return interp;
		return i->opcode == 0xF0 ? move(ROLE_W, 0, ROLE_R) : move(ROLE_R, 0, ROLE_W);
	case 0xF6:
		op = move(ROLE_RW, ROLE_R, ROLE_R);
		if (i->pp == 1)
			op.use = op.def = op.mod = FL_CF;
		else if (i->pp == 2)
			op.use = op.def = op.mod = FL_OF;
		else
			return interp;
		return op;
	default:
		return op_simd(i, fp);
	}
}

/* VEX instructions on general registers; OP_INTERP when @i is none. */
static struct op vex_integer(const struct insn *i)
{
	struct op op = interp;

	if (i->vl != 0)
		return interp;
	if (i->map == MAP_0F3A)
		return i->opcode == 0xF0 && i->pp == 3 ? move(ROLE_W, ROLE_R, ROLE_R) : interp; /* RORX */
	if (i->map != MAP_0F38)
		return interp;
	switch (i->opcode) {
	case 0xF2: /* ANDN */
		if (i->pp != 0)
			return interp;
		op = alu(ROLE_W, ROLE_R, ROLE_R);
		op.vvvv = ROLE_R;
		return op;
	case 0xF3: /* BLSR, BLSMSK, BLSI */
		if (i->pp != 0 || (i->modrm >> 3 & 7) < 1 || (i->modrm >> 3 & 7) > 3)
			return interp;
		op = alu(0, ROLE_R, ROLE_R);
		op.vvvv = ROLE_W;
		return op;
	case 0xF5: /* BZHI, PEXT, PDEP */
		if (i->pp == 1)
			return interp;
		op = i->pp == 0 ? alu(ROLE_W, ROLE_R, ROLE_R) : move(ROLE_W, ROLE_R, ROLE_R);
		op.vvvv = ROLE_R;
		return op;
	case 0xF6: /* MULX */
		if (i->pp != 3)
			return interp;
		op = move(ROLE_W, ROLE_R, ROLE_R);
		op.vvvv = ROLE_W;
		return op;
	case 0xF7: /* BEXTR, SHLX, SARX, SHRX */
		op = i->pp == 0 ? alu(ROLE_W, ROLE_R, ROLE_R) : move(ROLE_W, ROLE_R, ROLE_R);
		op.vvvv = ROLE_R;
		return op;
	default:
		return interp;
	}
}

struct op op_classify(const struct insn *i, enum op_fp fp)
{
	struct op op = interp;

	if (i->addr_size == 2)
		return interp;
	if (i->enc == ENC_LEGACY && i->map == MAP_1BYTE)
		op = one_byte(i, fp);
	else if (i->enc == ENC_LEGACY && i->map == MAP_0F)
		op = two_byte(i, fp);
	else if (i->enc == ENC_LEGACY && i->map == MAP_0F38)
		op = three_byte(i, fp);
	else if (i->enc == ENC_VEX)
		op = vex_integer(i);
	if (op.kind == OP_INTERP && (i->enc != ENC_LEGACY || i->map == MAP_0F3A))
		op = op_simd(i, fp);

	if (op.mem_size == 0)
		op.mem_size = i->size;
	if (i->prefix & PFX_LOCK && !(i->is_mem && op.mem == ROLE_RW && (op.kind == OP_PLAIN || op.kind == OP_BIT)))
		return interp; /* #UD, most likely */
	return op;
}

static bool scalar_0f(const struct insn *i)
{
	switch (i->opcode) {
	case 0x01:
		return i->modrm != 0xD0 && i->modrm != 0xD1 && i->modrm != 0xC1 && i->modrm != 0xD9; /* hypercalls */
	case 0xAE:
		return i->pp == 2 && !i->is_mem; /* FS and GS bases */
	case 0x20 ... 0x23:
		return (i->reg & 15) != 8; /* CR8 is the local APIC's */
	case 0x00:
	case 0x02 ... 0x0B:
	case 0x30 ... 0x32:
	case 0x34 ... 0x35:
	case 0xA0 ... 0xA3:
	case 0xA8 ... 0xA9:
	case 0xAB:
	case 0xB2 ... 0xB5:
	case 0xBB:
		return true;
	default:
		return false;
	}
}

bool op_scalar(const struct insn *i)
{
	if (i->enc != ENC_LEGACY)
		return false;
	if (i->map == MAP_0F)
		return scalar_0f(i);
	if (i->map == MAP_0F38)
		return i->opcode == 0x82; /* INVPCID */
	if (i->map != MAP_1BYTE)
		return false;
	switch (i->opcode) {
	case 0x6C ... 0x6F:
	case 0x9B:
	case 0xD8 ... 0xDF:
	case 0xE4 ... 0xE7:
	case 0xEC ... 0xEF:
	case 0xF4:
		return false;
	default:
		return true;
	}
}

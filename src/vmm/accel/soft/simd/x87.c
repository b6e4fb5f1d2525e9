// SPDX-License-Identifier: MIT
/**
 * DOC: x87
 *
 * Arithmetic runs in cells: the guest's x87 state goes to the host, one instruction runs on a copy of
 * the memory operand, and the state comes back.  Exceptions stay pending in the status word, where the
 * next instruction that waits finds them.  What concerns only control words is in x87_env.c.
 */
#include "vmm/accel/soft/simd/x87.h"

#include "vmm/accel/soft/simd/cells.h"
#include "vmm/accel/soft/simd/regs.h"

#define FX_EXCEPTIONS 0x3Fu
#define FX_PRECISION 0x20u

/* By opcode and ModRM.reg: bytes of the memory operand; negative: it is written; 0: not for a cell */
static const int8_t operand[8][8] = {
	{ 4, 4, 4, 4, 4, 4, 4, 4 },	  { 4, 0, -4, -4, 0, 0, 0, 0 }, { 4, 4, 4, 4, 4, 4, 4, 4 },
	{ 4, -4, -4, -4, 0, 10, 0, -10 }, { 8, 8, 8, 8, 8, 8, 8, 8 },	{ 8, -8, -8, -8, 0, 0, 0, 0 },
	{ 2, 2, 2, 2, 2, 2, 2, 2 },	  { 2, -2, -2, -2, 10, 8, -10, -8 },
};

/* By opcode: which of the 64 register forms exist and are for a cell; bit: ModRM less 0xC0 */
static const uint64_t forms[8] = {
	UINT64_MAX,
	0xFFFF7F33FF01FFFF, /* D9 */
	0x00000200FFFFFFFF, /* DA: FCMOV, FUCOMPP */
	0x00FFFF00FFFFFFFF, /* DB: FCMOV, FUCOMI, FCOMI */
	UINT64_MAX,
	0x0000FFFFFFFFFFFF, /* DD */
	0xFFFFFFFF02FFFFFF, /* DE: of D8 to DF only FCOMPP */
	0x00FFFF00FFFFFFFF, /* DF: FUCOMIP, FCOMIP */
};

void x87_check(struct cpu *c, bool waits)
{
	if (c->cr0 & (CR0_EM | CR0_TS))
		cpu_raise(c, EXC_NM);
	if (waits && xs_get16(c, XS_FSW) & FSW_ES)
		cpu_raise(c, EXC_MF);
}

/* The image counts registers from the top. */
void x87_set_top(struct cpu *c, unsigned top)
{
	uint16_t status = xs_get16(c, XS_FSW);
	unsigned by = (top - (status >> FSW_TOP_SHIFT)) & 7;
	uint8_t old[128];

	if (by == 0)
		return;
	memcpy(old, c->xsave + XS_ST, sizeof(old));
	for (unsigned n = 0; n < 8; n++)
		memcpy(c->xsave + XS_ST + (size_t) n * 16, old + ((n + by) & 7) * 16, 16);
	xs_set16(c, XS_FSW, (uint16_t) ((status & ~FSW_TOP) | top << FSW_TOP_SHIFT));
}

void x87_init(struct cpu *c)
{
	x87_set_top(c, 0);
	memset(c->xsave, 0, XS_MXCSR);
	xs_set16(c, XS_FCW, 0x37F);
}

void x87_pending(struct cpu *c)
{
	uint16_t status = xs_get16(c, XS_FSW) & (uint16_t) ~(FSW_ES | FSW_B);

	if (status & ~xs_get16(c, XS_FCW) & FX_EXCEPTIONS)
		status |= FSW_ES | FSW_B;
	xs_set16(c, XS_FSW, status);
}

/* The cell counts from the instruction's opcode: memory forms, then register forms. */
static const void *cell_of(const struct insn *i)
{
	unsigned op = i->opcode & 7u;
	unsigned form = i->is_mem ? i->modrm >> 3 & 7u : 8u + (i->modrm & 63u);

	return simd_x87_cells + ((size_t) op * 72 + form) * 4;
}

/* Where the last instruction and its operand were: kept in the way in which the host keeps them. */
static void note_pointers(struct cpu *c, const struct insn *i, const struct simd_x87 *x)
{
	uint64_t ip, dp;
	uint16_t op;

	memcpy(&op, x->image + XS_FOP, 2);
	memcpy(&ip, x->image + XS_FIP, 8);
	memcpy(&dp, x->image + XS_FDP, 8);
	if (op != 0)
		xs_set16(c, XS_FOP, (uint16_t) ((i->opcode & 7u) << 8 | i->modrm));
	if (ip != 0) {
		ip = c->reg[REG_RIP] - i->len;
		memcpy(c->xsave + XS_FIP, &ip, 8);
	}
	if (dp != 0) {
		dp = cpu_ea(c, i);
		memcpy(c->xsave + XS_FDP, &dp, 8);
	}
}

static void begin(const struct cpu *c, struct simd_x87 *x)
{
	uint32_t mxcsr = MXCSR_DEFAULT;

	memcpy(x->image, c->xsave, XS_XMM);
	memset(x->image + XS_XMM, 0, sizeof(x->image) - XS_XMM);
	memset(x->image + XS_FOP, 0, 2 + 8 + 8);
	memcpy(x->image + XS_MXCSR, &mxcsr, 4);
	x->flags = c->status | 2;
}

static void end(struct cpu *c, const struct insn *i, const struct simd_x87 *x)
{
	memcpy(c->xsave, x->image, XS_FOP);
	memcpy(c->xsave + XS_ST, x->image + XS_ST, 128);
	c->status = x->flags & FL_STATUS;
	note_pointers(c, i, x);
}

static void register_exec(struct cpu *c, const struct insn *i)
{
	struct simd_x87 x;

	x87_check(c, true);
	begin(c, &x);
	simd_call_x87(&x, cell_of(i), NULL);
	end(c, i, &x);
}

static void load_exec(struct cpu *c, const struct insn *i)
{
	unsigned size = (unsigned) operand[i->opcode & 7][i->modrm >> 3 & 7];
	uint8_t data[16];
	struct simd_x87 x;

	x87_check(c, true);
	cpu_read(c, mem_operand(c, i, size, MEM_READ), data, size);
	begin(c, &x);
	simd_call_x87(&x, cell_of(i), data);
	end(c, i, &x);
}

static void store_exec(struct cpu *c, const struct insn *i)
{
	unsigned size = (unsigned) -operand[i->opcode & 7][i->modrm >> 3 & 7];
	uint16_t control, status;
	uint8_t data[16];
	struct simd_x87 x;

	x87_check(c, true);
	begin(c, &x);
	simd_call_x87(&x, cell_of(i), data);
	memcpy(&control, x.image + XS_FCW, 2);
	memcpy(&status, x.image + XS_FSW, 2);
	if (!(status & ~control & FX_EXCEPTIONS & ~FX_PRECISION)) /* else nothing was stored */
		cpu_write(c, mem_operand(c, i, size, MEM_WRITE), data, size);
	end(c, i, &x);
}

/* FWAIT */
static void wait_exec(struct cpu *c, const struct insn *i)
{
	(void) i;
	if ((c->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS))
		cpu_raise(c, EXC_NM);
	if (xs_get16(c, XS_FSW) & FSW_ES)
		cpu_raise(c, EXC_MF);
}

cpu_exec_fn *x87_bind(const struct insn *i)
{
	unsigned op = i->opcode & 7u;
	int size;

	if (i->opcode == 0x9B)
		return wait_exec;
	if (!i->is_mem)
		return forms[op] >> (i->modrm & 63) & 1 ? register_exec : x87_env_bind(i);
	size = operand[op][i->modrm >> 3 & 7];
	if (size == 0)
		return x87_env_bind(i);
	return size < 0 ? store_exec : load_exec;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: control registers, MSRs, system calls and the like
 */
#include "vmm/accel/soft/cpu/control.h"
#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/msr.h"
#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/cpu/seg.h"

#define HYPERCALL_DENIED (-1)

static bool has(const struct cpu *c, unsigned word, unsigned bit)
{
	return cpuid_has(c, word, bit);
}

void cpu_undefined(struct cpu *c, const struct insn *i)
{
	(void) i;
	cpu_raise(c, EXC_UD);
}

void cpu_need_cpl0(struct cpu *c)
{
	if (c->cpl != 0)
		cpu_raise_code(c, EXC_GP, 0);
}

static void nothing(struct cpu *c, const struct insn *i)
{
	(void) c;
	(void) i;
}

/* For other processors to see what was written before: the host's are what the guest's are. */
static void fence(struct cpu *c, const struct insn *i)
{
	(void) c;
	(void) i;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void privileged_nothing(struct cpu *c, const struct insn *i)
{
	(void) i;
	cpu_need_cpl0(c);
}

static void hlt(struct cpu *c, const struct insn *i)
{
	(void) i;
	cpu_need_cpl0(c);
	c->activity = CPU_HALTED;
	c->leave = true;
}

static void clear_if(struct cpu *c, const struct insn *i)
{
	(void) i;
	if ((c->cr0 & CR0_PE) && c->cpl > (c->flags >> 12 & 3))
		cpu_raise_code(c, EXC_GP, 0);
	c->flags &= ~FL_IF;
}

static void set_if(struct cpu *c, const struct insn *i)
{
	(void) i;
	if ((c->cr0 & CR0_PE) && c->cpl > (c->flags >> 12 & 3))
		cpu_raise_code(c, EXC_GP, 0);
	if (!(c->flags & FL_IF))
		c->shadow = 1;
	c->flags |= FL_IF;
}

static void need_iopl_v86(struct cpu *c)
{
	if (cpu_is_v86(c) && (c->flags & FL_IOPL) != FL_IOPL)
		cpu_raise_code(c, EXC_GP, 0);
}

static void pushf(struct cpu *c, const struct insn *i)
{
	need_iopl_v86(c);
	stack_push(c, i->size, cpu_rflags(c) & ~(FL_VM | FL_RF));
}

static void popf(struct cpu *c, const struct insn *i)
{
	uint32_t mask = FL_STATUS | FL_TF | FL_DF | FL_NT, v;

	need_iopl_v86(c);
	v = (uint32_t) stack_peek(c, 0, i->size);
	if (i->size > 2)
		mask |= FL_AC | FL_ID;
	if (c->cpl == 0)
		mask |= FL_IOPL;
	if (c->cpl <= (c->flags >> 12 & 3))
		mask |= FL_IF;
	stack_set(c, c->reg[REG_RSP] + i->size);
	cpu_set_rflags(c, ((cpu_rflags(c) & ~mask) | (v & mask)) & (i->size > 2 ? ~FL_RF : UINT32_MAX));
}

static void cpuid(struct cpu *c, const struct insn *i)
{
	struct cpuid_regs r = cpuid_get(c, (uint32_t) c->reg[REG_RAX], (uint32_t) c->reg[REG_RCX]);

	(void) i;
	c->reg[REG_RAX] = r.eax;
	c->reg[REG_RBX] = r.ebx;
	c->reg[REG_RCX] = r.ecx;
	c->reg[REG_RDX] = r.edx;
}

static void need_tsc(struct cpu *c)
{
	if ((c->cr4 & CR4_TSD) && c->cpl > 0 && (c->cr0 & CR0_PE))
		cpu_raise_code(c, EXC_GP, 0);
}

static void rdtsc(struct cpu *c, const struct insn *i)
{
	uint64_t t;

	need_tsc(c);
	t = cpu_tsc(c);
	c->reg[REG_RAX] = (uint32_t) t;
	c->reg[REG_RDX] = t >> 32;
	if (i->opcode == 0x01) /* RDTSCP */
		c->reg[REG_RCX] = (uint32_t) c->tsc_aux;
}

static void rdpmc(struct cpu *c, const struct insn *i)
{
	(void) i;
	cpu_raise_code(c, EXC_GP, 0); /* there are no counters */
}

static void rdmsr(struct cpu *c, const struct insn *i)
{
	uint64_t v;

	(void) i;
	cpu_need_cpl0(c);
	if (!msr_read(c, (uint32_t) c->reg[REG_RCX], &v))
		cpu_raise_code(c, EXC_GP, 0);
	c->reg[REG_RAX] = (uint32_t) v;
	c->reg[REG_RDX] = v >> 32;
}

static void wrmsr(struct cpu *c, const struct insn *i)
{
	(void) i;
	cpu_need_cpl0(c);
	if (!msr_write(c, (uint32_t) c->reg[REG_RCX], (uint32_t) c->reg[REG_RAX] | c->reg[REG_RDX] << 32))
		cpu_raise_code(c, EXC_GP, 0);
}

static void clts(struct cpu *c, const struct insn *i)
{
	(void) i;
	cpu_need_cpl0(c);
	c->cr0 &= ~(uint64_t) CR0_TS;
}

static void invlpg(struct cpu *c, const struct insn *i)
{
	cpu_need_cpl0(c);
	mmu_invlpg(c, c->seg[i->seg].base + cpu_ea(c, i));
}

static void invpcid(struct cpu *c, const struct insn *i)
{
	uint64_t type = reg_get(c, i->reg, c->mode == CPU_MODE_64 ? 8 : 4), v[2];

	cpu_need_cpl0(c);
	cpu_read(c, mem_operand(c, i, 16, MEM_READ), v, 16);
	if (type > 3 || (type < 2 && (v[0] >> 12 || (!(c->cr4 & CR4_PCIDE) && v[0] != 0))))
		cpu_raise_code(c, EXC_GP, 0);
	if (type == 0) {
		if ((uint64_t) ((int64_t) (v[1] << 16) >> 16) != v[1])
			cpu_raise_code(c, EXC_GP, 0);
		mmu_invlpg(c, v[1]);
	} else if (type == 1) {
		mmu_invpcid(c, v[0] & 0xFFF);
	} else {
		cpu_flush_tlb(c, type == 2);
	}
}

static void swapgs(struct cpu *c, const struct insn *i)
{
	uint64_t v = c->seg[SEG_GS].base;

	(void) i;
	cpu_need_cpl0(c);
	c->seg[SEG_GS].base = c->kernel_gs_base;
	c->kernel_gs_base = v;
}

static void stac_clac(struct cpu *c, const struct insn *i)
{
	if (c->cpl != 0)
		cpu_raise(c, EXC_UD);
	c->flags = (c->flags & ~FL_AC) | (i->modrm == 0xCB ? FL_AC : 0);
	mmu_select(c);
}

/* RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE */
static void fsgsbase(struct cpu *c, const struct insn *i)
{
	struct cpu_seg *s = &c->seg[i->modrm >> 3 & 1 ? SEG_GS : SEG_FS];

	if (!(c->cr4 & CR4_FSGSBASE))
		cpu_raise(c, EXC_UD);
	if (i->modrm >> 3 & 2) {
		uint64_t v = reg_get(c, i->rm, i->size);

		if ((uint64_t) ((int64_t) (v << 16) >> 16) != v)
			cpu_raise_code(c, EXC_GP, 0);
		s->base = v;
	} else {
		reg_set(c, i->rm, i->size, s->base);
	}
}

static void rdpid(struct cpu *c, const struct insn *i)
{
	c->reg[i->rm] = (uint32_t) c->tsc_aux;
}

/* The host's generator, and whether it had something to give. */
static void rdrand(struct cpu *c, const struct insn *i)
{
	uint64_t v;
	bool ok;

	if ((i->modrm >> 3 & 7) == 6)
		__asm__ volatile("rdrand %0; setc %1" : "=r"(v), "=qm"(ok) : : "cc");
	else
		__asm__ volatile("rdseed %0; setc %1" : "=r"(v), "=qm"(ok) : : "cc");
	reg_set(c, i->rm, i->size, ok ? v : 0);
	c->status = ok ? FL_CF : 0;
}

bool xcr0_ok(const struct cpu *c, uint64_t v)
{
	if (!(v & 1) || (v & ~c->cpuid->xcr0))
		return false;
	if ((v & 4) && !(v & 2))
		return false;
	return (v & 0xE0) == 0 || (v & 0xE6) == 0xE6;
}

static void xgetbv_xsetbv(struct cpu *c, const struct insn *i)
{
	uint64_t v = (uint32_t) c->reg[REG_RAX] | c->reg[REG_RDX] << 32;
	uint32_t n = (uint32_t) c->reg[REG_RCX];

	if (!(c->cr4 & CR4_OSXSAVE))
		cpu_raise(c, EXC_UD);
	if (i->modrm == 0xD1) {
		cpu_need_cpl0(c);
		if (n != 0 || !xcr0_ok(c, v))
			cpu_raise_code(c, EXC_GP, 0);
		c->xcr0 = v;
		return;
	}
	if (n > 1 || (n == 1 && !has(c, CPUID_WORD_D_1_EAX, 2)))
		cpu_raise_code(c, EXC_GP, 0);
	c->reg[REG_RAX] = (uint32_t) c->xcr0; /* any of them may be in use */
	c->reg[REG_RDX] = c->xcr0 >> 32;
}

/* SYSCALL and SYSRET trap by the TF that they leave, not by the one before. */
static void step_by_new_flags(struct cpu *c)
{
	c->stepped = false;
	if (c->flags & FL_TF)
		c->pending_db |= DR6_BS;
}

/* In compatibility mode: AMD's processors only. */
static void syscall_fast(struct cpu *c, const struct insn *i)
{
	uint16_t cs = (uint16_t) (c->star >> 32 & 0xFFFC);
	bool wide = c->mode == CPU_MODE_64;

	(void) i;
	if (!(c->efer & EFER_SCE) || !(wide || (cpu_is_long(c) && c->cpuid->amd)))
		cpu_raise(c, EXC_UD);
	c->reg[REG_RCX] = c->reg[REG_RIP];
	c->reg[11] = cpu_rflags(c) & ~FL_RF;
	c->seg[SEG_CS] = (struct cpu_seg) { .sel = cs, .limit = UINT32_MAX,
					    .attr = SEG_G | SEG_L | SEG_P | SEG_S | SEG_TYPE_CODE | 3 };
	c->seg[SEG_SS] = (struct cpu_seg) { .sel = (uint16_t) (cs + 8), .limit = UINT32_MAX,
					    .attr = SEG_G | SEG_DB | SEG_P | SEG_S | 3 };
	c->cpl = 0;
	c->reg[REG_RIP] = wide ? c->lstar : c->cstar;
	c->leave = true;
	cpu_set_rflags(c, cpu_rflags(c) & ~(uint32_t) c->fmask & ~FL_RF);
	cpu_mode_changed(c);
	step_by_new_flags(c);
}

static void return_user(struct cpu *c, uint16_t cs, uint16_t ss, bool wide)
{
	uint16_t common = SEG_G | SEG_P | SEG_S | SEG_DPL | 3;

	c->seg[SEG_CS] = (struct cpu_seg) { .sel = cs | 3, .limit = UINT32_MAX,
					    .attr = (uint16_t) (common | SEG_TYPE_CODE | (wide ? SEG_L : SEG_DB)) };
	c->seg[SEG_SS] = (struct cpu_seg) { .sel = ss | 3, .limit = UINT32_MAX, .attr = common | SEG_DB };
	c->cpl = 3;
	c->leave = true;
	cpu_mode_changed(c);
}

static void sysret(struct cpu *c, const struct insn *i)
{
	uint16_t base = (uint16_t) (c->star >> 48);
	bool wide = i->size == 8;

	if (!(c->efer & EFER_SCE) || c->mode != CPU_MODE_64)
		cpu_raise(c, EXC_UD);
	cpu_need_cpl0(c);
	if (wide && (uint64_t) ((int64_t) (c->reg[REG_RCX] << 16) >> 16) != c->reg[REG_RCX])
		cpu_raise_code(c, EXC_GP, 0);
	c->reg[REG_RIP] = wide ? c->reg[REG_RCX] : (uint32_t) c->reg[REG_RCX];
	cpu_set_rflags(c, ((uint32_t) c->reg[11] & 0x3C7FD7) | 2);
	return_user(c, (uint16_t) (wide ? base + 16 : base), (uint16_t) (base + 8), wide);
	step_by_new_flags(c);
}

/* AMD's processors have it in legacy mode only. */
static void need_sysenter(struct cpu *c)
{
	if (cpu_is_long(c) && c->cpuid->amd)
		cpu_raise(c, EXC_UD);
}

static void sysenter(struct cpu *c, const struct insn *i)
{
	uint16_t cs = (uint16_t) (c->sysenter_cs & 0xFFFC);
	bool wide = cpu_is_long(c);

	(void) i;
	need_sysenter(c);
	if (cpu_is_real(c) || cs == 0)
		cpu_raise_code(c, EXC_GP, 0);
	c->flags &= ~(FL_VM | FL_IF | FL_RF);
	c->seg[SEG_CS] = (struct cpu_seg) { .sel = cs, .limit = UINT32_MAX,
					    .attr = (uint16_t) (SEG_G | (wide ? SEG_L : SEG_DB) | SEG_P | SEG_S | 0xB) };
	c->seg[SEG_SS] = (struct cpu_seg) { .sel = (uint16_t) (cs + 8), .limit = UINT32_MAX,
					    .attr = SEG_G | SEG_DB | SEG_P | SEG_S | 3 };
	c->cpl = 0;
	c->reg[REG_RSP] = wide ? c->sysenter_esp : (uint32_t) c->sysenter_esp;
	c->reg[REG_RIP] = wide ? c->sysenter_eip : (uint32_t) c->sysenter_eip;
	c->leave = true;
	cpu_mode_changed(c);
}

static void sysexit(struct cpu *c, const struct insn *i)
{
	uint16_t cs = (uint16_t) (c->sysenter_cs & 0xFFFC);
	bool wide = i->size == 8;
	uint64_t rip = c->reg[REG_RDX], rsp = c->reg[REG_RCX];

	need_sysenter(c);
	if (cpu_is_real(c) || cs == 0)
		cpu_raise_code(c, EXC_GP, 0);
	cpu_need_cpl0(c);
	if (wide && ((uint64_t) ((int64_t) (rip << 16) >> 16) != rip || (uint64_t) ((int64_t) (rsp << 16) >> 16) != rsp))
		cpu_raise_code(c, EXC_GP, 0);
	c->reg[REG_RSP] = wide ? rsp : (uint32_t) rsp;
	c->reg[REG_RIP] = wide ? rip : (uint32_t) rip;
	return_user(c, (uint16_t) (cs + (wide ? 32 : 16)), (uint16_t) (cs + (wide ? 40 : 24)), wide);
}

/* KVM's hypercalls. */
static void hypercall(struct cpu *c, const struct insn *i)
{
	uint64_t mask = c->mode == CPU_MODE_64 ? UINT64_MAX : UINT32_MAX, ret = (uint64_t) HYPERCALL_DENIED;
	const uint64_t arg[5] = { c->reg[REG_RAX] & mask, c->reg[REG_RBX] & mask, c->reg[REG_RCX] & mask,
				  c->reg[REG_RDX] & mask, c->reg[REG_RSI] & mask };

	(void) i;
	if (c->cpl == 0)
		ret = c->ops->hypercall(c, arg);
	reg_set(c, REG_RAX, c->mode == CPU_MODE_64 ? 8 : 4, ret);
}

/* 0F 01 with registers: by the whole ModRM byte */
static cpu_exec_fn *bind_group7_register(const struct cpu *c, const struct insn *i)
{
	switch (i->modrm) {
	case 0xC1:
	case 0xD9:
		return hypercall; /* VMCALL, VMMCALL */
	case 0xCA:
	case 0xCB:
		return has(c, CPUID_WORD_7_EBX, 20) ? stac_clac : cpu_undefined;
	case 0xF8:
		return c->mode == CPU_MODE_64 ? swapgs : cpu_undefined;
	case 0xF9:
		return has(c, CPUID_WORD_80000001_EDX, 27) ? rdtsc : cpu_undefined;
	case 0xD0:
	case 0xD1:
		return has(c, CPUID_WORD_1_ECX, 26) && i->pp == 0 ? xgetbv_xsetbv : cpu_undefined;
	default:
		return cpu_undefined;
	}
}

static cpu_exec_fn *bind_group15(const struct cpu *c, const struct insn *i)
{
	unsigned n = i->modrm >> 3 & 7;

	if (!i->is_mem) {
		if (i->pp == 2 && n < 4)
			return c->mode == CPU_MODE_64 && has(c, CPUID_WORD_7_EBX, 0) ? fsgsbase : cpu_undefined;
		return n >= 5 && i->pp == 0 ? fence : n >= 5 ? cpu_undefined : NULL;
	}
	if (n == 7 && i->pp < 2)
		return i->pp == 0 || has(c, CPUID_WORD_7_EBX, 23) ? nothing : cpu_undefined;
	if (n == 6 && i->pp == 1)
		return has(c, CPUID_WORD_7_EBX, 24) ? nothing : cpu_undefined;
	return NULL; /* FXSAVE, XSAVE, LDMXCSR and their kind */
}

static cpu_exec_fn *bind_group9(const struct cpu *c, const struct insn *i)
{
	if (i->is_mem)
		return (i->modrm >> 3 & 7) == 1 || (i->modrm >> 3 & 7) == 4 ? NULL : cpu_undefined;
	if ((i->modrm >> 3 & 7) == 6 && i->pp < 2)
		return has(c, CPUID_WORD_1_ECX, 30) ? rdrand : cpu_undefined;
	if ((i->modrm >> 3 & 7) == 7 && i->pp < 2)
		return has(c, CPUID_WORD_7_EBX, 18) ? rdrand : cpu_undefined;
	if ((i->modrm >> 3 & 7) == 7 && i->pp == 2)
		return has(c, CPUID_WORD_7_ECX, 22) ? rdpid : cpu_undefined;
	return cpu_undefined;
}

static cpu_exec_fn *bind_0f(const struct cpu *c, const struct insn *i)
{
	switch (i->opcode) {
	case 0x01:
		if (!i->is_mem)
			return bind_group7_register(c, i);
		return (i->modrm >> 3 & 7) == 7 ? invlpg : NULL;
	case 0x05:
		return syscall_fast;
	case 0x06:
		return clts;
	case 0x07:
		return sysret;
	case 0x08:
	case 0x09:
		return privileged_nothing;
	case 0x0D:
		return nothing;
	case 0x0B:
	case 0xB9:
	case 0xFF:
		return cpu_undefined;
	case 0x30:
		return wrmsr;
	case 0x31:
		return rdtsc;
	case 0x32:
		return rdmsr;
	case 0x33:
		return rdpmc;
	case 0x34:
		return sysenter;
	case 0x35:
		return sysexit;
	case 0xA2:
		return cpuid;
	case 0xAE:
		return bind_group15(c, i);
	case 0xC7:
		return bind_group9(c, i);
	default:
		break;
	}
	return i->opcode >= 0x18 && i->opcode < 0x20 ? nothing : NULL;
}

static cpu_exec_fn *bind_1byte(const struct insn *i)
{
	switch (i->opcode) {
	case 0x9C:
		return pushf;
	case 0x9D:
		return popf;
	case 0xF4:
		return hlt;
	case 0xFA:
		return clear_if;
	case 0xFB:
		return set_if;
	default:
		return NULL;
	}
}

cpu_exec_fn *system_bind(const struct cpu *c, const struct insn *i)
{
	cpu_exec_fn *f = NULL;

	if (i->map == MAP_1BYTE)
		f = bind_1byte(i);
	else if (i->map == MAP_0F)
		f = bind_0f(c, i);
	else if (i->map == MAP_0F38 && i->opcode == 0x82 && i->pp == 1)
		f = i->is_mem ? invpcid : cpu_undefined;
	return f != NULL && (i->prefix & PFX_LOCK) ? cpu_undefined : f;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: the run loop
 *
 * Blocks run one after the other while nothing special is to be done; what is special (events, single
 * steps, breakpoints, the instruction behind STI) is found by one test before each block, and then goes
 * instruction by instruction.
 */
#include "vmm/accel/soft/cpu/run.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/accel/soft/cpu/blocks.h"
#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/cpu/exc.h"
#include "vmm/accel/soft/cpu/exec.h"
#include "vmm/accel/soft/cpu/mmu.h"
#include "vmm/accel/soft/cpu/seg.h"

#define PAT_RESET 0x0007040600070406ull

uint64_t cpu_tsc(const struct cpu *c)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (lo | (uint64_t) hi << 32) + c->tsc_offset;
}

void cpu_set_rflags(struct cpu *c, uint32_t value)
{
	uint32_t changed = value ^ cpu_rflags(c);

	c->status = value & FL_STATUS;
	c->flags = value & 0x3F7700 & ~FL_STATUS;
	if (changed & FL_VM)
		cpu_mode_changed(c);
	else if (changed & FL_AC)
		mmu_select(c);
}

static void init_registers(struct cpu *c)
{
	memset(c->reg, 0, sizeof(c->reg));
	c->reg[REG_RDX] = cpuid_host(1, 0).eax;
	c->reg[REG_RIP] = 0xFFF0;
	c->status = 0;
	c->flags = 0;
	c->cpl = 0;
	for (unsigned i = 0; i < SEG_FLAT; i++)
		c->seg[i] = (struct cpu_seg) { .limit = 0xFFFF, .attr = SEG_P | SEG_S | SEG_TYPE_WRITE | SEG_TYPE_ACCESSED };
	c->seg[SEG_CS].sel = 0xF000;
	c->seg[SEG_CS].base = 0xFFFF0000;
	c->seg[SEG_CS].attr |= SEG_TYPE_CODE;
	c->ldtr = (struct cpu_seg) { .limit = 0xFFFF, .attr = SEG_P | 2 };
	c->tr = (struct cpu_seg) { .limit = 0xFFFF, .attr = SEG_P | 11 };
	c->gdt = c->idt = (struct cpu_table) { .limit = 0xFFFF };
	c->cr0 = (c->cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
	c->cr2 = c->cr3 = c->cr4 = c->efer = 0;
	memset(c->dr, 0, sizeof(c->dr));
	c->dr6 = 0xFFFF0FF0;
	c->dr7 = 0x400;
	c->shadow = 0;
	c->nmi_blocked = c->nmi_again = false;
	c->pending_db = 0;
	c->delivering = false;
	replay_done(c);
	mmu_reset(c);
	cpu_mode_changed(c);
}

void cpu_init(struct cpu *c)
{
	init_registers(c);
	c->activity = c->index == 0 ? CPU_RUNS : CPU_WAITS_SIPI;
}

void cpu_reset(struct cpu *c)
{
	c->cr0 = CR0_CD | CR0_NW | CR0_ET;
	c->xcr0 = 1;
	c->xss = 0;
	c->star = c->lstar = c->cstar = c->fmask = c->kernel_gs_base = 0;
	c->sysenter_cs = c->sysenter_esp = c->sysenter_eip = 0;
	c->pat = PAT_RESET;
	c->tsc_aux = c->spec_ctrl = c->debugctl = 0;
	c->misc_enable = 1;
	c->mtrr_def_type = 0;
	memset(c->mtrr_fixed, 0, sizeof(c->mtrr_fixed));
	memset(c->mtrr_var, 0, sizeof(c->mtrr_var));
	memset(c->xsave, 0, sizeof(c->xsave));
	c->xsave[0] = 0x40; /* FCW 0x0040 after reset */
	c->xsave[24] = 0x80; /* MXCSR 0x1F80 */
	c->xsave[25] = 0x1F;
	__atomic_store_n(&c->event, 0, __ATOMIC_SEQ_CST);
	c->held = 0;
	blocks_flush(c->blocks);
	cpu_init(c);
}

int cpu_make(struct cpu *c, const struct cpu_ops *ops, const struct cpu_ram *ram, unsigned index, unsigned nr_cpus)
{
	c->ops = ops;
	c->ram = ram;
	c->index = index;
	c->nr_cpus = nr_cpus;
	c->cpuid = cpuid_features();
	c->tlb = calloc(TLB_SPACES, sizeof(struct tlb));
	c->blocks = blocks_new();
	if (c->tlb == NULL || c->blocks == NULL) {
		cpu_unmake(c);
		return -ENOMEM;
	}
	cpu_reset(c);
	return 0;
}

void cpu_unmake(struct cpu *c)
{
	blocks_free(c->blocks);
	free(c->tlb);
	c->blocks = NULL;
	c->tlb = NULL;
}

static void start_at(struct cpu *c, uint8_t vector)
{
	c->seg[SEG_CS].sel = (uint16_t) (vector << 8);
	c->seg[SEG_CS].base = (uint64_t) vector << 12;
	c->reg[REG_RIP] = 0;
	c->activity = CPU_RUNS;
	cpu_mode_changed(c);
}

static void clear_event(struct cpu *c, uint32_t bits)
{
	(void) __atomic_fetch_and(&c->event, ~bits, __ATOMIC_SEQ_CST);
}

static bool leave_with(struct cpu *c, enum cpu_exit_kind kind)
{
	c->exit = (struct cpu_exit) { .kind = kind };
	return true;
}

void cpu_nmi(struct cpu *c)
{
	if (__atomic_load_n(&c->event, __ATOMIC_RELAXED) & EVENT_NMI)
		c->nmi_again = !c->nmi_blocked;
	cpu_set_event(c, EVENT_NMI);
}

static void take_interrupt(struct cpu *c)
{
	int vector;

	clear_event(c, EVENT_IRQ);
	vector = c->ops->irq_ack(c);
	if (c->ops->irq_pending(c))
		cpu_set_event(c, EVENT_IRQ);
	if (vector < 0)
		return;
	c->activity = CPU_RUNS;
	exc_interrupt(c, (uint8_t) vector);
}

void cpu_take_init(struct cpu *c)
{
	uint32_t event = __atomic_load_n(&c->event, __ATOMIC_ACQUIRE);

	if (event & EVENT_INIT) {
		clear_event(c, EVENT_INIT);
		cpu_init(c);
	}
	if (event & EVENT_SIPI) {
		clear_event(c, EVENT_SIPI);
		if (c->activity == CPU_WAITS_SIPI)
			start_at(c, (uint8_t) __atomic_load_n(&c->sipi, __ATOMIC_RELAXED));
	}
}

bool cpu_deliver(struct cpu *c)
{
	uint32_t event = __atomic_load_n(&c->event, __ATOMIC_ACQUIRE);

	if (event & EVENT_KICK) {
		clear_event(c, EVENT_KICK);
		return leave_with(c, CPU_EXIT_KICK);
	}
	if (event & EVENT_FLUSH) {
		clear_event(c, EVENT_FLUSH);
		blocks_flush(c->blocks);
	}
	cpu_take_init(c);
	if (c->activity == CPU_WAITS_SIPI)
		return leave_with(c, CPU_EXIT_HALT);
	if ((event & EVENT_NMI) && !c->nmi_blocked) {
		if (!c->nmi_again)
			clear_event(c, EVENT_NMI);
		c->nmi_again = false;
		c->nmi_blocked = true;
		c->activity = CPU_RUNS;
		exc_interrupt(c, EXC_NMI);
	} else if ((event & EVENT_IRQ) && (c->flags & FL_IF)) {
		take_interrupt(c);
	}
	return c->activity != CPU_RUNS && leave_with(c, CPU_EXIT_HALT);
}

static uint64_t code_address(struct cpu *c)
{
	uint64_t rip = c->reg[REG_RIP];

	if (__builtin_expect(c->mode == CPU_MODE_64, 1))
		return rip;
	if (rip > c->seg[SEG_CS].limit)
		cpu_raise_code(c, EXC_GP, 0);
	return (uint32_t) (c->seg[SEG_CS].base + rip);
}

static void run_block(struct cpu *c)
{
	const struct block *b = blocks_get(c, code_address(c));
	const struct insn *i = b->insn, *end = i + b->nr;

	c->leave = false;
	do {
		c->insn = i;
		c->reg[REG_RIP] += i->len;
		i->exec(c, i);
		i++;
	} while (i != end && !c->leave);
	c->insn = NULL;
	c->stat_insns += (uint64_t) (i - b->insn);
	c->stat_blocks++;
}

/* Breakpoints on instructions; raises. */
static void check_breakpoints(struct cpu *c, uint64_t lin)
{
	uint32_t hit = 0;

	for (unsigned n = 0; n < 4; n++)
		if ((c->dr7 >> (n * 2) & 3) && (c->dr7 >> (16 + n * 4) & 3) == 0 && c->dr[n] == lin)
			hit |= 1u << n;
	if (hit == 0 || (c->flags & FL_RF))
		return;
	c->fault = (struct cpu_fault) { .vector = EXC_DB, .code = 1, .addr = hit };
	longjmp(c->unwind, UNWIND_FAULT);
}

/* An instruction at which a debugger outside of the guest waits; it has taken it away when it goes on from there. */
static void check_debug(struct cpu *c, uint64_t lin)
{
	for (unsigned n = 0; n < c->debug.nr; n++) {
		if (c->debug.at[n].how != 0 || c->debug.at[n].at != lin)
			continue;
		c->exit = (struct cpu_exit) { .kind = CPU_EXIT_DEBUG, .size = CPU_STOP_BREAK, .addr = lin, .data = n };
		longjmp(c->unwind, UNWIND_EXIT);
	}
}

/* After an instruction, or what it raised.  True: the debugger waits for that. */
static bool stepped(struct cpu *c)
{
	unsigned hit = c->debug.hit;

	if (__builtin_expect(!c->debug.step && hit == 0, 1))
		return false;
	c->debug.hit = 0;
	c->exit = (struct cpu_exit) { .kind = CPU_EXIT_DEBUG, .size = hit != 0 ? CPU_STOP_BREAK : CPU_STOP_STEP,
				      .addr = c->seg[SEG_CS].base + c->reg[REG_RIP],
				      .data = hit != 0 ? (unsigned) __builtin_ctz(hit) : 0 };
	return true;
}

static void trap_debug(struct cpu *c)
{
	uint32_t bits = c->pending_db;

	c->pending_db = 0;
	c->activity = CPU_RUNS; /* a HLT is over before it began */
	c->fault = (struct cpu_fault) { .vector = EXC_DB, .addr = bits };
	longjmp(c->unwind, UNWIND_FAULT);
}

/* One instruction, with all that run_block() does not look at. */
static void run_one(struct cpu *c)
{
	uint32_t before = c->flags;
	uint8_t shadow = c->shadow;
	uint64_t lin = code_address(c);
	const struct insn *i;

	if (c->debug.nr != 0 && c->replay.nr == 0)
		check_debug(c, lin);
	if ((c->dr7 & 0xFF) && shadow != 2)
		check_breakpoints(c, lin);
	i = blocks_get(c, lin)->insn;
	c->shadow = 0;
	c->leave = false;
	c->stepped = true;
	c->insn = i;
	c->reg[REG_RIP] += i->len;
	i->exec(c, i);
	c->insn = NULL;
	c->stat_insns++;
	replay_done(c);
	if (before & FL_RF)
		c->flags &= ~FL_RF;
	if ((before & FL_TF) && c->stepped && c->shadow != 2)
		c->pending_db |= DR6_BS;
	if (c->pending_db != 0 && c->shadow != 2)
		trap_debug(c);
}

/* Interrupts wait while a debugger steps. */
static bool takes_events(const struct cpu *c)
{
	return c->activity != CPU_RUNS || (__atomic_load_n(&c->event, __ATOMIC_RELAXED) != 0 && !c->debug.step);
}

/* Return: true when somebody else is needed */
static bool run_special(struct cpu *c)
{
	if (c->shadow == 0 && c->replay.nr == 0) {
		if (c->pending_db != 0)
			trap_debug(c);
		if (takes_events(c) && cpu_deliver(c))
			return true;
	}
	if (c->shadow == 0 && c->replay.nr == 0 && !(c->flags & (FL_TF | FL_RF)) && !(c->dr7 & 0xFF) &&
	    !c->debug.step && c->debug.nr == 0) {
		run_block(c);
		return false;
	}
	run_one(c);
	return stepped(c);
}

/* After longjmp(): undo RIP, and deliver what was raised.  True: somebody else is needed. */
static bool unwound(struct cpu *c, int how)
{
	if (c->insn != NULL)
		c->reg[REG_RIP] -= c->insn->len;
	c->insn = NULL;
	c->debug.hit = 0; /* it was not executed */
	if (how == UNWIND_EXIT)
		return true;
	replay_done(c);
	if (exc_fault(c))
		return stepped(c);
	c->delivering = false;
	return leave_with(c, CPU_EXIT_TRIPLE_FAULT);
}

static void answer(struct cpu *c)
{
	if (c->replay.nr == 0)
		return;
	c->replay.done[c->replay.nr - 1].data = c->exit.data;
	c->replay.next = 0;
}

static void loop(struct cpu *c)
{
	for (;;) {
		if (__builtin_expect(!cpu_is_special(c), 1))
			run_block(c);
		else if (run_special(c))
			return;
	}
}

void cpu_run(struct cpu *c)
{
	int how;

	answer(c);
	how = setjmp(c->unwind);
	if (how != UNWIND_NONE && unwound(c, how))
		return;
	loop(c);
}

bool cpu_execute(struct cpu *c, const struct insn *i)
{
	int how = setjmp(c->unwind);

	if (how != UNWIND_NONE)
		return unwound(c, how);
	c->leave = false;
	c->insn = i;
	c->reg[REG_RIP] += i->len;
	i->exec(c, i);
	c->insn = NULL;
	c->stat_insns++;
	replay_done(c);
	return false;
}

bool cpu_raised(struct cpu *c)
{
	int how = setjmp(c->unwind);

	return unwound(c, how != UNWIND_NONE ? how : UNWIND_FAULT);
}

bool cpu_advance(struct cpu *c)
{
	int how;

	answer(c);
	how = setjmp(c->unwind);
	if (how != UNWIND_NONE)
		return unwound(c, how);
	if (cpu_is_special(c))
		return run_special(c);
	run_block(c);
	return false;
}

bool cpu_step(struct cpu *c)
{
	int how;

	answer(c);
	how = setjmp(c->unwind);
	if (how != UNWIND_NONE)
		return unwound(c, how);
	run_one(c);
	return false;
}

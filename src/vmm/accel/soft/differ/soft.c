// SPDX-License-Identifier: MIT
/*
 * A processor in software that stands where the host's stood: user code in long mode, under an
 * operating system that consists of tables.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/cpu/run.h"
#include "vmm/accel/soft/differ/state.h"
#include "vmm/accel/soft/simd/simd.h"
#include "vmm/accel/soft/translate/translate.h"

_Static_assert(DIFFER_XSAVE_SIZE == XSAVE_SIZE, "one format");

#define TABLES_SIZE 0x10000
#define PML4 0x1000
#define PDPT 0x2000
#define PD 0x3000
#define PT 0x4000
#define PT_LOW 0x5000
#define IDT 0x6000
#define TSS 0x7000
#define GDT 0x7800
#define HANDLERS 0x8000 /* 16 bytes each, that begin with HLT */
#define HLT 0xF4
#define STACK 0xF000
#define PAGE_P 1u
#define PAGE_RW 2u
#define PAGE_USER 4u
#define PAGE_NX (1ull << 63)
#define STEPS_MAX 4000

/* RFLAGS that a program finds: interrupts are on */
#define FLAGS_KEEP 0x244CD5u
#define FLAGS_SET 0x202u

static struct cpu *cpu;
static _Alignas(4096) uint8_t tables[TABLES_SIZE];
static struct cpu_ram ram;
static struct cpu_page pages[(DIFFER_CODE + DIFFER_CODE_SIZE) >> 12];

static bool no_msr_read(struct cpu *c, uint32_t msr, uint64_t *ret)
{
	(void) c;
	(void) msr;
	(void) ret;
	return false;
}

static bool no_msr_write(struct cpu *c, uint32_t msr, uint64_t value)
{
	(void) c;
	(void) msr;
	(void) value;
	return false;
}

static bool no_irq(struct cpu *c)
{
	(void) c;
	return false;
}

static const struct cpu_ops ops = {
	.bind = simd_bind,
	.irq_pending = no_irq,
	.msr_read = no_msr_read,
	.msr_write = no_msr_write,
	.code_write = translate_code_write,
};

static void put64(uint64_t at, uint64_t v)
{
	memcpy(tables + at, &v, 8);
}

static void map_page(uint64_t at, uint64_t bits)
{
	put64(PT + (at >> 12 & 511) * 8, at | PAGE_P | bits);
}

static void make_tables(void)
{
	uint64_t all = PAGE_P | PAGE_RW | PAGE_USER;

	put64(PML4, PDPT | all);
	put64(PDPT, PD | all);
	put64(PD, PT_LOW | all);
	put64(PD + (DIFFER_DATA >> 21) * 8, PT | all);
	for (uint64_t at = 0; at < TABLES_SIZE; at += 4096)
		put64(PT_LOW + (at >> 12) * 8, at | PAGE_P | PAGE_RW);
	for (uint64_t at = 0; at < DIFFER_DATA_SIZE; at += 4096)
		map_page(DIFFER_DATA + at, PAGE_USER | PAGE_NX | (at < DIFFER_DATA_WRITABLE ? PAGE_RW : 0));
	for (uint64_t at = 0; at < DIFFER_CODE_SIZE; at += 4096)
		map_page(DIFFER_CODE + at, PAGE_USER);
	for (uint64_t n = 0; n < 32; n++) {
		uint64_t handler = HANDLERS + n * 16, level = n == EXC_BP || n == EXC_OF ? 3 : 0;

		tables[handler] = HLT;
		put64(IDT + n * 16, (handler & 0xFFFF) | 0x10ull << 16 | (0x8E00ull | level << 13) << 32);
	}
	put64(GDT + 0x10, 0x00AF9B000000FFFF);
	put64(GDT + 0x18, 0x00CF93000000FFFF);
	put64(TSS + 4, STACK);
	tables[TSS + 0x66] = 0x68; /* no I/O bitmap */
}

static struct cpu_seg segment(uint16_t sel, uint16_t attr)
{
	return (struct cpu_seg) { .limit = UINT32_MAX, .sel = sel, .attr = attr | SEG_P | SEG_S | SEG_G | SEG_DPL };
}

static void enter_user_mode(void)
{
	struct cpu_seg none = { 0 };

	cpu->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
	cpu->cr3 = PML4;
	cpu->cr4 = CR4_PAE | CR4_PSE | CR4_PGE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_FSGSBASE;
	cpu->efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
	cpu->xcr0 = cpu->cpuid->xcr0;
	cpu->seg[SEG_CS] = segment(0x33, SEG_L | SEG_TYPE_CODE | SEG_TYPE_WRITE | SEG_TYPE_ACCESSED);
	cpu->seg[SEG_SS] = segment(0x2B, SEG_DB | SEG_TYPE_WRITE | SEG_TYPE_ACCESSED);
	cpu->seg[SEG_DS] = cpu->seg[SEG_ES] = cpu->seg[SEG_FS] = cpu->seg[SEG_GS] = none;
	cpu->gdt = (struct cpu_table) { .base = GDT, .limit = 0x1F };
	cpu->idt = (struct cpu_table) { .base = IDT, .limit = 32 * 16 - 1 };
	cpu->tr = (struct cpu_seg) { .base = TSS, .limit = 0x67, .sel = 0x40, .attr = SEG_P | 11 };
	cpu->cpl = 3;
	cpu->activity = CPU_RUNS;
	cpu->pending_db = 0;
	cpu->shadow = 0;
	cpu_mode_changed(cpu);
}

int differ_soft_init(uint8_t *memory, bool translate)
{
	int rc;

	cpu = aligned_alloc(64, (sizeof(*cpu) + 63) & ~(size_t) 63);
	if (cpu == NULL)
		return -ENOMEM;
	memset(cpu, 0, sizeof(*cpu));
	ram = (struct cpu_ram) { .nr = 3 };
	ram.region[0].size = TABLES_SIZE;
	ram.region[0].host = tables;
	ram.region[1].gpa = DIFFER_DATA;
	ram.region[1].size = DIFFER_DATA_SIZE;
	ram.region[1].host = memory;
	ram.region[2].gpa = DIFFER_CODE;
	ram.region[2].size = DIFFER_CODE_SIZE;
	ram.region[2].host = memory + DIFFER_DATA_SIZE;
	rc = cpu_make(cpu, &ops, &ram, 0, 1);
	if (rc < 0)
		return rc;
	simd_init();
	make_tables();
	enter_user_mode();
	cpu_flush_tlb(cpu, true);
	cpu->pages = pages;
	cpu->nr_pages = sizeof(pages) / sizeof(pages[0]);
	rc = translate ? translate_new(cpu, 0, NULL) : 0;
	return rc == 0 && translate ? translate_adopt(cpu) : rc;
}

static bool has_code(unsigned vector)
{
	return vector == EXC_DF || (vector >= EXC_TS && vector <= EXC_PF) || vector == 17;
}

/* What the exception has left on the stack. */
static void read_frame(struct differ_state *s)
{
	uint64_t at = cpu->reg[REG_RSP], frame[6] = { 0 };

	s->vector = (uint32_t) (cpu->reg[REG_RIP] - HANDLERS) / 16;
	if (at >= TABLES_SIZE - 48) {
		s->vector = UINT32_MAX;
		return;
	}
	memcpy(frame, tables + at, 48);
	if (has_code(s->vector)) {
		s->code = (uint32_t) frame[0];
		memmove(frame, frame + 1, 40);
	}
	s->rip = frame[0];
	s->flags = frame[2];
	s->reg[REG_RSP] = frame[3];
	s->addr = s->vector == EXC_PF ? cpu->cr2 : 0;
}

/* Until a handler is reached, which is then at the top. */
static bool interpret(void)
{
	for (unsigned steps = 0; steps < STEPS_MAX; steps++)
		if (cpu->cpl == 0 || cpu_step(cpu))
			break;
	return cpu->cpl == 0;
}

/* The handler halts, so it has one byte less to go. */
static bool translate(void)
{
	translate_forget(cpu);
	do
		translate_run(cpu);
	while (cpu->exit.kind == CPU_EXIT_KICK);
	cpu->reg[REG_RIP]--;
	return cpu->exit.kind == CPU_EXIT_HALT && cpu->cpl == 0;
}

void differ_soft(struct differ_state *s)
{
	bool ended;

	enter_user_mode();
	memcpy(cpu->xsave, s->xsave, sizeof(cpu->xsave));
	memcpy(cpu->reg, s->reg, sizeof(s->reg));
	cpu->reg[REG_RIP] = s->rip;
	cpu_set_rflags(cpu, (uint32_t) ((s->flags & FLAGS_KEEP) | FLAGS_SET));
	ended = cpu->translator != NULL ? translate() : interpret();
	memcpy(s->xsave, cpu->xsave, sizeof(cpu->xsave));
	memcpy(s->reg, cpu->reg, sizeof(s->reg));
	s->code = 0;
	s->addr = 0;
	if (ended)
		read_frame(s);
	else
		s->vector = UINT32_MAX;
}

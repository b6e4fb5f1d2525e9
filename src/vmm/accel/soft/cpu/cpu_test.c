/* SPDX-License-Identifier: MIT */
/* Small programs on a processor in software: what blocks, faults, devices and events do to one another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vmm/accel/soft/cpu/cpuid.h"
#include "vmm/accel/soft/cpu/run.h"

#define RAM_SIZE (2u << 20)
#define CODE 0x10000u
#define HANDLER 0x11000u
#define STACK 0x20000u
#define TABLES 0x30000u /* PML4, PDPT, PD; the first 2 MiB are mapped, and 1 GiB of nothing at 1 GiB */
#define GDT 0x40000u
#define IDT 0x41000u
#define TSS 0x42000u
#define DEVICE 0x40000000ull

struct machine {
	struct cpu *cpu;
	struct cpu_ram ram;
	uint8_t *memory;
};

static cpu_exec_fn *no_simd(struct cpu *c, struct insn *i)
{
	(void) c;
	(void) i;
	return NULL;
}

static int ack(struct cpu *c)
{
	(void) c;
	return 0x40;
}

static bool none_pending(struct cpu *c)
{
	(void) c;
	return false;
}

static const struct cpu_ops ops = { .bind = no_simd, .irq_ack = ack, .irq_pending = none_pending };

static void put64(struct machine *m, uint32_t at, uint64_t v)
{
	memcpy(m->memory + at, &v, sizeof(v));
}

static void gate(struct machine *m, unsigned vector, uint64_t to)
{
	put64(m, IDT + vector * 16, (to & 0xFFFF) | 0x10ull << 16 | 0x8E00ull << 32 | to >> 16 << 48);
	put64(m, IDT + vector * 16 + 8, to >> 32);
}

static int setup(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));

	m->memory = aligned_alloc(4096, RAM_SIZE);
	memset(m->memory, 0, RAM_SIZE);
	m->ram = (struct cpu_ram) { .nr = 1, .region = { { .size = RAM_SIZE, .host = m->memory } } };
	m->cpu = aligned_alloc(64, (sizeof(struct cpu) + 63) & ~63ull);
	memset(m->cpu, 0, sizeof(struct cpu));
	assert_int_equal(cpu_make(m->cpu, &ops, &m->ram, 0, 1), 0);
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct machine *m = *state;

	cpu_unmake(m->cpu);
	free(m->cpu);
	free(m->memory);
	free(m);
	return 0;
}

static void enter_long(struct machine *m)
{
	struct cpu *c = m->cpu;

	put64(m, TABLES, (TABLES + 0x1000) | 7);
	put64(m, TABLES + 0x1000, (TABLES + 0x2000) | 7);
	put64(m, TABLES + 0x1008, DEVICE | 0x87); /* 1 GiB of devices */
	put64(m, TABLES + 0x2000, 0x87);
	put64(m, GDT + 0x10, 0x00AF9B000000FFFF);
	put64(m, GDT + 0x18, 0x00CF93000000FFFF);
	c->cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_WP;
	c->cr3 = TABLES;
	c->cr4 = CR4_PAE;
	c->efer = EFER_LME | EFER_LMA | EFER_NXE;
	c->gdt = (struct cpu_table) { .base = GDT, .limit = 0xFF };
	c->idt = (struct cpu_table) { .base = IDT, .limit = 0xFFF };
	c->seg[SEG_CS] = (struct cpu_seg) { .sel = 0x10, .limit = UINT32_MAX,
					    .attr = SEG_G | SEG_L | SEG_P | SEG_S | SEG_TYPE_CODE | 3 };
	c->reg[REG_RSP] = STACK;
	cpu_mode_changed(c);
	cpu_flush_tlb(c, true);
}

static void load(struct machine *m, uint32_t at, const void *code, size_t len)
{
	memcpy(m->memory + at, code, len);
	m->cpu->reg[REG_RIP] = CODE;
	m->cpu->activity = CPU_RUNS;
}

#define LOAD(m, at, ...)                                  \
	do {                                              \
		static const uint8_t code_[] = { __VA_ARGS__ }; \
		load(m, at, code_, sizeof(code_));        \
	} while (0)

static void test_loop(void **state)
{
	struct machine *m = *state;

	enter_long(m);
	LOAD(m, CODE, 0x31, 0xC0, 0xB9, 10, 0, 0, 0, 0x01, 0xC8, 0xFF, 0xC9, 0x75, 0xFA, 0xF4); /* the sum of 1 to 10 */
	cpu_run(m->cpu);
	assert_int_equal(m->cpu->exit.kind, CPU_EXIT_HALT);
	assert_int_equal(m->cpu->reg[REG_RAX], 55);
	assert_int_equal(m->cpu->reg[REG_RIP], CODE + 14);
}

static void test_real_mode(void **state)
{
	struct machine *m = *state;

	m->cpu->seg[SEG_CS].base = 0;
	m->cpu->seg[SEG_CS].sel = 0;
	cpu_mode_changed(m->cpu);
	/* mov ax, 0x1000; mov ds, ax; mov word [0x10], 0xFFFF; inc word [0x10]; hlt */
	LOAD(m, 0x8000, 0xB8, 0x00, 0x10, 0x8E, 0xD8, 0xC7, 0x06, 0x10, 0x00, 0xFF, 0xFF, 0xFF, 0x06, 0x10, 0x00, 0xF4);
	m->cpu->reg[REG_RIP] = 0x8000;
	m->memory[0x10010] = 1;
	cpu_run(m->cpu);
	assert_int_equal(m->cpu->exit.kind, CPU_EXIT_HALT);
	assert_int_equal(m->memory[0x10010] | m->memory[0x10011], 0);
	assert_int_equal(m->cpu->status & (FL_ZF | FL_SF | FL_OF), FL_ZF);
}

/* An instruction is written by the one before it, in the same block and in one that ran before. */
static void test_self_modifying(void **state)
{
	struct machine *m = *state;

	enter_long(m);
	/* mov byte [rip+1], 7; mov al, 1; hlt */
	for (unsigned n = 0; n < 2; n++) {
		LOAD(m, CODE, 0xC6, 0x05, 0x01, 0x00, 0x00, 0x00, 0x07, 0xB0, 0x01, 0xF4);
		cpu_run(m->cpu);
		assert_int_equal(m->cpu->reg[REG_RAX] & 0xFF, 7);
	}
	LOAD(m, CODE, 0xB0, 0x09, 0xF4); /* by somebody else */
	cpu_run(m->cpu);
	assert_int_equal(m->cpu->reg[REG_RAX] & 0xFF, 9);
}

static void test_page_fault(void **state)
{
	struct machine *m = *state;
	uint64_t frame[3];

	enter_long(m);
	gate(m, EXC_PF, HANDLER);
	LOAD(m, HANDLER, 0xF4);
	LOAD(m, CODE, 0x90, 0xC7, 0x04, 0x25, 0x00, 0x00, 0x00, 0x10, 1, 0, 0, 0, 0xF4); /* nop; mov dword [256 MiB], 1 */
	cpu_run(m->cpu);
	assert_int_equal(m->cpu->exit.kind, CPU_EXIT_HALT);
	assert_int_equal(m->cpu->cr2, 0x10000000);
	memcpy(frame, m->memory + STACK - 48, sizeof(frame));
	assert_int_equal(frame[0], PF_WRITE);
	assert_int_equal(frame[1], CODE + 1);
	assert_int_equal(frame[2], 0x10);
}

static void test_triple_fault(void **state)
{
	struct machine *m = *state;

	enter_long(m);
	m->cpu->idt.limit = 0;
	LOAD(m, CODE, 0x0F, 0x0B);
	cpu_run(m->cpu);
	assert_int_equal(m->cpu->exit.kind, CPU_EXIT_TRIPLE_FAULT);
	assert_int_equal(m->cpu->reg[REG_RIP], CODE);
}

static void expect_access(struct cpu *c, enum cpu_exit_kind kind, bool write, uint64_t addr, unsigned size)
{
	cpu_run(c);
	assert_int_equal(c->exit.kind, kind);
	assert_int_equal(c->exit.write, write);
	assert_int_equal(c->exit.addr, addr);
	assert_int_equal(c->exit.size, size);
}

/* A device is read once and written once by an instruction that does both, and repeats. */
static void test_devices(void **state)
{
	struct machine *m = *state;
	struct cpu *c = m->cpu;

	enter_long(m);
	LOAD(m, CODE, 0x81, 0x04, 0x25, 0x10, 0x00, 0x00, 0x40, 5, 0, 0, 0, /* add dword [DEVICE + 16], 5 */
	     0xF3, 0x6E, /* rep outsb */
	     0xE5, 0x71, /* in eax, 0x71 */
	     0xF4);
	c->reg[REG_RCX] = 2;
	c->reg[REG_RDX] = 0x3F8;
	c->reg[REG_RSI] = STACK;
	memcpy(m->memory + STACK, "ab", 2);
	expect_access(c, CPU_EXIT_MMIO, false, DEVICE + 16, 4);
	c->exit.data = 37;
	expect_access(c, CPU_EXIT_MMIO, true, DEVICE + 16, 4);
	assert_int_equal(c->exit.data, 42);
	expect_access(c, CPU_EXIT_PIO, true, 0x3F8, 1);
	assert_int_equal(c->exit.data, 'a');
	expect_access(c, CPU_EXIT_PIO, true, 0x3F8, 1);
	assert_int_equal(c->exit.data, 'b');
	assert_int_equal(c->reg[REG_RCX], 1);
	expect_access(c, CPU_EXIT_PIO, false, 0x71, 4);
	assert_int_equal(c->reg[REG_RCX], 0);
	c->exit.data = 0xAABBCCDD;
	cpu_run(c);
	assert_int_equal(c->exit.kind, CPU_EXIT_HALT);
	assert_int_equal(c->reg[REG_RAX], 0xAABBCCDD);
}

/* An interrupt waits for the instruction behind STI, and wakes from HLT. */
static void test_interrupt(void **state)
{
	struct machine *m = *state;
	struct cpu *c = m->cpu;
	uint64_t rip;

	enter_long(m);
	gate(m, 0x40, HANDLER);
	LOAD(m, HANDLER, 0xF4);
	LOAD(m, CODE, 0xFB, 0x90, 0x90, 0xF4); /* sti; nop; nop; hlt */
	cpu_set_event(c, EVENT_IRQ);
	cpu_run(c);
	assert_int_equal(c->exit.kind, CPU_EXIT_HALT);
	assert_int_equal(c->reg[REG_RIP], HANDLER + 1);
	memcpy(&rip, m->memory + STACK - 40, 8);
	assert_int_equal(rip, CODE + 2);

	c->reg[REG_RSP] = STACK;
	c->flags |= FL_IF;
	LOAD(m, CODE, 0xF4);
	cpu_run(c);
	assert_int_equal(c->reg[REG_RIP], CODE + 1);
	cpu_run(c); /* sleeps on */
	assert_int_equal(c->reg[REG_RIP], CODE + 1);
	cpu_set_event(c, EVENT_IRQ);
	cpu_run(c);
	assert_int_equal(c->reg[REG_RIP], HANDLER + 1);
}

static void test_kick(void **state)
{
	struct machine *m = *state;

	enter_long(m);
	LOAD(m, CODE, 0xEB, 0xFE); /* for ever */
	cpu_set_event(m->cpu, EVENT_KICK);
	cpu_run(m->cpu);
	assert_int_equal(m->cpu->exit.kind, CPU_EXIT_KICK);
	assert_int_equal(m->cpu->event, 0);
}

/* An instruction in two pages, the second of which is not there: CR2 is that page. */
static void test_fetch_fault(void **state)
{
	struct machine *m = *state;

	enter_long(m);
	gate(m, EXC_PF, HANDLER);
	LOAD(m, HANDLER, 0xF4);
	LOAD(m, RAM_SIZE - 2, 0x48, 0xB8);
	m->cpu->reg[REG_RIP] = RAM_SIZE - 2;
	cpu_run(m->cpu);
	assert_int_equal(m->cpu->cr2, RAM_SIZE);
	assert_int_equal(m->memory[STACK - 48], PF_FETCH);
}

/* Accessed and dirty bits, and a page that becomes another by INVLPG. */
static void test_page_bits(void **state)
{
	struct machine *m = *state;
	uint64_t entry;

	enter_long(m);
	/* mov eax, [0x50000]; mov [0x50000], eax; invlpg [0x50000]; hlt */
	LOAD(m, CODE, 0x8B, 0x04, 0x25, 0, 0, 5, 0, 0x89, 0x04, 0x25, 0, 0, 5, 0, 0x0F, 0x01, 0x3C, 0x25, 0, 0, 5, 0, 0xF4);
	cpu_run(m->cpu);
	assert_int_equal(m->cpu->exit.kind, CPU_EXIT_HALT);
	memcpy(&entry, m->memory + TABLES + 0x2000, 8);
	assert_int_equal(entry & 0x60, 0x60);
	memcpy(&entry, m->memory + TABLES + 0x1000, 8);
	assert_int_equal(entry & 0x60, 0x20);
}

/* A watched load of SS, whose trap waits for the next instruction, which is a trap itself: both are told at once. */
static void test_icebp(void **state)
{
	struct machine *m = *state;
	struct cpu *c = m->cpu;
	uint64_t rip;

	enter_long(m);
	gate(m, EXC_DB, HANDLER);
	LOAD(m, HANDLER, 0xF4);
	LOAD(m, CODE, 0x8E, 0x14, 0x25, 0, 0, 5, 0, 0xF1); /* mov ss, [0x50000]; icebp */
	m->memory[0x50000] = 0x18;
	c->dr[1] = 0x50000;
	c->dr7 = 0x00F0000C;
	cpu_mode_changed(c);
	cpu_run(c);
	assert_int_equal(c->exit.kind, CPU_EXIT_HALT);
	assert_int_equal(c->dr6 & 0xFFFF, 0x0FF2);
	assert_int_equal(c->reg[REG_RIP], HANDLER + 1);
	memcpy(&rip, m->memory + STACK - 40, 8);
	assert_int_equal(rip, CODE + 8);
	assert_int_equal(c->pending_db, 0);
}

/* A debugger outside waits for writes, or for any access, and stops behind them. */
static void test_watch(void **state)
{
	struct machine *m = *state;
	struct cpu *c = m->cpu;

	enter_long(m);
	/* mov al, [0x50002]; mov [0x50006], al; mov [0x50000], eax; hlt */
	LOAD(m, CODE, 0x8A, 0x04, 0x25, 2, 0, 5, 0, 0x88, 0x04, 0x25, 6, 0, 5, 0, 0x89, 0x04, 0x25, 0, 0, 5, 0, 0xF4);
	c->debug = (struct cpu_debug) { .on = true, .data = true, .nr = 2,
					.at = { { .at = 0x50002, .how = 1, .len = 2 }, { .at = 0x50006, .how = 3, .len = 1 } } };
	cpu_mode_changed(c);
	cpu_set_event(c, EVENT_DEBUG);
	for (unsigned n = 0; n < 2; n++) {
		cpu_run(c);
		assert_int_equal(c->exit.kind, CPU_EXIT_DEBUG);
		assert_int_equal(c->exit.size, CPU_STOP_BREAK);
		assert_int_equal(c->exit.data, 1 - n);
		assert_int_equal(c->reg[REG_RIP], CODE + 14 + n * 7);
	}
	cpu_run(c);
	assert_int_equal(c->exit.kind, CPU_EXIT_HALT);
}

/* SYSCALL in compatibility mode: where it goes depends on whose processor it is. */
static void test_compat_syscall(void **state)
{
	struct machine *m = *state;
	struct cpu *c = m->cpu;
	struct cpu_cpuid features = *c->cpuid;

	c->cpuid = &features;
	for (unsigned amd = 0; amd < 2; amd++) {
		enter_long(m);
		gate(m, EXC_UD, HANDLER + 0x10);
		LOAD(m, HANDLER, 0xF4, [0x10] = 0xF4);
		LOAD(m, CODE, 0x0F, 0x05);
		features.amd = amd;
		c->efer |= EFER_SCE;
		c->cstar = HANDLER;
		c->star = 0x10ull << 32;
		c->seg[SEG_CS].attr = (uint16_t) ((c->seg[SEG_CS].attr & ~SEG_L) | SEG_DB);
		cpu_mode_changed(c);
		cpu_run(c);
		assert_int_equal(c->exit.kind, CPU_EXIT_HALT);
		assert_int_equal(c->reg[REG_RIP], HANDLER + (amd ? 1 : 0x11));
		assert_int_equal(c->mode, CPU_MODE_64);
	}
	assert_int_equal(c->reg[REG_RCX], CODE + 2);
}

/* Registers that Linux reads and writes on every processor of AMD's, and that others have not. */
static void test_amd_msrs(void **state)
{
	struct machine *m = *state;
	struct cpu *c = m->cpu;
	struct cpu_cpuid features = *c->cpuid;
	static const struct {
		uint32_t msr, low;
	} known[] = { { 0xC0010010, 0 }, { 0xC0010015, 1u << 24 }, { 0xC001001F, 0 } };

	c->cpuid = &features;
	for (unsigned i = 0; i < 6; i++) {
		features.amd = i & 1;
		enter_long(m);
		gate(m, EXC_GP, HANDLER);
		LOAD(m, HANDLER, 0xF4);
		LOAD(m, CODE, 0x0F, 0x32, 0x0F, 0x30, 0xF4); /* RDMSR, WRMSR, HLT */
		c->reg[REG_RCX] = known[i / 2].msr;
		cpu_run(c);
		assert_int_equal(c->exit.kind, CPU_EXIT_HALT);
		assert_int_equal(c->reg[REG_RIP], features.amd ? CODE + 5 : HANDLER + 1);
		if (features.amd)
			assert_int_equal(c->reg[REG_RAX], known[i / 2].low);
	}
}

/* IRET to a lower level: what may not be used there, and null selectors of whatever level, become 0; bases stay. */
static void test_outward_segments(void **state)
{
	struct machine *m = *state;
	struct cpu *c = m->cpu;
	const uint64_t frame[5] = { CODE + 0x100, 0x2B, 2, STACK, 0x23 };

	enter_long(m);
	put64(m, GDT + 0x20, 0x00CFF3000000FFFF);
	put64(m, GDT + 0x28, 0x00AFFB000000FFFF);
	memcpy(m->memory + STACK - sizeof(frame), frame, sizeof(frame));
	gate(m, EXC_GP, HANDLER);
	put64(m, TSS + 4, STACK);
	c->tr = (struct cpu_seg) { .base = TSS, .limit = 0x67, .attr = SEG_P | 0xB };
	LOAD(m, HANDLER, 0xF4);
	LOAD(m, CODE, 0x48, 0xCF); /* IRETQ */
	LOAD(m, CODE + 0x100, 0xF4);
	c->reg[REG_RSP] -= sizeof(frame);
	c->seg[SEG_DS] = (struct cpu_seg) { .sel = 3 };
	c->seg[SEG_ES] = (struct cpu_seg) { .sel = 0x18, .attr = SEG_P | SEG_S | SEG_TYPE_WRITE };
	c->seg[SEG_FS] = (struct cpu_seg) { .sel = 1, .base = 0x1234 };
	c->seg[SEG_GS] = (struct cpu_seg) { .sel = 0x23, .base = 0x5678, .attr = SEG_P | SEG_S | SEG_DPL | SEG_TYPE_WRITE };
	cpu_run(c);
	assert_int_equal(c->exit.kind, CPU_EXIT_HALT);
	assert_int_equal(c->reg[REG_RIP], HANDLER + 1);
	assert_int_equal(c->seg[SEG_DS].sel, 0);
	assert_int_equal(c->seg[SEG_ES].sel, 0);
	assert_int_equal(c->seg[SEG_FS].sel, 0);
	assert_int_equal(c->seg[SEG_FS].base, 0x1234);
	assert_int_equal(c->seg[SEG_GS].sel, 0x23);
	assert_int_equal(c->seg[SEG_GS].base, 0x5678);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_loop),	TEST(test_real_mode), TEST(test_self_modifying), TEST(test_page_fault),
		TEST(test_triple_fault), TEST(test_devices),   TEST(test_interrupt),	  TEST(test_kick),
		TEST(test_fetch_fault), TEST(test_page_bits), TEST(test_icebp),	  TEST(test_watch),
		TEST(test_compat_syscall), TEST(test_outward_segments),
		TEST(test_amd_msrs), TEST(test_outward_segments),
	};

	return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}

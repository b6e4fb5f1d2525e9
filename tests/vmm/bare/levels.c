// SPDX-License-Identifier: MIT
/*
 * A guest without an operating system: what translated code does by itself instead of leaving to the interpreter.  SYSCALL
 * and SYSRET with all flags, interrupts that wait until they are allowed, repeated string instructions, rows of pushes
 * and pops at the ends of pages, bases of FS and GS, control registers.
 * Prints a line for each; "wrong" in it is an error, DONE the end.
 */
#include <stdbool.h>
#include <stdint.h>

#define LAPIC ((volatile uint32_t *) 0xFEE00000)
#define WINDOW (510ull << 30) /* four pages of 4 KiB: absent, two that are there, absent */
#define PAGE 4096u
#define ROUNDS 400

#define STATUS 0x8D5u
#define TF 0x100u
#define IF 0x200u
#define DF 0x400u
#define IOPL 0x3000u
#define NT 0x4000u
#define AC 0x40000u
#define ID 0x200000u
#define SYSRET_FLAGS 0x3C7FD7u

#define EFER 0xC0000080u
#define STAR 0xC0000081u
#define LSTAR 0xC0000082u
#define FMASK 0xC0000084u
#define FS_BASE 0xC0000100u

enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, USER_DATA = 0x2B, USER_CODE = 0x33, TASK = 0x38 };
enum { DB = 1, UD = 6, GP = 13, PF = 14, IRQ = 0x40 };

extern uint64_t pdpt[512];

void back(void);
void entered(void);
void on_1(void), on_6(void), on_13(void), on_14(void), on_64(void);
void enter_user(const void *rip, uint64_t flags, uint64_t rsp);
void run(void (*fn)(void));

/* What is on the stack in trapped(). */
struct frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, code, rip, cs, flags, rsp, ss;
};

static struct frame seen;
static volatile uint32_t traps;
static uint64_t seen_cr2, wrong;

/* Written by the code below. */
uint64_t home, at_rcx, at_r11, at_rsp, at_flags, at_cs, at_ss;
uint64_t user_flags, user_saw, user_cs, user_ss;

__asm__(
	".text\n"
	"enter_user:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, home\n"
	"	mov %rdi, %rcx; mov %rsi, %r11; mov %rdx, %rsp\n"
	"	mov $0x1111, %eax; mov $0x2222, %ebx; mov $0x3333, %ebp; mov $0x4444, %r12d\n"
	"	.globl the_sysret\n"
	"the_sysret: sysretq\n"
	"run:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, home\n"
	"	call *%rdi\n"
	"	jmp back\n"
	"entered:\n"
	"	mov %rcx, at_rcx; mov %r11, at_r11; mov %rsp, at_rsp\n"
	"	mov home, %rsp\n"
	"	pushfq; popq at_flags\n"
	"	push $2; popfq\n"
	"	mov %cs, %eax; mov %rax, at_cs; mov %ss, %eax; mov %rax, at_ss\n"
	"back:\n"
	"	mov home, %rsp\n"
	"	push $2; popfq\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n"
	"	.macro entry vector code\n"
	"on_\\vector: .if \\code == 0; push $0; .endif\n"
	"	push $\\vector\n"
	"	jmp common\n"
	"	.endm\n"
	"	entry 1 0\n	entry 6 0\n	entry 13 1\n	entry 14 1\n	entry 64 0\n"
	"common:\n"
	"	push %rax; push %rbx; push %rcx; push %rdx; push %rsi; push %rdi; push %rbp\n"
	"	push %r8; push %r9; push %r10; push %r11; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, %rdi\n"
	"	cld\n"
	"	mov %rsp, %rbp; and $-16, %rsp\n"
	"	call trapped\n"
	"	mov %rbp, %rsp\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %r11; pop %r10; pop %r9; pop %r8\n"
	"	pop %rbp; pop %rdi; pop %rsi; pop %rdx; pop %rcx; pop %rbx; pop %rax\n"
	"	add $16, %rsp\n"
	"	iretq\n"

	"user_syscall:\n"
	"	pushfq; popq user_saw\n"
	"	mov %cs, %eax; mov %rax, user_cs; mov %ss, %eax; mov %rax, user_ss\n"
	"	pushq user_flags; popfq\n"
	"	syscall\n"
	"user_after:\n"
	"	ud2\n"
	"user_pushes: push %rax; push %rbx\n"
	"user_third_push: push %rbp; push %rsp; push $-7; syscall\n"
	"user_pops: pop %rbx; pop %rbp\n"
	"user_third_pop: pop %r12; syscall\n"
	"user_pops_ret: pop %r10; pop %r11\n"
	"user_ret: ret\n"
	"user_returned: syscall\n");

extern const char the_sysret[], user_syscall[], user_after[], user_pushes[], user_third_push[], user_pops[], user_third_pop[],
	user_pops_ret[], user_ret[], user_returned[];

static void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "d"(port));
}

static void print(const char *s)
{
	for (; *s != '\0'; s++)
		out8(0x3F8, (uint8_t) *s);
}

static void report(const char *name)
{
	char text[24], *p = text + sizeof(text);

	print(name);
	if (wrong == 0) {
		print(": right\n");
		return;
	}
	*--p = '\0';
	do
		*--p = (char) ('0' + wrong % 10);
	while ((wrong /= 10) != 0);
	print(": wrong ");
	print(p);
	print("\n");
}

static void expect(bool right)
{
	wrong += !right;
}

static uint64_t random_state = 88172645463325252ull;

static uint64_t random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	return random_state ^= random_state << 17;
}

static void write_msr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t) v), "d"((uint32_t) (v >> 32)));
}

static uint64_t read_msr(uint32_t msr)
{
	uint32_t a, d;

	__asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(msr));
	return a | (uint64_t) d << 32;
}

/* What long.S calls for its own gate; ours are others. */
void interrupted(void)
{
}

void other(unsigned number)
{
	(void) number;
	for (;;)
		__asm__ volatile("hlt");
}

void trapped(struct frame *f);
void trapped(struct frame *f)
{
	seen = *f;
	traps++;
	__asm__ volatile("mov %%cr2, %0" : "=r"(seen_cr2));
	if (f->vector == IRQ) {
		LAPIC[0xB0 / 4] = 0;
	} else if (f->vector == DB) {
		f->flags &= ~(uint64_t) TF;
	} else {
		f->rip = (uintptr_t) back;
		f->cs = KERNEL_CODE;
		f->ss = KERNEL_DATA;
		f->rsp = home;
		f->flags = 2;
	}
}

static uint64_t gdt[9], idt[2 * 65], task[13], table[512] __attribute__((aligned(PAGE))), directory[512] __attribute__((aligned(PAGE)));
static uint8_t area[3 * PAGE] __attribute__((aligned(PAGE))), copy[2 * PAGE], stack[PAGE] __attribute__((aligned(16)));

static void set_gate(unsigned vector, void (*fn)(void))
{
	uint64_t at = (uintptr_t) fn;

	idt[vector * 2] = (at & 0xFFFF) | KERNEL_CODE << 16 | 0x8E00ull << 32 | (at >> 16 & 0xFFFF) << 48;
	idt[vector * 2 + 1] = at >> 32;
}

static void load_table(const void *base, uint16_t limit, bool interrupts)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} pointer = { limit, (uintptr_t) base };

	if (interrupts)
		__asm__ volatile("lidt %0" : : "m"(pointer));
	else
		__asm__ volatile("lgdt %0" : : "m"(pointer));
}

static void set_segments(void)
{
	uint64_t at = (uintptr_t) task;

	gdt[1] = 0x00AF9B000000FFFF;
	gdt[2] = 0x00CF93000000FFFF;
	gdt[5] = 0x00CFF3000000FFFF;
	gdt[6] = 0x00AFFB000000FFFF;
	gdt[7] = 0x0000890000000067 | (at & 0xFFFFFF) << 16 | (at >> 24 & 0xFF) << 56;
	*(uint64_t *) ((uint8_t *) task + 4) = (uintptr_t) (stack + sizeof(stack));
	load_table(gdt, sizeof(gdt) - 1, false);
	__asm__ volatile("ltr %w0" : : "r"(TASK));
	set_gate(DB, on_1);
	set_gate(UD, on_6);
	set_gate(GP, on_13);
	set_gate(PF, on_14);
	set_gate(IRQ, on_64);
	load_table(idt, sizeof(idt) - 1, true);
	write_msr(STAR, (uint64_t) KERNEL_CODE << 32 | 0x20ull << 48);
	write_msr(LSTAR, (uintptr_t) entered);
	write_msr(EFER, read_msr(EFER) | 1);
}

/* All memory is the user's, and there is the window. */
static void set_pages(void)
{
	uint64_t root;

	__asm__ volatile("mov %%cr3, %0" : "=r"(root));
	*(uint64_t *) (uintptr_t) (root & -4096ull) |= 4;
	for (unsigned n = 0; n < 4; n++) {
		pdpt[n] |= 4;
		for (unsigned i = 0; i < 512; i++)
			((uint64_t *) (uintptr_t) (pdpt[n] & -4096ull))[i] |= 4;
	}
	table[1] = (uintptr_t) (area + 2 * PAGE) | 7;
	table[2] = (uintptr_t) area | 7;
	directory[0] = (uintptr_t) table | 7;
	pdpt[WINDOW >> 30] = (uintptr_t) directory | 7;
	__asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

static void levels(void)
{
	uint64_t top = (uintptr_t) (area + PAGE);

	for (unsigned n = 0; n < ROUNDS; n++) {
		uint64_t in = random_number() & (SYSRET_FLAGS & ~TF), may = STATUS | DF | NT | AC | ID, out;
		uint32_t mask = n % 8 == 0 ? 0x257FD5 : (uint32_t) random_number() & 0x257FD5;

		write_msr(FMASK, mask);
		user_flags = random_number() & (may | IF);
		if ((in & IOPL) == IOPL)
			may |= IF;
		if (n % 4 == 0)
			in |= TF;
		if (n % 16 == 3)
			user_flags |= TF;
		out = (in & ~may & ~(uint64_t) TF) | (user_flags & (may | TF)) | 2;
		traps = 0;
		enter_user(user_syscall, in, top);
		expect(user_saw == ((in & ~(uint64_t) TF) | 2) && user_cs == USER_CODE && user_ss == USER_DATA);
		expect(at_r11 == out && at_rcx == (uintptr_t) user_after && at_rsp == top);
		expect(at_flags == ((out & ~(uint64_t) mask & ~(uint64_t) TF) | 2) && at_cs == KERNEL_CODE && at_ss == KERNEL_DATA);
		if (in & TF)
			expect(traps == 1 && seen.vector == DB && seen.cs == USER_CODE && seen.rip == (uintptr_t) user_syscall);
		else if (user_flags & ~mask & TF)
			expect(traps == 1 && seen.vector == DB && seen.cs == KERNEL_CODE && seen.rip == (uintptr_t) entered);
		else
			expect(traps == 0);
	}
	report("levels");
}

static void levels_refused(void)
{
	uint64_t efer = read_msr(EFER);

	for (unsigned n = 0; n < 4; n++) {
		traps = 0;
		enter_user((const void *) (1ull << 47), 2, (uintptr_t) (area + PAGE)); /* the stack is the user's already */
		expect(traps == 1 && seen.vector == GP && seen.cs == KERNEL_CODE && seen.rip == (uintptr_t) the_sysret);
		traps = 0;
		write_msr(EFER, efer & ~1ull);
		enter_user(user_syscall, 2, (uintptr_t) (area + PAGE));
		expect(traps == 1 && seen.vector == UD && seen.cs == KERNEL_CODE && seen.rip == (uintptr_t) the_sysret);
		write_msr(EFER, efer);
	}
	report("refused");
}

/* An interrupt that waits is delivered at once when it is allowed, but for the instruction behind STI. */
#define WAITING(before, label, after)                                                                      \
	do {                                                                                               \
		uint64_t where;                                                                            \
		traps = 0;                                                                                 \
		LAPIC[0x300 / 4] = 0x44040;                                                                \
		__asm__ volatile("cli\n lea " label "f(%%rip), %0\n" before label ":\n nop\n" after "cli"  \
				 : "=&r"(where) : : "rax", "memory", "cc");                                \
		expect(traps == 1 && seen.vector == IRQ && seen.rip == where);                             \
	} while (0)

static void waiting(void)
{
	LAPIC[0xF0 / 4] = 0x1FF;
	for (unsigned n = 0; n < 20; n++) {
		WAITING("sti; nop\n", "1", "");
		WAITING("sti; sti\n", "1", "");
		WAITING("sti; jmp 1f\n ud2\n", "1", "");
		WAITING("cmp %%rsp, %%rsp; sti; je 1f\n ud2\n", "1", "");
		WAITING("jmp 4f\n 3: sti; ret\n 4: call 3b\n", "1", "");
		WAITING("sti; call 1f\n ud2\n", "1", "pop %%rax\n");
		WAITING("lea 1f(%%rip), %%rax\n sti; jmp *%%rax\n ud2\n", "1", "");
		WAITING("sti; pushfq\n", "1", "pop %%rax\n");
		WAITING("push $0x202; popfq\n", "1", "");
		WAITING("sti; hlt\n", "1", "");
		traps = 0;
		LAPIC[0x300 / 4] = 0x44040;
		enter_user(user_syscall, IF | 2, (uintptr_t) (area + PAGE));
		expect(traps == 1 && seen.vector == IRQ && seen.cs == USER_CODE && seen.rip == (uintptr_t) user_syscall);
	}
	report("waiting");
}

struct string {
	uint64_t rdi, rsi, rcx;
};

static void fill(void)
{
	for (unsigned i = 0; i < 2 * PAGE; i++)
		copy[i] = area[(i + 2 * PAGE) % (3 * PAGE)] = (uint8_t) (i * 7 + i / 256);
}

static void strings_of(unsigned size, bool moves, bool down, struct string *s)
{
#define STRING(name) __asm__ volatile(name : "+D"(s->rdi), "+S"(s->rsi), "+c"(s->rcx) : "a"(0x1122334455667788) : "memory")
	if (down)
		__asm__ volatile("std");
	switch (size | moves << 4) {
	case 1: STRING("rep stosb"); break;
	case 2: STRING("rep stosw"); break;
	case 4: STRING("rep stosl"); break;
	case 8: STRING("rep stosq"); break;
	case 17: STRING("rep movsb"); break;
	case 18: STRING("rep movsw"); break;
	case 20: STRING("rep movsl"); break;
	default: STRING("rep movsq"); break;
	}
	__asm__ volatile("cld");
}

/* The same, a byte at a time, in the copy. */
static void strings_slowly(unsigned size, bool moves, bool down, const struct string *s)
{
	const uint64_t value = 0x1122334455667788;
	uint64_t to = s->rdi - WINDOW - PAGE, from = s->rsi - WINDOW - PAGE;
	uint8_t element[8];

	for (uint64_t n = 0; n < s->rcx; n++) {
		for (unsigned i = 0; i < size; i++)
			element[i] = moves ? copy[from + i] : (uint8_t) (value >> i * 8);
		for (unsigned i = 0; i < size; i++)
			copy[to + i] = element[i];
		to += down ? -(uint64_t) size : size;
		from += down ? -(uint64_t) size : size;
	}
}

static void strings(void)
{
	for (unsigned n = 0; n < 150; n++) {
		unsigned size = 1u << random_number() % 4;
		bool moves = random_number() & 1, down = random_number() % 4 == 0;
		uint64_t count = random_number() % (n % 4 == 0 ? 7 : PAGE / size), start = WINDOW + PAGE, room = 2 * PAGE - count * size;
		struct string s = { start + random_number() % room, start + random_number() % room, count }, end;

		if (down) {
			s.rdi += count * size - (count != 0 ? size : 0);
			s.rsi += count * size - (count != 0 ? size : 0);
		}
		end = s;
		fill();
		strings_of(size, moves, down, &end);
		strings_slowly(size, moves, down, &s);
		expect(end.rcx == 0 && end.rdi - s.rdi == (down ? -count : count) * size && (!moves || end.rsi - s.rsi == end.rdi - s.rdi));
		for (unsigned i = 0; i < 2 * PAGE; i++)
			expect(copy[i] == *(uint8_t *) (start + i));
	}
	report("strings");
}

static struct string faulting;
static unsigned faulting_size;
static bool faulting_moves;

static void fault_string(void)
{
	strings_of(faulting_size, faulting_moves, false, &faulting);
}

static void strings_that_fault(void)
{
	for (unsigned n = 0; n < 40; n++) {
		uint64_t before = random_number() % 200 * 8;

		faulting_size = 1u << n % 4;
		faulting_moves = n / 4 % 2;
		faulting = (struct string) { WINDOW + 3 * PAGE - before, WINDOW + PAGE, before / faulting_size + 5 };
		fill();
		traps = 0;
		run(fault_string);
		expect(traps == 1 && seen.vector == PF && seen.code == 2 && seen_cr2 == WINDOW + 3 * PAGE && seen.rcx == 5);
		expect(seen.rdi == WINDOW + 3 * PAGE && (!faulting_moves || seen.rsi == WINDOW + PAGE + before));
		faulting = (struct string) { 1ull << 63, 1ull << 62, 0 };
		traps = 0;
		run(fault_string);
		expect(traps == 0);
	}
	report("strings that fault");
}

static uint64_t *at_window(uint64_t offset)
{
	return (uint64_t *) (WINDOW + offset);
}

static void rows(void)
{
	for (unsigned n = 0; n < 20; n++) {
		/* five pushes: in a page, in two, into one that is absent */
		for (unsigned up = 0; up < 8; up++) {
			uint64_t rsp = WINDOW + 2 * PAGE + up * 8, first = WINDOW + PAGE + up * 8;

			traps = 0;
			enter_user(user_pushes, 2, rsp);
			expect(traps == 0 && at_rsp == rsp - 40 && at_window(rsp - WINDOW - 8)[0] == 0x1111);
			expect(at_window(rsp - WINDOW - 16)[0] == 0x2222 && at_window(rsp - WINDOW - 24)[0] == 0x3333);
			expect(at_window(rsp - WINDOW - 32)[0] == rsp - 24 && at_window(rsp - WINDOW - 40)[0] == -7ull);
			if (up > 4)
				continue;
			enter_user(user_pushes, 2, first);
			expect(traps == 1 && seen.vector == PF && seen.code == 6 && seen_cr2 == WINDOW + PAGE - 8);
			expect(seen.rsp == WINDOW + PAGE && seen.cs == USER_CODE);
			expect(up != 2 || seen.rip == (uintptr_t) user_third_push);
		}
		*at_window(3 * PAGE - 16) = 5;
		*at_window(3 * PAGE - 8) = 6;
		traps = 0;
		enter_user(user_pops, 2, WINDOW + 3 * PAGE - 16);
		expect(traps == 1 && seen.vector == PF && seen.code == 4 && seen_cr2 == WINDOW + 3 * PAGE);
		expect(seen.rip == (uintptr_t) user_third_pop && seen.rbx == 5 && seen.rbp == 6 && seen.rsp == WINDOW + 3 * PAGE);
		enter_user(user_pops_ret, 2, WINDOW + 3 * PAGE - 16);
		expect(traps == 2 && seen.rip == (uintptr_t) user_ret && seen.r10 == 5 && seen.r11 == 6);
		for (unsigned up = 0; up < 4; up++) {
			uint64_t at = 2 * PAGE - up * 8;

			at_window(at)[2] = 1ull << 63;
			traps = 0;
			enter_user(user_pops_ret, 2, WINDOW + at);
			expect(traps == 1 && seen.vector == GP && seen.rip == (uintptr_t) user_ret && seen.rsp == WINDOW + at + 16);
			at_window(at)[2] = (uintptr_t) user_returned;
			enter_user(user_pops_ret, 2, WINDOW + at);
			expect(traps == 1 && at_rsp == WINDOW + at + 24);
		}
	}
	report("rows");
}

static uint64_t base_value;

static void write_base(void)
{
	__asm__ volatile("mov %0, %%r10; wrfsbase %%r10" : : "r"(base_value) : "r10");
}

static uint64_t read_cr4(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr4, %%r11; mov %%r11, %0" : "=r"(v) : : "r11");
	return v;
}

static void bases(void)
{
	static uint64_t word = 77;
	uint64_t cr4 = read_cr4(), v, w;

	for (unsigned n = 0; n < 20; n++) {
		__asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
		traps = 0;
		run(write_base);
		expect(traps == 1 && seen.vector == UD && read_cr4() == cr4);
		__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | 1 << 16));
		base_value = 1ull << 62;
		run(write_base);
		expect(traps == 2 && seen.vector == GP && read_cr4() == (cr4 | 1 << 16));
		base_value = (uintptr_t) &word - n;
		run(write_base);
		__asm__ volatile("rdfsbase %0; mov %%fs:(%2), %1" : "=&r"(v), "=&r"(w) : "r"((uint64_t) n));
		expect(traps == 2 && v == base_value && w == 77 && read_msr(FS_BASE) == base_value);
		__asm__ volatile("mov $-5, %%r11; wrgsbase %%r11d; rdgsbase %%r10; mov %%r10, %0" : "=r"(v) : : "r10", "r11");
		expect(v == 0xFFFFFFFB);
		__asm__ volatile("mov $-5, %%rax; wrgsbase %%rax; rdgsbase %%r10d; mov %%r10, %0" : "=r"(v) : : "r10", "rax");
		expect(v == 0xFFFFFFFB);
		__asm__ volatile("mov %1, %%cr2; mov %%cr2, %%r10; mov %%r10, %0" : "=r"(v) : "r"(base_value) : "r10");
		expect(v == base_value);
	}
	report("bases");
}

int main(int letter)
{
	(void) letter;
	set_pages();
	set_segments();
	levels();
	levels_refused();
	waiting();
	strings();
	strings_that_fault();
	rows();
	bases();
	print("DONE\n");
	out8(0x600, 0x34);
	for (;;)
		__asm__ volatile("pause");
}

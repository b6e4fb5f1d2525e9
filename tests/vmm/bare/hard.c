// SPDX-License-Identifier: MIT
/*
 * A guest without an operating system, for processors in software that lack something: more code than is kept, code that
 * changes, exceptions that the host raises, with interrupts as fast as they can come.
 * Prints a line for each; "wrong" in it is an error, DONE the end.
 */
#include <stdbool.h>
#include <stdint.h>

#define LAPIC ((volatile uint32_t *) 0xFEE00000)
#define FUNCTIONS 2500u
#define FUNCTION_SIZE 64u
#define ROUNDS 4
#define TIMES 1000u
#define SERIAL 0x3F8

enum { DE = 0, BP = 3, UD = 6, IRQ = 0x40 };

struct gate {
	uint16_t low, selector, flags, middle;
	uint32_t high, zero;
};

/* What is on the stack in trapped(). */
struct frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, rip, cs, flags, rsp, ss;
};

void on_0(void), on_3(void), on_6(void), on_64(void);

static struct gate idt[256] __attribute__((aligned(16)));
static uint8_t code[FUNCTIONS * FUNCTION_SIZE] __attribute__((aligned(4096)));
static volatile uint64_t traps[65], interrupts;
static uint64_t wrong, expected_rip;

__asm__(
	".text\n"
	".macro entry vector\n"
	"on_\\vector: push $\\vector\n"
	"	jmp common\n"
	".endm\n"
	"	entry 0\n	entry 3\n	entry 6\n	entry 64\n"
	"common:\n"
	"	push %rax; push %rbx; push %rcx; push %rdx; push %rsi; push %rdi; push %rbp\n"
	"	push %r8; push %r9; push %r10; push %r11; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, %rdi\n"
	"	mov %rsp, %rbp; and $-16, %rsp\n"
	"	call trapped\n"
	"	mov %rbp, %rsp\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %r11; pop %r10; pop %r9; pop %r8\n"
	"	pop %rbp; pop %rdi; pop %rsi; pop %rdx; pop %rcx; pop %rbx; pop %rax\n"
	"	add $8, %rsp\n"
	"	iretq\n");

static void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "d"(port));
}

static void print(const char *s)
{
	for (; *s != '\0'; s++)
		out8(SERIAL, (uint8_t) *s);
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

/* DIV and UD2 are two bytes long here. */
void trapped(struct frame *f);
void trapped(struct frame *f)
{
	traps[f->vector]++;
	if (f->vector == IRQ) {
		LAPIC[0xB0 / 4] = 0;
		interrupts++;
		return;
	}
	wrong += f->rip != expected_rip;
	if (f->vector != BP)
		f->rip += 2;
}

static void set_gate(unsigned vector, void (*fn)(void))
{
	uint64_t at = (uintptr_t) fn;

	idt[vector] = (struct gate) { .low = (uint16_t) at, .selector = 8, .flags = 0x8E00,
				      .middle = (uint16_t) (at >> 16) };
}

static void prepare(void)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} pointer = { sizeof(idt) - 1, (uintptr_t) idt };

	set_gate(DE, on_0);
	set_gate(BP, on_3);
	set_gate(UD, on_6);
	set_gate(IRQ, on_64);
	__asm__ volatile("lidt %0" : : "m"(pointer));
	LAPIC[0xF0 / 4] = 0x1FF;
}

/* mov $number, %eax; add $more, %eax; jmp over ud2; ret */
static void write_function(uint32_t n, uint32_t more)
{
	uint8_t *p = code + n * FUNCTION_SIZE;

	p[0] = 0xB8;
	*(volatile uint32_t *) (p + 1) = n;
	p[5] = 0x05;
	*(volatile uint32_t *) (p + 6) = more;
	p[10] = 0xEB;
	p[11] = 2;
	p[12] = 0x0F;
	p[13] = 0x0B;
	p[14] = 0xC3;
}

static uint32_t call(uint32_t n)
{
	return ((uint32_t (*)(void)) (uintptr_t) (code + n * FUNCTION_SIZE))();
}

#define VECTOR(n) "movq %0, %%xmm" #n "; inc %0\n"
#define CHECK(n) "movq %%xmm" #n ", %%rax; cmp %1, %%rax; je 1f; inc %0; 1: inc %1\n"
#define ALL(what) what(0) what(1) what(2) what(3) what(4) what(5) what(6) what(7) what(8) what(9) what(10) what(11) what(12) \
	what(13) what(14) what(15)

/* What is in vector registers stays there, whoever executes and translates meanwhile. */
static void set_vectors(void)
{
	uint64_t v = 0x123456789ABCDEF0;

	__asm__ volatile(ALL(VECTOR) : "+r"(v) : : "cc");
}

static void check_vectors(void)
{
	uint64_t v = 0x123456789ABCDEF0, differ = 0;

	__asm__ volatile(ALL(CHECK) : "+r"(differ), "+r"(v) : : "rax", "cc");
	wrong += differ;
}

static void functions(void)
{
	uint32_t a = 0, c = 0, d;

	for (uint32_t n = 0; n < FUNCTIONS; n++)
		write_function(n, 1);
	set_vectors();
	for (unsigned round = 0; round < ROUNDS; round++)
		for (uint32_t n = 0; n < FUNCTIONS; n++)
			wrong += call(n) != n + 1;
	__asm__ volatile("cpuid" : "+a"(a), "+c"(c), "=d"(d) : : "ebx");
	__asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(0x6E0));
	check_vectors();
	report("functions");
	for (unsigned round = 0; round < ROUNDS; round++)
		for (uint32_t n = round; n < FUNCTIONS; n += 7) {
			write_function(n, n + round);
			wrong += call(n) != 2 * n + round;
			(void) call((n + 64) % FUNCTIONS);
		}
	report("functions that change");
}

/* Registers and flags must be what they were, whatever came between. */
static void divide(void)
{
	uint64_t a = 0x1111, b = 0x2222, r10 = 0x3333, flags;

	__asm__ volatile("lea 1f(%%rip), %%rax; mov %%rax, %4; mov $0x1111, %%eax; mov $0x3333, %%r10d; xor %%ecx, %%ecx; xor %%edx, %%edx; stc\n"
			 "1: div %%ecx\n"
			 "pushfq; pop %3; mov %%r10, %2\n"
			 : "+a"(a), "+b"(b), "=r"(r10), "=r"(flags), "=m"(expected_rip) : : "rcx", "rdx", "r10", "cc", "memory");
	wrong += a != 0x1111 || b != 0x2222 || r10 != 0x3333;
}

static void no_instruction(void)
{
	uint64_t a = 0x4444;

	__asm__ volatile("lea 1f(%%rip), %%rcx; mov %%rcx, %1; mov $0x5555, %%r11d; stc\n"
			 "1: ud2\n"
			 "jnc 2f; lea (%%rax,%%r11), %%rax\n"
			 "2:\n" : "+a"(a), "=m"(expected_rip) : : "rcx", "r11", "cc", "memory");
	wrong += a != 0x9999;
}

static void breakpoint(void)
{
	uint64_t a = 7;

	__asm__ volatile("lea 1f(%%rip), %%rcx; mov %%rcx, %1\n"
			 "int3\n"
			 "1: add $1, %0\n" : "+r"(a), "=m"(expected_rip) : : "rcx", "cc", "memory");
	wrong += a != 8;
}

static void exceptions(void)
{
	traps[DE] = traps[UD] = traps[BP] = 0;
	for (unsigned n = 0; n < TIMES; n++) {
		divide();
		no_instruction();
		breakpoint();
	}
	wrong += traps[DE] != TIMES || traps[UD] != TIMES || traps[BP] != TIMES;
	report("exceptions");
}

/* A periodic timer, as fast as it goes, and interrupts that the processor sends to itself. */
static void storm(void)
{
	uint64_t sum = 0, before;

	LAPIC[0x3E0 / 4] = 0xB;
	LAPIC[0x320 / 4] = 0x20040;
	LAPIC[0x380 / 4] = 1;
	interrupts = 0;
	__asm__ volatile("sti");
	exceptions();
	for (unsigned n = 0; n < TIMES; n++) {
		before = interrupts;
		LAPIC[0x300 / 4] = 0x44040;
		while (interrupts == before)
			sum++;
	}
	for (uint32_t n = 0; n < FUNCTIONS; n++) {
		write_function(n, 3);
		wrong += call(n) != n + 3;
	}
	__asm__ volatile("cli");
	LAPIC[0x380 / 4] = 0;
	wrong += interrupts < TIMES;
	report("a storm of interrupts");
}

int main(int letter)
{
	(void) letter;
	prepare();
	functions();
	exceptions();
	storm();
	print("DONE\n");
	out8(0x600, 0x34);
	for (;;)
		__asm__ volatile("pause");
}

// SPDX-License-Identifier: MIT
/*
 * A guest without an operating system: how late the timer's interrupt comes while the processor is busy, in several ways.
 * Prints a line for each: how many of the interrupts came within 100 microseconds, and the best of ten, the median, the
 * worst of ten and the worst, in nanoseconds.  Then DONE.
 */
#include <stdbool.h>
#include <stdint.h>

#define LAPIC ((volatile uint32_t *) 0xFEE00000)
#define TIMER 0x320
#define DEADLINE_MODE 0x40000
#define MSR_DEADLINE 0x6E0u
#define MSR_CLOCK 0x4B564D01u
#define TIMES 200
#define WAIT_NS 150000u /* to the first moment that may be a deadline, and again as long to the last */
#define IN_TIME_NS 100000u

extern void on_interrupt(void);

struct gate {
	uint16_t low, selector, flags, middle;
	uint32_t high, zero;
};

/* The paravirtual clock's page: what a time stamp is. */
static volatile struct {
	uint32_t version, pad;
	uint64_t tsc, ns;
	uint32_t scale;
	int8_t shift;
	uint8_t flags, pad2[2];
} clock_page __attribute__((aligned(64)));

static struct gate idt[256] __attribute__((aligned(16)));
static volatile uint64_t interrupt_at, interrupts;
static uint64_t hz, late[TIMES];
static uint8_t area[1 << 20] __attribute__((aligned(4096)));
static uint8_t code[4096] __attribute__((aligned(4096)));

static void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "d"(port));
}

static void print(const char *s)
{
	for (; *s != '\0'; s++)
		out8(0x3F8, (uint8_t) *s);
}

static void print_number(const char *name, uint64_t v)
{
	char text[24], *p = text + sizeof(text);

	*--p = '\0';
	do
		*--p = (char) ('0' + v % 10);
	while ((v /= 10) != 0);
	print(" ");
	print(name);
	print(" ");
	print(p);
}

static uint64_t stamp(void)
{
	uint32_t a, d;

	__asm__ volatile("rdtsc" : "=a"(a), "=d"(d) : : "memory");
	return a | (uint64_t) d << 32;
}

static void write_msr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t) v), "d"((uint32_t) (v >> 32)) : "memory");
}

void interrupted(void)
{
	interrupt_at = stamp();
	LAPIC[0xB0 / 4] = 0;
	interrupts++;
}

void other(unsigned number)
{
	(void) number;
	for (;;)
		__asm__ volatile("hlt");
}

/* How to be busy: each comes back after some microseconds */

static void adds(void)
{
	for (uint64_t n = 0, sum = 1; n < 10000; n++)
		__asm__ volatile("add %1, %0; rol $3, %0" : "+r"(sum) : "r"(n));
}

static unsigned fib(unsigned n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static void calls(void)
{
	volatile unsigned result = fib(15);

	(void) result;
}

/* More at once than there are pages that the processor remembers. */
static void pages(void)
{
	for (unsigned at = 0; at < sizeof(area); at += 4096)
		((volatile uint8_t *) area)[at]++;
}

static void copies(void)
{
	void *to = area, *from = area + sizeof(area) / 2;
	uint64_t n = sizeof(area) / 2;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

/* What the interpreter executes. */
static void rare(void)
{
	for (unsigned n = 0; n < 100; n++) {
		uint32_t a = 0, c = 0;

		__asm__ volatile("cpuid" : "+a"(a), "+c"(c) : : "ebx", "edx");
		__asm__ volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" : : : "rax", "memory");
	}
}

/* Interrupts that wait for a moment. */
static void forbids(void)
{
	for (unsigned n = 0; n < 500; n++)
		__asm__ volatile("cli; nop; nop; sti; pushfq; cli; popfq" : : : "memory", "cc");
}

/* Code that changes all the time: mov $n, %eax; ret */
static void writes(void)
{
	for (uint32_t n = 0; n < 20; n++) {
		uint8_t *p = code + n * 64;

		p[0] = 0xB8;
		*(volatile uint32_t *) (p + 1) = (uint32_t) stamp();
		p[5] = 0xC3;
		((void (*)(void)) (uintptr_t) p)();
	}
}

/* Ends of instructions that raise an exception, as programs do: INT3. */
static void raises(void)
{
	for (unsigned n = 0; n < 100; n++)
		__asm__ volatile("int3" : : : "memory");
}

__asm__(".text\non_int3: iretq\n");
extern const char on_int3[];

static void set_gate(unsigned vector, const void *fn)
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

	set_gate(0x40, (const void *) (uintptr_t) on_interrupt);
	set_gate(3, on_int3);
	__asm__ volatile("lidt %0" : : "m"(pointer));
	LAPIC[0xF0 / 4] = 0x1FF;
	LAPIC[TIMER / 4] = DEADLINE_MODE | 0x40;
	write_msr(MSR_CLOCK, (uintptr_t) &clock_page | 1);
	hz = (1000000000ull << 32) / clock_page.scale;
	hz = clock_page.shift < 0 ? hz << -clock_page.shift : hz >> clock_page.shift;
	write_msr(MSR_CLOCK, 0);
}

static uint64_t stamps(uint64_t ns)
{
	return ns * (hz / 1000000) / 1000;
}

static void busy(const char *name, void (*how)(void))
{
	uint64_t in_time = 0, offset = 1;

	__asm__ volatile("sti");
	for (unsigned n = 0; n < TIMES; n++) {
		uint64_t before = interrupts, deadline;

		how();
		offset = offset * 48271 % 0x7FFFFFFF;
		deadline = stamp() + stamps(WAIT_NS + offset % WAIT_NS);
		write_msr(MSR_DEADLINE, deadline);
		while (interrupts == before)
			how();
		late[n] = (interrupt_at - deadline) * 1000 / (hz / 1000000);
		in_time += late[n] <= IN_TIME_NS;
		for (unsigned i = n; i > 0 && late[i] < late[i - 1]; i--) {
			uint64_t v = late[i];

			late[i] = late[i - 1];
			late[i - 1] = v;
		}
	}
	__asm__ volatile("cli");
	print(name);
	print(":");
	print_number("in time", in_time);
	print_number("of", TIMES);
	print_number("best", late[TIMES / 10]);
	print_number("median", late[TIMES / 2]);
	print_number("worse", late[TIMES - TIMES / 10]);
	print_number("worst", late[TIMES - 1]);
	print("\n");
}

int main(int letter)
{
	(void) letter;
	prepare();
	busy("adds", adds);
	busy("calls", calls);
	busy("pages", pages);
	busy("copies", copies);
	busy("rare", rare);
	busy("forbids", forbids);
	busy("writes", writes);
	busy("raises", raises);
	print("DONE\n");
	out8(0x600, 0x34);
	for (;;)
		__asm__ volatile("pause");
}

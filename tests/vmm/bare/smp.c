// SPDX-License-Identifier: MIT
/*
 * A guest without an operating system, for two processors: what they see of each other's writes.  The first letter of
 * its command line says what is tried:
 *   l  order of memory accesses, locked instructions      c  code that another processor writes
 *   t  pages that are mapped elsewhere, and code in them  d  code that a disk writes
 *   i  how long interrupts take                           a  all but i
 * Prints a line for each; "wrong" in it is an error, DONE the end.
 */
#include <stdbool.h>
#include <stdint.h>

#define LAPIC ((volatile uint32_t *) 0xFEE00000)
#define AP_CODE 0x8000u
#define ALIAS (1ull << 38) /* all memory once more */
#define SECONDS 1 /* for each attempt, on a machine that is slow */

extern volatile uint32_t processors;
extern uint64_t pdpt[512];
extern void on_interrupt(void);

typedef uint32_t fn(void);

/* What the second processor is to do now, and how often it has done what it was told. */
static void (*volatile task)(void);
static volatile uint32_t tasks_done;

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

static void relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static void fence(void)
{
	__asm__ volatile("mfence" : : : "memory");
}

static void serialize(void)
{
	uint32_t a = 0, c = 0;

	__asm__ volatile("cpuid" : "+a"(a), "+c"(c) : : "ebx", "edx", "memory");
}

static uint64_t stamp(void)
{
	uint32_t a, d;

	__asm__ volatile("rdtsc" : "=a"(a), "=d"(d) : : "memory");
	return a | (uint64_t) d << 32;
}

/* Time stamps of SECONDS on a machine that is not slower than 4 GHz. */
static bool is_over(uint64_t begun)
{
	return stamp() - begun > SECONDS * 4000000000ull;
}

static void both(void (*first)(void), void (*second)(void))
{
	uint32_t before = tasks_done;

	task = second;
	first();
	while (tasks_done == before)
		relax();
}

void other(unsigned number)
{
	(void) number;
	for (;;) {
		while (task == (void (*)(void)) 0)
			relax();
		void (*now)(void) = task;

		task = (void (*)(void)) 0;
		now();
		tasks_done++;
	}
}

/* Order of memory accesses */

static volatile uint64_t x, y __attribute__((aligned(64))), seen_x, seen_y __attribute__((aligned(64)));
static volatile uint32_t round_a, round_b __attribute__((aligned(64)));
static volatile bool stop;
static uint64_t rounds, wrong;

static void buffers_first(void)
{
	uint64_t begun = stamp();

	for (rounds = 0; rounds < 50000 && !is_over(begun); rounds++) {
		x = y = 0;
		seen_x = seen_y = 2;
		fence();
		round_a++;
		x = 1;
		fence();
		seen_y = y;
		while (round_b != round_a)
			relax();
		wrong += seen_x == 0 && seen_y == 0;
	}
	stop = true;
}

static void buffers_second(void)
{
	while (!stop) {
		if (round_b == round_a) {
			relax();
			continue;
		}
		y = 1;
		fence();
		seen_x = x;
		fence();
		round_b++;
	}
}

static void message_first(void)
{
	uint64_t begun = stamp();

	for (rounds = 1; rounds < 20000000 && (rounds % 1024 != 0 || !is_over(begun)); rounds++) {
		x = rounds;
		y = rounds;
	}
	stop = true;
}

static void message_second(void)
{
	while (!stop) {
		uint64_t flag = y, data = x;

		wrong += data < flag;
	}
}

static volatile uint64_t added, exchanged[2] __attribute__((aligned(16))), guarded, lock_word;
#define TIMES 100000

static void locked(void)
{
	for (uint64_t n = 0; n < TIMES; n++) {
		uint64_t one = 1, a = exchanged[0], d = exchanged[1];
		bool same;

		__asm__ volatile("lock incq %0" : "+m"(added));
		__asm__ volatile("lock xaddq %0, %1" : "+r"(one), "+m"(added));
		do
			__asm__ volatile("lock cmpxchg16b %1\n\tsete %0"
					 : "=q"(same), "+m"(exchanged), "+a"(a), "+d"(d)
					 : "b"(a + 1), "c"(d + 2) : "memory");
		while (!same);
		do {
			one = 1;
			__asm__ volatile("xchgq %0, %1" : "+r"(one), "+m"(lock_word) : : "memory");
		} while (one != 0);
		guarded++;
		lock_word = 0;
	}
}

static void order(void)
{
	wrong = 0;
	round_a = round_b = 0;
	stop = false;
	both(buffers_first, buffers_second);
	print("order:");
	print_number("stores and loads", rounds);
	x = y = 0;
	stop = false;
	both(message_first, message_second);
	print_number("messages", rounds);
	both(locked, locked);
	wrong += added != 4 * TIMES || exchanged[0] != 2 * TIMES || exchanged[1] != 4 * TIMES || guarded != 2 * TIMES;
	print_number("locked", added);
	if (wrong != 0)
		print_number("wrong", wrong);
	print("\n");
}

/* Code that another processor writes */

#define PAGES 4

static uint8_t code[PAGES][4096] __attribute__((aligned(4096)));
static volatile uint32_t published, taken;
static volatile bool serializes, alias;

/* mov $value, %eax; ret */
static void write_code(uint8_t *p, uint32_t value)
{
	p[0] = 0xB8;
	*(volatile uint32_t *) (p + 1) = value;
	p[5] = 0xC3;
}

static uint32_t call(const uint8_t *p)
{
	return ((fn *) (uintptr_t) p)();
}

static void code_first(void)
{
	uint64_t begun = stamp();

	for (rounds = 1; rounds < 5000 && !is_over(begun); rounds++) {
		uint8_t *p = code[rounds & 1] + (alias ? ALIAS : 0);

		write_code(p, (uint32_t) rounds);
		if (rounds % 3 == 0)
			wrong += call(p) != rounds; /* its own */
		published = (uint32_t) rounds;
		while (taken != rounds)
			relax();
	}
	published = UINT32_MAX;
}

static void code_second(void)
{
	for (uint32_t n; (n = published) != UINT32_MAX;) {
		if (n == taken) {
			relax();
			continue;
		}
		if (serializes)
			serialize();
		wrong += call(code[n & 1]) != n;
		taken = n;
	}
}

/* The second processor runs what the first one changes, an immediate at once: sooner or later it sees each. */
static void patch_first(void)
{
	uint64_t begun = stamp();

	for (rounds = 2; rounds < 3000 && !is_over(begun); rounds++) {
		*(volatile uint32_t *) (code[0] + 4) = (uint32_t) rounds;
		for (uint64_t from = stamp(); taken != rounds && stamp() - from < 20 * 4000000000ull;)
			relax();
		wrong += taken != rounds;
	}
	stop = true;
}

/* nop x3; mov $value, %eax; ret: the immediate is aligned */
static void patch_second(void)
{
	while (!stop)
		taken = call(code[0]);
}

static void code_of_others(void)
{
	wrong = 0;
	print("code:");
	for (unsigned n = 0; n < 3; n++) {
		published = taken = 0;
		serializes = n == 0;
		alias = n == 2;
		both(code_first, code_second);
		print_number("written", rounds);
	}
	write_code(code[0] + 3, 1);
	code[0][0] = code[0][1] = code[0][2] = 0x90;
	stop = false;
	both(patch_first, patch_second);
	print_number("patched", rounds);
	if (wrong != 0)
		print_number("wrong", wrong);
	print("\n");
}

/* Interrupts */

struct gate {
	uint16_t low, selector, flags, middle;
	uint32_t high, zero;
};

static struct gate idt[256] __attribute__((aligned(16)));
static volatile uint64_t interrupt_at, interrupts, remapped;
static volatile bool listens;

static void load_idt(void)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} pointer = { sizeof(idt) - 1, (uintptr_t) idt };

	idt[0x40] = (struct gate) { .low = (uint16_t) (uintptr_t) on_interrupt, .selector = 8, .flags = 0x8E00,
				    .middle = (uint16_t) ((uintptr_t) on_interrupt >> 16) };
	__asm__ volatile("lidt %0" : : "m"(pointer));
	LAPIC[0xF0 / 4] = 0x1FF;
}

static void send_interrupt(void)
{
	LAPIC[0x310 / 4] = 1 << 24;
	LAPIC[0x300 / 4] = 0x4040;
}

void interrupted(void)
{
	uint64_t page = remapped;

	interrupt_at = stamp();
	if (page != 0)
		__asm__ volatile("invlpg (%0)" : : "r"(page) : "memory");
	LAPIC[0xB0 / 4] = 0;
	interrupts++;
}

/* From now on, the second processor takes interrupts. */
static void listen(void)
{
	load_idt();
	__asm__ volatile("sti");
	listens = true;
}

static void until_listens(void)
{
	while (!listens)
		relax();
	listens = false;
}

static void wait_interrupted(void)
{
	listen();
	while (!stop)
		y++;
	__asm__ volatile("cli");
}

static uint64_t latency[200];

static void send_interrupts(void)
{
	until_listens();
	for (unsigned n = 0; n < 200; n++) {
		uint64_t before = interrupts, begun = stamp(), wait = begun + 200000;

		while (stamp() < wait)
			relax();
		begun = stamp();
		send_interrupt();
		while (interrupts == before)
			relax();
		latency[n] = interrupt_at - begun;
	}
	stop = true;
}

static void interrupt_times(void)
{
	stop = false;
	remapped = 0;
	both(send_interrupts, wait_interrupted);
	for (unsigned n = 1; n < 200; n++)
		for (unsigned i = n; i > 0 && latency[i] < latency[i - 1]; i--) {
			uint64_t v = latency[i];

			latency[i] = latency[i - 1];
			latency[i - 1] = v;
		}
	print("interrupts:");
	print_number("median", latency[100]);
	print_number("of ten the worst", latency[180]);
	print_number("worst", latency[199]);
	print(" time stamps\n");
}

/* Pages that are mapped elsewhere */

static uint64_t directory[512] __attribute__((aligned(4096))), table[512] __attribute__((aligned(4096)));
#define WINDOW (511ull << 30)

static void reading(void)
{
	volatile uint32_t *window = (volatile uint32_t *) WINDOW;

	listen();
	while (!stop) {
		uint64_t a = interrupts;
		uint32_t v = call((const uint8_t *) WINDOW), w = window[1024 / 4], b = interrupts;

		if (a == b && a != 0) { /* the next page may be seen already, not the one before */
			wrong += (v - 7 - a) % PAGES > 1 || (w - 70 - a) % PAGES > 1;
			taken++;
		}
	}
	__asm__ volatile("cli");
}

static void remap(void)
{
	uint64_t begun = stamp();

	until_listens();
	for (rounds = 1; rounds < 2000 && !is_over(begun); rounds++) {
		uint32_t before = taken;

		table[0] = (uintptr_t) code[rounds % PAGES] | 3;
		send_interrupt();
		while (interrupts != rounds)
			relax();
		while (taken == before)
			relax();
	}
	stop = true;
}

static void remapping(void)
{
	for (uint32_t n = 0; n < PAGES; n++) {
		write_code(code[n], n + 7);
		*(volatile uint32_t *) (code[n] + 1024) = n + 70;
	}
	table[0] = (uintptr_t) code[0] | 3;
	directory[0] = (uintptr_t) table | 3;
	pdpt[WINDOW >> 30 & 511] = (uintptr_t) directory | 3;
	stop = false;
	wrong = interrupts = taken = 0;
	remapped = WINDOW;
	both(remap, reading);
	remapped = 0;
	print("pages:");
	print_number("remapped", rounds);
	if (wrong != 0)
		print_number("wrong", wrong);
	print("\n");
}

/* Code that a disk writes: every sector of it is a function that returns its number */

struct descriptor {
	uint64_t at;
	uint32_t len;
	uint16_t flags, next;
};

static struct {
	struct descriptor descriptor[4];
	struct {
		uint16_t flags, index, ring[4], event;
	} available;
	struct {
		volatile uint16_t flags, index;
		struct {
			uint32_t id, len;
		} ring[4];
	} used __attribute__((aligned(4)));
} queue __attribute__((aligned(4096)));

static struct {
	uint32_t type, reserved;
	uint64_t sector;
} request;

static volatile uint8_t *disk;
static uint8_t request_status;

static bool find_disk(void)
{
	for (uintptr_t slot = 0; slot < 32; slot++) {
		volatile uint32_t *config = (volatile uint32_t *) (0xB0000000 + (slot << 15));

		if (config[0] == 0x10421AF4) {
			config[1] |= 6;
			disk = (volatile uint8_t *) (uintptr_t) (config[4] & ~15u);
			return true;
		}
	}
	return false;
}

static void put64(unsigned at, const volatile void *p)
{
	*(volatile uint32_t *) (disk + at) = (uint32_t) (uintptr_t) p;
	*(volatile uint32_t *) (disk + at + 4) = 0;
}

static void start_disk(void)
{
	disk[0x14] = 0;
	disk[0x14] = 3;
	*(volatile uint32_t *) (disk + 8) = 1;
	*(volatile uint32_t *) (disk + 12) = 1; /* VERSION_1 */
	*(volatile uint32_t *) (disk + 8) = 0;
	*(volatile uint32_t *) (disk + 12) = 0;
	disk[0x14] = 11;
	*(volatile uint16_t *) (disk + 0x16) = 0;
	*(volatile uint16_t *) (disk + 0x18) = 4;
	put64(0x20, queue.descriptor);
	put64(0x28, &queue.available);
	put64(0x30, &queue.used);
	*(volatile uint16_t *) (disk + 0x1C) = 1;
	disk[0x14] = 15;
}

static void read_sector(uint64_t sector, uint8_t *to)
{
	uint16_t before = queue.used.index;

	request.sector = sector;
	queue.descriptor[0] = (struct descriptor) { (uintptr_t) &request, 16, 1, 1 };
	queue.descriptor[1] = (struct descriptor) { (uintptr_t) to, 512, 3, 2 };
	queue.descriptor[2] = (struct descriptor) { (uintptr_t) &request_status, 1, 2, 0 };
	queue.available.ring[queue.available.index % 4] = 0;
	fence();
	queue.available.index++;
	fence();
	*(volatile uint16_t *) (disk + 0x3000) = 0;
	while (queue.used.index == before)
		relax();
}

static void disk_code(void)
{
	wrong = 0;
	if (!find_disk()) {
		print("disk: wrong: there is none\n");
		return;
	}
	start_disk();
	published = taken = 0;
	serializes = false;
	task = code_second;
	for (rounds = 1; rounds < 200; rounds++) {
		read_sector(rounds % 64, code[rounds & 1]);
		wrong += call(code[rounds & 1]) != rounds % 64;
		write_code(code[rounds & 1] + 512, 0);
		published = (uint32_t) rounds % 64;
		while (taken != rounds % 64)
			relax();
	}
	published = UINT32_MAX;
	print("disk:");
	print_number("read", rounds);
	if (wrong != 0)
		print_number("wrong", wrong);
	print("\n");
}

int main(int letter)
{
	bool all = letter == 'a';

	LAPIC[0xF0 / 4] = 0x1FF;
	LAPIC[0x310 / 4] = 1 << 24;
	LAPIC[0x300 / 4] = 0x4500;
	LAPIC[0x300 / 4] = 0x4600 | AP_CODE >> 12;
	while (processors != 2)
		relax();
	if (all || letter == 'l')
		order();
	if (all || letter == 'c')
		code_of_others();
	if (all || letter == 't')
		remapping();
	if (all || letter == 'd')
		disk_code();
	if (letter == 'i')
		interrupt_times();
	print("DONE\n");
	__asm__ volatile("outb %0, %1" : : "a"((uint8_t) 0x34), "d"((uint16_t) 0x600));
	for (;;)
		relax();
}

// SPDX-License-Identifier: MIT
/*
 * A guest without an operating system that does to every device what no driver does: legacy ports, interrupt controllers,
 * model-specific registers, PCI configuration space and addresses that move, ports of devices that come and go; what is in
 * rings is in attack_rings.c.  What ends the machine (power, reset, panic) and what another processor would make of an
 * interrupt is left out.  The letter of its command line is the seed; a capital one: a tenth
 * of it, for a KVM that emulates each instruction.  Prints DONE when the machine still works.
 */
#include "attack.h"

#define LAPIC 0xFEE00000u
#define IOAPIC 0xFEC00000u
#define SERIAL 0x3F8
#define POWER 0x600 /* sleep control, sleep status, reset, events */
#define PANIC 0x505
#define HOTPLUG 0x620
#define FAULT_GP 13
#define FAULT_PF 14

struct frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

uint64_t seed;
unsigned part;
static uint64_t idt[512], faults;

/* For long.S: no other processor runs, no interrupt comes. */
void other(unsigned number);
void interrupted(void);

void other(unsigned number)
{
	(void) number;
	for (;;)
		__asm__ volatile("hlt");
}

void interrupted(void)
{
}

void print(const char *s)
{
	for (; *s != '\0'; s++)
		out8(SERIAL, (uint8_t) *s);
}

void print_number(const char *name, uint64_t v)
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

__attribute__((noreturn)) static void turn_off(void)
{
	out8(POWER, 0x34);
	for (;;)
		__asm__ volatile("pause");
}

__attribute__((noreturn)) static void give_up(const char *why, uint64_t rip, uint64_t number)
{
	print("wrong:");
	print(why);
	print_number("at", rip);
	print_number("number", number);
	print("\n");
	turn_off();
}

/* rdmsr and wrmsr may fault, and are two bytes long */
__attribute__((interrupt)) static void on_gp(struct frame *f, uint64_t code)
{
	const uint8_t *p = (const uint8_t *) f->rip;

	if (p[0] != 0x0F || (p[1] != 0x30 && p[1] != 0x32))
		give_up(" general protection", f->rip, code);
	f->rip += 2;
	faults++;
}

__attribute__((interrupt)) static void on_page_fault(struct frame *f, uint64_t code)
{
	give_up(" page fault", f->rip, code);
}

__attribute__((interrupt)) static void on_other(struct frame *f)
{
	give_up(" exception", f->rip, 0);
}

static void set_gate(unsigned vector, uint64_t at)
{
	idt[vector * 2] = (at & 0xFFFF) | 8 << 16 | 0x8E00ull << 32 | (at >> 16 & 0xFFFF) << 48;
	idt[vector * 2 + 1] = at >> 32;
}

static void catch_faults(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (uintptr_t) idt };

	for (unsigned vector = 0; vector < 32; vector++)
		set_gate(vector, (uintptr_t) on_other);
	set_gate(FAULT_GP, (uintptr_t) on_gp);
	set_gate(FAULT_PF, (uintptr_t) on_page_fault);
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

void access_any(uintptr_t at)
{
	switch (below(8)) {
	case 0:
		write8(at, (uint8_t) any());
		break;
	case 1:
		write16(at, (uint16_t) any());
		break;
	case 2:
		write32(at, any());
		break;
	case 3:
		*(volatile uint64_t *) at = any64();
		break;
	case 4:
		(void) read8(at);
		break;
	case 5:
		(void) read16(at);
		break;
	case 6:
		(void) read32(at);
		break;
	default:
		(void) *(volatile uint64_t *) at;
	}
}

/* Ports whose writes end the machine, or stop what is printed */
static bool is_deadly(uint16_t port)
{
	return port <= 0x64 && port >= 0x61 ? true : (port >= PANIC - 3 && port <= PANIC) || (port >= POWER - 3 && port <= POWER + 2);
}

static void strings(uint16_t port)
{
	void *at = (void *) (uintptr_t) ARENA;
	uint64_t n = below(300);

	if (once_in(2))
		__asm__ volatile("rep insb" : "+D"(at), "+c"(n) : "d"(port) : "memory");
	else if (once_in(2))
		__asm__ volatile("rep insl" : "+D"(at), "+c"(n) : "d"(port) : "memory");
	else if (!is_deadly(port) && once_in(2))
		__asm__ volatile("rep outsb" : "+S"(at), "+c"(n) : "d"(port) : "memory");
	else if (!is_deadly(port))
		__asm__ volatile("rep outsw" : "+S"(at), "+c"(n) : "d"(port) : "memory");
}

static void access_port(uint16_t port)
{
	uint32_t v = any();

	if (once_in(40)) {
		strings(port);
		return;
	}
	if (once_in(2)) {
		__asm__ volatile("inb %1, %%al" : "+a"(v) : "d"(port));
		__asm__ volatile("inw %1, %%ax" : "+a"(v) : "d"(port));
		__asm__ volatile("inl %1, %%eax" : "+a"(v) : "d"(port));
	} else if (!is_deadly(port)) {
		if (once_in(2))
			out8(port, (uint8_t) v);
		else if (once_in(2))
			__asm__ volatile("outw %%ax, %1" : : "a"(v), "d"(port));
		else
			__asm__ volatile("outl %0, %1" : : "a"(v), "d"(port));
	}
}

static void legacy(void)
{
	/* serial port, clock, keyboard controller, timers and interrupt controllers that may not be there, PCI's ports, ... */
	static const uint16_t first[] = { SERIAL, 0x70, 0x60, 0x20, 0xA0, 0x40, 0x80, 0xCF8, 0x2F8, POWER, PANIC, HOTPLUG, 0x4D0, 0x92, 0xB2 };

	for (unsigned i = 0; i < 6000 / part; i++)
		access_port((uint16_t) (first[below(sizeof(first) / sizeof(first[0]))] + below(12)));
	for (unsigned i = 0; i < 3000 / part; i++)
		access_port((uint16_t) any());
	/* the keyboard controller's commands, but for those that pull the reset line */
	for (unsigned v = 0; v < 0xF0; v++) {
		out8(0x64, (uint8_t) v);
		out8(0x60, (uint8_t) any());
	}
	/* sleep states that are not off, and no reset */
	for (unsigned v = 0; v < 256; v++) {
		if ((v & 0x20) == 0 || (v >> 2 & 7) != 5)
			out8(POWER, (uint8_t) v);
		if (v != 1)
			out8(POWER + 2, (uint8_t) v);
		if ((v & 1) == 0)
			out8(PANIC, (uint8_t) v);
	}
	out8(SERIAL + 3, 3);
	out8(SERIAL + 1, 0);
	out8(SERIAL + 4, 0);
	print("ports\n");
}

static void controllers(void)
{
	for (unsigned i = 0; i < 4000 / part; i++) {
		uintptr_t at = below(0x1000);

		if (at >= 0x2F0 && at < 0x400) /* what sends interrupts or decides how they come */
			(void) read32(LAPIC + (at & ~3u));
		else
			access_any(LAPIC + at);
	}
	for (unsigned i = 0; i < 4000 / part; i++) {
		access_any(IOAPIC + 0x20 + below(0xFC0));
		write32(IOAPIC, once_in(3) ? any() : below(0x50));
		if (once_in(2))
			write32(IOAPIC + 0x10, any() & ~0x700u); /* fixed */
		else
			access_any(IOAPIC + below(0x10));
		(void) read32(IOAPIC + 0x10);
	}
	for (uint32_t line = 0; line < 24; line++) { /* as before */
		write32(IOAPIC, 0x10 + line * 2);
		write32(IOAPIC + 0x10, 0x10000);
	}
	print("interrupt controllers\n");
}

static void msr(uint32_t number)
{
	uint32_t a = any(), d = any();

	__asm__ volatile("rdmsr" : "+a"(a), "+d"(d) : "c"(number));
	if (number == 0xC0000080 || number == 0x1B || number == 0x10) /* what this program stands on */
		return;
	/* addresses are far behind the memory, for those in which the guest is told something */
	__asm__ volatile("wrmsr" : : "a"(a | 1), "d"(d | 0x100), "c"(number));
}

static void msrs(void)
{
	for (uint32_t i = 0; i < 0x1000; i++)
		msr(i);
	for (uint32_t i = 0; i < 0x400; i++) {
		msr(0xC0000000 + i);
		msr(0xC0010000 + i);
		msr(0x40000000 + i);
		msr(0x4B564D00 + i);
		msr(any());
	}
	print("registers:");
	print_number("faults", faults);
	print("\n");
}

/* Addresses of a device, moved over memory, other devices, and to the end of what can be addressed */
static void move(uintptr_t config)
{
	static const uint32_t to[] = { 0, 0x100000, ARENA, ECAM, ECAM + 0x100000, 0xC0000000, 0xC0008000, 0xFEC00000, 0xFEE00000,
				       0xFEBF8000, 0xFFFF8000, 0xFFFFFFFF };
	uint32_t bar[6], command = read32(config + 4);

	for (unsigned i = 0; i < 6; i++)
		bar[i] = read32(config + 0x10 + i * 4);
	for (unsigned n = 0; n < 40 / part; n++) {
		write32(config + 0x10 + below(6) * 4, once_in(4) ? any() : to[below(sizeof(to) / sizeof(to[0]))]);
		if (once_in(3))
			write16(config + 4, (uint16_t) any());
	}
	write16(config + 4, 0);
	for (unsigned i = 0; i < 6; i++)
		write32(config + 0x10 + i * 4, bar[i]);
	write32(config + 4, command);
}

static void configuration(void)
{
	for (unsigned i = 0; i < 20000 / part; i++)
		access_any(ECAM + SLOTS * 0x8000 + below(0x100000 - SLOTS * 0x8000 - 8)); /* nobody is there */
	for (uintptr_t slot = 0; slot < SLOTS; slot++) {
		uintptr_t config = ECAM + (slot << 15);
		uint32_t bar[6], command = read32(config + 4);

		for (unsigned i = 0; i < 6; i++)
			bar[i] = read32(config + 0x10 + i * 4);
		for (unsigned i = 0; i < 1500 / part; i++)
			access_any(config + (once_in(4) ? below(0x8000 - 8) : below(0x100)));
		move(config);
		write16(config + 4, 0);
		for (unsigned i = 0; i < 6; i++)
			write32(config + 0x10 + i * 4, bar[i]);
		write32(config + 4, command);
	}
	print("configuration\n");
}

int main(int letter)
{
	unsigned devices = 0;

	seed = (uint64_t) letter;
	part = letter >= 'A' ? 10 : 1;
	catch_faults();
	legacy();
	controllers();
	msrs();
	configuration();
	for (unsigned slot = 1; slot < SLOTS; slot++) {
		uintptr_t config = ECAM + (slot << 15);

		if (read16(config) != 0x1AF4)
			continue;
		attack_rings(config, slot);
		devices++;
	}
	configuration();
	legacy();
	print("DONE");
	print_number("devices", devices);
	print("\n");
	turn_off();
}

// SPDX-License-Identifier: MIT
/*
 * What this host's KVM tells of a guest that is debugged, without any code of ours: a guest of a few instructions in real
 * mode is to be stopped by a single step, INT3, a break of the processor at an instruction, and one at data that is written.
 * Prints a line for each: "step host", or "step guest" when the guest got the exception instead, or "step nobody".
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define MEMORY 0x10000u
#define CODE 0x1000u
#define HANDLER 0x2000u
#define DATA 0x3000u
#define PORT_HANDLER 0x99
#define PORT_END 0x9A
#define EXITS_MAX 100

/* What a debugger sets; KVM_GUESTDBG_ENABLE comes with all of them. */
static const struct kind {
	const char *name;
	uint32_t control;
	uint64_t address, dr7;
} kinds[] = {
	{ "step", KVM_GUESTDBG_SINGLESTEP, 0, 0 },
	{ "int3", KVM_GUESTDBG_USE_SW_BP, 0, 0 },
	{ "execute", KVM_GUESTDBG_USE_HW_BP, CODE + 3, 0x402 },
	{ "write", KVM_GUESTDBG_USE_HW_BP, DATA, 0x402 | 0xDull << 16 },
};

static const uint8_t code[] = {
	0xB8, 0x34, 0x12, /* mov $0x1234, %ax */
	0x43, /* inc %bx */
	0xA3, DATA & 0xFF, DATA >> 8, /* mov %ax, DATA */
	0xCC, /* int3 */
	0xE6, PORT_END, /* out %al, $PORT_END */
	0xF4,
};
static const uint8_t handler[] = { 0xE6, PORT_HANDLER, 0xCF }; /* out %al, $PORT_HANDLER; iret */

static void set_up(uint8_t *memory)
{
	memset(memory, 0, MEMORY);
	memcpy(memory + CODE, code, sizeof(code));
	memcpy(memory + HANDLER, handler, sizeof(handler));
	for (unsigned vector = 0; vector < 32; vector++)
		memory[vector * 4 + 1] = HANDLER >> 8;
}

static int vcpu_of(int kvm, uint8_t *memory, struct kvm_run **run)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY, .userspace_addr = (uintptr_t) memory };
	struct kvm_regs regs = { .rip = CODE, .rsp = 0x8000, .rflags = 2 };
	struct kvm_sregs s;
	int vm = ioctl(kvm, KVM_CREATE_VM, 0), vcpu, size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (vm < 0 || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		err(1, "make a machine");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0 || ioctl(vcpu, KVM_GET_SREGS, &s) < 0)
		err(1, "make a processor");
	s.cs.base = s.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &s) < 0 || ioctl(vcpu, KVM_SET_REGS, &regs) < 0)
		err(1, "set registers");
	*run = mmap(NULL, (size_t) size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (*run == MAP_FAILED)
		err(1, "map a processor");
	return vcpu;
}

static const char *who(int kvm, uint8_t *memory, const struct kind *kind)
{
	struct kvm_guest_debug d = { .control = KVM_GUESTDBG_ENABLE | kind->control };
	struct kvm_run *run;
	int vcpu;

	set_up(memory);
	if (strcmp(kind->name, "int3") != 0)
		memory[CODE + 7] = 0x90;
	vcpu = vcpu_of(kvm, memory, &run);
	d.arch.debugreg[0] = kind->address;
	d.arch.debugreg[7] = kind->dr7;
	if (ioctl(vcpu, KVM_SET_GUEST_DEBUG, &d) < 0)
		return "refused";
	for (int i = 0; i < EXITS_MAX; i++) {
		if (ioctl(vcpu, KVM_RUN, 0) < 0)
			return "error";
		if (run->exit_reason == KVM_EXIT_DEBUG)
			return "host";
		if (run->exit_reason != KVM_EXIT_IO)
			return "error";
		if (run->io.port == PORT_HANDLER)
			return "guest";
		if (run->io.port == PORT_END)
			return "nobody";
	}
	return "error";
}

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	uint8_t *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (kvm < 0 || memory == MAP_FAILED)
		err(1, "open /dev/kvm");
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		printf("%s %s\n", kinds[i].name, who(kvm, memory, &kinds[i]));
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * The host's processor as the oracle: an instruction runs in this process, and a signal ends it.
 */
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "vmm/accel/soft/differ/state.h"

#define COMPONENTS 0xE7u /* x87, SSE, AVX, AVX-512 */
#define AREA_SIZE 16384
#define HEADER 512
#define STATUS_AND_USER 0x244CD5u /* RFLAGS that user code may change, less TF */

/** struct differ_frame - what differ_enter() in enter.S loads; it knows the offsets */
struct differ_frame {
	uint64_t host_rsp, target, flags, area, components;
	uint64_t reg[16];
};

_Static_assert(offsetof(struct differ_frame, reg) == 40, "enter.S knows it");

void differ_enter(struct differ_frame *f);
extern const uint8_t differ_leave[];

/* What runs now, for the signal handler. */
static struct differ_frame frame;
static struct differ_state *running;
static uint64_t components;
static _Alignas(64) uint8_t area[AREA_SIZE];

/* By XCR0's bit: where the component is in struct differ_state, and at the host */
static struct {
	uint32_t at, size, host;
} layout[8] = { [2] = { 576, 256, 0 }, [5] = { 1088, 64, 0 }, [6] = { 1152, 512, 0 }, [7] = { 1664, 1024, 0 } };

static bool is_zero(const uint8_t *p, size_t size)
{
	return p[0] == 0 && memcmp(p, p + 1, size - 1) == 0;
}

static void put_state(const struct differ_state *s)
{
	static const uint8_t x87[24] = { 0x7F, 0x03 };
	uint64_t have = 0;

	memset(area, 0, sizeof(area));
	if (memcmp(s->xsave, x87, sizeof(x87)) != 0 || !is_zero(s->xsave + 32, 128))
		have |= 1;
	if (!is_zero(s->xsave + 160, 256))
		have |= 2;
	memcpy(area, s->xsave, 416);
	for (unsigned n = 2; n < 8; n++)
		if (components >> n & 1 && !is_zero(s->xsave + layout[n].at, layout[n].size)) {
			memcpy(area + layout[n].host, s->xsave + layout[n].at, layout[n].size);
			have |= 1ull << n;
		}
	memcpy(area + HEADER, &have, 8);
}

static void get_state(const uint8_t *from, struct differ_state *s)
{
	uint64_t have;

	memcpy(&have, from + HEADER, 8);
	memset(s->xsave, 0, 24);
	s->xsave[0] = 0x7F;
	s->xsave[1] = 0x03;
	memset(s->xsave + 32, 0, sizeof(s->xsave) - 32);
	memcpy(s->xsave + 24, from + 24, 4);
	if (have & 1) {
		memcpy(s->xsave, from, 24);
		memcpy(s->xsave + 32, from + 32, 128);
	}
	if (have & 2)
		memcpy(s->xsave + 160, from + 160, 256);
	for (unsigned n = 2; n < 8; n++)
		if (have & components & 1ull << n)
			memcpy(s->xsave + layout[n].at, from + layout[n].host, layout[n].size);
}

/* The state in which the program goes on. */
static void reset_state(uint8_t *fp)
{
	uint16_t control = 0x37F;
	uint32_t mxcsr = 0x1F80;

	memset(fp, 0, 24);
	memcpy(fp, &control, 2);
	memcpy(fp + 24, &mxcsr, 4);
}

static const int greg_of[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
				 REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	greg_t *g = u->uc_mcontext.gregs;
	struct differ_state *s = running;

	(void) info;
	if (s == NULL) { /* not ours: it happens again and ends the program */
		(void) signal(sig, SIG_DFL);
		return;
	}
	running = NULL;
	for (unsigned n = 0; n < 16; n++)
		s->reg[n] = (uint64_t) g[greg_of[n]];
	s->rip = (uint64_t) g[REG_RIP];
	s->flags = (uint64_t) g[REG_EFL];
	s->vector = (uint32_t) g[REG_TRAPNO];
	s->code = (uint32_t) g[REG_ERR];
	s->addr = s->vector == 14 ? (uint64_t) g[REG_CR2] : 0;
	get_state((const uint8_t *) u->uc_mcontext.fpregs, s);
	reset_state((uint8_t *) u->uc_mcontext.fpregs);
	g[REG_RSP] = (greg_t) frame.host_rsp;
	g[REG_RIP] = (greg_t) (uintptr_t) differ_leave;
	g[REG_EFL] = 2;
}

void differ_native(struct differ_state *s)
{
	uint64_t gs = 0; /* the translator's */

	put_state(s);
	frame.target = s->rip;
	frame.flags = (s->flags & STATUS_AND_USER) | 2;
	frame.area = (uint64_t) (uintptr_t) area;
	frame.components = components;
	memcpy(frame.reg, s->reg, sizeof(frame.reg));
	(void) syscall(SYS_arch_prctl, ARCH_GET_GS, &gs); /* valid arguments, as below */
	(void) syscall(SYS_arch_prctl, ARCH_SET_GS, 0);
	running = s;
	differ_enter(&frame);
	(void) syscall(SYS_arch_prctl, ARCH_SET_GS, gs);
}

static int map(int fd, uint64_t at, uint64_t offset, size_t size, int prot)
{
	void *p = mmap((void *) (uintptr_t) at, size, prot, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE, fd, (off_t) offset);

	return p == MAP_FAILED ? -errno : 0;
}

/* One file: the data, then the code; everything is writable at the address that is returned. */
static int map_memory(uint8_t **ret)
{
	size_t size = DIFFER_DATA_SIZE + DIFFER_CODE_SIZE, writable = DIFFER_DATA_WRITABLE;
	int fd = memfd_create("differ", MFD_CLOEXEC), rc = -errno;
	void *all = MAP_FAILED;

	if (fd < 0)
		return rc;
	if (ftruncate(fd, (off_t) size) == 0)
		all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	rc = all == MAP_FAILED ? -errno : map(fd, DIFFER_DATA, 0, writable, PROT_READ | PROT_WRITE);
	if (rc == 0)
		rc = map(fd, DIFFER_DATA + writable, writable, DIFFER_DATA_SIZE - writable, PROT_READ);
	if (rc == 0)
		rc = map(fd, DIFFER_CODE, DIFFER_DATA_SIZE, DIFFER_CODE_SIZE, PROT_READ | PROT_EXEC);
	(void) close(fd);
	*ret = all;
	return rc;
}

static void find_layout(void)
{
	uint32_t a, b, c, d;

	__cpuid_count(0xD, 0, a, b, c, d);
	components = a & COMPONENTS;
	if ((components & 0xE0) != 0xE0)
		components &= 7;
	for (unsigned n = 2; n < 8; n++)
		if (components >> n & 1) {
			__cpuid_count(0xD, n, a, b, c, d);
			layout[n].host = b;
		}
}

int differ_native_init(uint8_t **ret)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	static uint8_t signal_stack[65536];
	stack_t stack = { .ss_size = sizeof(signal_stack), .ss_sp = signal_stack };
	int rc = map_memory(ret);

	if (rc < 0)
		return rc;
	find_layout();
	(void) sigaltstack(&stack, NULL);
	for (unsigned n = 0; n < sizeof(signals) / sizeof(signals[0]); n++)
		if (sigaction(signals[n], &action, NULL) < 0)
			return -errno;
	return 0;
}

int differ_apart(int (*body)(bool translate), bool translate)
{
	int status;
	pid_t pid;

	(void) fflush(stdout);
	pid = fork();
	if (pid == 0)
		exit(body(translate));
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		return WEXITSTATUS(status);
	printf("not ok - it crashed\n");
	return 1;
}

/* SPDX-License-Identifier: MIT */
/*
 * How it works: what translated code does is the guest's, so a signal finds the guest's RSP in the
 * host's: handlers must run on the alternate stack.  SS_AUTODISARM makes the kernel start at
 * its top always, even when the guest's RSP happens to be a number inside of it.
 */
#include "vmm/accel/soft/translate/fault.h"

#include <asm/prctl.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALT_STACK (64u << 10) /* an AVX-512 signal frame is 3.5 KiB */

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

static __thread void *running;
static __thread void *stack;

static const int signals[] = { SIGFPE, SIGSEGV, SIGBUS, SIGILL };

/* What they did before: others run code that faults, too. */
static struct sigaction before[sizeof(signals) / sizeof(signals[0])];

/* Registers of a signal frame in the order of their encoding */
static const int greg[16] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static void others(int signo, siginfo_t *info, void *context)
{
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (signals[i] == signo && before[i].sa_flags & SA_SIGINFO) {
			before[i].sa_sigaction(signo, info, context);
			return;
		}
	}
	(void) signal(signo, SIG_DFL); /* happens again, and ends the program */
}

static void handler(int signo, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	greg_t *g = u->uc_mcontext.gregs;
	struct fault_frame f = { .pc = (uint64_t) g[REG_RIP], .flags = (uint64_t) g[REG_EFL] };

	for (unsigned r = 0; r < 16; r++)
		f.reg[r] = (uint64_t) g[greg[r]];
	if (running == NULL || !fault_resolve(running, &f)) {
		others(signo, info, context);
		return;
	}
	for (unsigned r = 0; r < 16; r++)
		g[greg[r]] = (greg_t) f.reg[r];
	g[REG_RIP] = (greg_t) f.pc;
}

int fault_init(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	static bool done;

	for (unsigned i = 0; !done && i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (sigaction(signals[i], &sa, &before[i]) < 0)
			return -errno;
	}
	done = true;
	return 0;
}

int fault_thread(void *gs)
{
	sigset_t open;

	if (running == gs)
		return 0;
	if (stack == NULL) {
		void *p = mmap(NULL, ALT_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		stack_t s = { .ss_sp = p, .ss_size = ALT_STACK, .ss_flags = (int) SS_AUTODISARM };

		if (p == MAP_FAILED || sigaltstack(&s, NULL) < 0)
			return -errno;
		stack = p;
	}
	(void) sigemptyset(&open);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void) sigaddset(&open, signals[i]);
	(void) pthread_sigmask(SIG_UNBLOCK, &open, NULL); /* valid arguments */
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, gs) < 0)
		return -errno;
	running = gs;
	return 0;
}

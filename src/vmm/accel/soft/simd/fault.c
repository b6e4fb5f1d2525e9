// SPDX-License-Identifier: MIT
/*
 * Signals of the host's processor that a cell causes.
 */
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

#include "vmm/accel/soft/simd/cells.h"

/* What other signals of the two kinds did before; written once. */
static struct sigaction before[2];

static void on_signal(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *) context)->uc_mcontext.gregs;
	uintptr_t pc = (uintptr_t) regs[REG_RIP];

	const struct sigaction *other = &before[sig == SIGILL];

	if (pc >= (uintptr_t) simd_cells && pc < (uintptr_t) simd_cells_end) {
		regs[REG_RAX] = sig == SIGFPE ? SIMD_EXCEPTION : SIMD_UNDEFINED;
		regs[REG_RIP] = (greg_t) (uintptr_t) simd_call_fault;
		return;
	}
	if (other->sa_flags & SA_SIGINFO)
		other->sa_sigaction(sig, info, context);
	else
		(void) sigaction(sig, other, NULL); /* it happens again */
}

static void init(void)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	(void) sigemptyset(&action.sa_mask);
	(void) sigaction(SIGFPE, &action, &before[0]);
	(void) sigaction(SIGILL, &action, &before[1]);
}

void simd_fault_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void) pthread_once(&once, init);
}

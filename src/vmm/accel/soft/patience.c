/* SPDX-License-Identifier: MIT */
#include "vmm/accel/soft/patience.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>

#define END_SIGNAL SIGRTMIN
#define LIMIT_S 10 /* a process that computes answers in a millisecond */

static void nothing(int signal)
{
	(void) signal;
}

void patience_prepare(void)
{
	struct sigaction action = { .sa_handler = nothing };

	(void) sigaction(END_SIGNAL, &action, NULL); /* valid arguments */
}

/* The signal comes while it waits and at no other time: none is missed. */
static void adopt_thread(struct patience *p)
{
	sigset_t set;

	(void) sigemptyset(&set);
	(void) sigaddset(&set, END_SIGNAL);
	(void) pthread_sigmask(SIG_BLOCK, &set, NULL); /* valid arguments */
	p->thread = pthread_self();
	__atomic_store_n(&p->known, true, __ATOMIC_SEQ_CST);
}

int patience_wait(struct patience *p, int fd, bool limited)
{
	const struct timespec limit = { .tv_sec = LIMIT_S };
	struct pollfd poll = { .fd = fd, .events = POLLIN };
	sigset_t open;
	int n;

	if (!limited && !p->known)
		adopt_thread(p);
	(void) sigfillset(&open); /* as in all threads of processors */
	(void) sigdelset(&open, END_SIGNAL);
	do {
		limited = limited || __atomic_load_n(&p->ended, __ATOMIC_SEQ_CST);
		n = ppoll(&poll, 1, limited ? &limit : NULL, &open);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		__atomic_store_n(&p->ended, false, __ATOMIC_SEQ_CST);
	return n > 0 ? 0 : n == 0 ? -ETIMEDOUT : -errno;
}

void patience_end(struct patience *p)
{
	__atomic_store_n(&p->ended, true, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&p->known, __ATOMIC_SEQ_CST))
		(void) pthread_kill(p->thread, END_SIGNAL); /* the thread lives as long as the processor */
}

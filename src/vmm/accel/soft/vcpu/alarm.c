/* SPDX-License-Identifier: MIT */
#include "vmm/accel/soft/vcpu/alarm.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#define ALARM_SIGNAL SIGRTMIN
#define NS_PER_S 1000000000ull

/* Signals without an alarm just interrupt. */
static void on_signal(int signal, siginfo_t *info, void *context)
{
	struct alarm *a = info->si_value.sival_ptr;

	(void) signal;
	(void) context;
	if (info->si_code != SI_TIMER)
		return;
	__atomic_store_n(&a->off, true, __ATOMIC_SEQ_CST);
	(void) __atomic_fetch_or(a->word, a->bits, __ATOMIC_SEQ_CST);
}

int alarm_init(struct alarm *a, uint32_t *word, uint32_t bits)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	sigset_t open;
	struct sigevent e = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = ALARM_SIGNAL };

	a->word = word;
	a->bits = bits;
	e.sigev_value.sival_ptr = a;
	e._sigev_un._tid = gettid();
	(void) sigemptyset(&open);
	(void) sigaddset(&open, ALARM_SIGNAL);
	(void) pthread_sigmask(SIG_UNBLOCK, &open, NULL); /* valid arguments */
	if (sigaction(ALARM_SIGNAL, &action, NULL) < 0 || timer_create(CLOCK_MONOTONIC, &e, &a->timer) < 0)
		return -errno;
	a->made = true;
	return 0;
}

void alarm_set(struct alarm *a, uint64_t ns)
{
	struct itimerspec t = { .it_value = { .tv_sec = (time_t) (ns / NS_PER_S), .tv_nsec = (long) (ns % NS_PER_S) } };

	__atomic_store_n(&a->off, false, __ATOMIC_SEQ_CST);
	if (a->made)
		(void) timer_settime(a->timer, 0, &t, NULL); /* valid arguments */
}

void alarm_fini(struct alarm *a)
{
	if (a->made)
		(void) timer_delete(a->timer); /* it exists */
	a->made = false;
}

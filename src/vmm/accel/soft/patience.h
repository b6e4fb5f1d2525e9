/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the process of a processor, which the guest may have taken over: as long as it likes while nobody
 * wants anything of it, and not for long when somebody does.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

/**
 * struct patience - of one waiting thread
 * @known: @thread is it; atomic
 * @ended: atomic: an answer is overdue from now on
 */
struct patience {
	pthread_t thread;
	bool known, ended;
};

/** patience_prepare() - of the whole program, before anybody waits and before its system calls are limited */
void patience_prepare(void);

/**
 * patience_wait() - wait until @fd can be read
 * @limited: not for long; else until patience_end(), and then not for long.  Always on the same thread
 * Return: 0; -ETIMEDOUT; -errno.
 */
int patience_wait(struct patience *p, int fd, bool limited);

/** patience_end() - an answer is wanted soon; any thread */
void patience_end(struct patience *p);

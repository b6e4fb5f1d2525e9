/* SPDX-License-Identifier: MIT */
/*
 * A clock that sets bits of a word, by a signal to the thread that made it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/**
 * struct alarm - one of them; zero-initialise to start
 * @word, @bits: what is set, atomically, when it goes off
 * @off: it went off since alarm_set(); atomic
 * @made: @timer exists
 */
struct alarm {
	uint32_t *word, bits;
	bool made, off;
	timer_t timer;
};

/**
 * alarm_init() - make it; system calls of the calling thread are interrupted when it goes off
 * @word: borrowed until alarm_fini()
 * Return: 0; -errno.
 */
int alarm_init(struct alarm *a, uint32_t *word, uint32_t bits);

/** alarm_set() - go off once, in @ns nanoseconds; 0: do not */
void alarm_set(struct alarm *a, uint64_t ns);

/** alarm_fini() - release */
void alarm_fini(struct alarm *a);

/* SPDX-License-Identifier: MIT */
/*
 * Breakpoints: INT3 in guest memory, and the processors' own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/accel/accel.h"

#define BREAKS_MAX 256 /* INT3 */

/**
 * struct breaks - all of them; zero-initialise to start
 * @sw: @nr_sw times INT3: linear and guest-physical address, and what was there
 * @hw: as struct accel_debug.at, @nr_hw of them
 * @changed: instructions in memory were changed; whoever tells the processors clears it
 */
struct breaks {
	unsigned nr_sw, nr_hw;
	bool changed;
	struct {
		uint64_t lin, gpa;
		uint8_t old;
	} sw[BREAKS_MAX];
	struct accel_break hw[ACCEL_BREAKS_MAX];
};

/**
 * breaks_add() - put INT3 at @lin, which is at @gpa and @host
 * Return: 0, also if it is there; -ENOSPC.
 */
int breaks_add(struct breaks *b, uint64_t lin, uint64_t gpa, uint8_t *host);

/** breaks_find() - index of the INT3 at @lin; -1: there is none */
int breaks_find(const struct breaks *b, uint64_t lin);

/** breaks_remove() - forget INT3 number @index; @host: where it is, NULL: nowhere any more */
void breaks_remove(struct breaks *b, unsigned index, uint8_t *host);

/** breaks_hide() - let @len bytes that were read from @gpa be as without INT3s */
void breaks_hide(const struct breaks *b, uint64_t gpa, uint8_t *data, uint64_t len);

/** breaks_keep() - @len bytes at @gpa and @host were written: INT3s stay, what they hide is new */
void breaks_keep(struct breaks *b, uint64_t gpa, uint8_t *host, uint64_t len);

/**
 * breaks_add_hw() - a break of the processors, or as many as its bytes need: each covers 1, 2, 4 or 8 that are aligned
 * Return: 0, also if it is there; -EINVAL no bytes, or more than all cover; -ENOSPC.
 */
int breaks_add_hw(struct breaks *b, uint64_t lin, enum accel_break_kind kind, uint64_t len);

/** breaks_remove_hw() - forget it; nothing if there is none */
void breaks_remove_hw(struct breaks *b, uint64_t lin, enum accel_break_kind kind, uint64_t len);

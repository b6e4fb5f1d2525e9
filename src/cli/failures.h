/* SPDX-License-Identifier: MIT */
#pragma once

struct err;

/**
 * struct failures - of a verb that goes on after one
 * All but the last are printed as they happen; that one is left for main() to print.
 *
 * @result: of the last one, 0 while there is none
 * @err: its message; the verb's own, set before the first failures_note()
 */
struct failures {
	int result;
	struct err *err;
};

/** failures_note() - @r is -errno, @why its message; copied */
void failures_note(struct failures *f, int r, const struct err *why);

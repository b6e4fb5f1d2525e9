/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct engine;
struct err;

/**
 * struct eng_check - how to look for damage and for what was left behind
 * @quick: without digests and without comparing layers with their archives
 * @repair: put right what can be put right; a writable layer or a volume is never removed
 * @force: also remove images that stay damaged and that no instance was made from
 * @found: something is wrong; @action: what was done about it, NULL nothing
 */
struct eng_check {
	bool quick, repair, force;
	void (*found)(void *data, const char *text, const char *action);
	void *data;
};

/** eng_check() - look at everything; 0, also when something is wrong; -errno with a message */
int eng_check(struct engine *e, const struct eng_check *c, struct err *err);

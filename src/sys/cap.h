/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/** struct cap_sets - the capability sets of a thread that capset(2) changes; bit n = capability n */
struct cap_sets {
	uint64_t effective, permitted, inheritable;
};

/**
 * cap_from_name() - number of a capability
 * @name: as in capabilities(7), "CAP_CHOWN"; case matters
 * Return: number; -ENOENT unknown name.
 */
int cap_from_name(const char *name);

/** cap_name() - name of a capability, "CAP_CHOWN"; NULL for a number without one */
const char *cap_name(int cap);

/** cap_last() - highest number that cap_name() knows; a kernel may know fewer or more */
int cap_last(void);

/**
 * cap_get() - sets of the calling thread
 * Return: 0; -errno of capget(2).
 */
int cap_get(struct cap_sets *ret);

/**
 * cap_set() - change the sets of the calling thread
 * Return: 0; -errno of capset(2).
 */
int cap_set(const struct cap_sets *sets);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct err;

#define CPULIST_MAX 65536 /* highest CPU or NUMA node number that a list may name */

/** struct cpulist - a set of CPUs or NUMA nodes in the form of cpu_set_t and of node masks */
struct cpulist {
	unsigned long bits[CPULIST_MAX / (8 * sizeof(unsigned long)) + 1];
	size_t count; /* members */
	unsigned highest;
};

/**
 * cpulist_parse() - read a list such as "0-3,7"
 * @text: borrows; spaces around elements and empty elements are fine, an empty set is not
 * @ret: returns
 *
 * Return: 0; -EINVAL with a message naming the element.
 */
int cpulist_parse(const char *text, struct cpulist *ret, struct err *err);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct accel_regs;

/** walk_memory - host address of @len bytes of guest memory at @gpa, NULL: they are not there */
typedef uint8_t *walk_memory(void *arg, uint64_t gpa, uint64_t len);

/**
 * walk() - where a linear address is, by the page tables that the registers lead to
 * @arg: for @memory
 * @ret: guest-physical address
 *
 * Nothing is marked as accessed, and rights are not looked at.
 * Return: 0; -EFAULT it is not mapped, or its tables are not in memory.
 * Spec: Intel SDM volume 3, 4.3 to 4.5.
 */
int walk(const struct accel_regs *regs, walk_memory *memory, void *arg, uint64_t lin, uint64_t *ret);

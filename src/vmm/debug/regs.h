/* SPDX-License-Identifier: MIT */
/*
 * Registers as gdb numbers them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct accel_regs;
struct str;

/** regs_xml() - append the description that gives registers their numbers, gdb's "target.xml" */
void regs_xml(struct str *out);

/** regs_count() - how many there are */
unsigned regs_count(void);

/** regs_put() - append register @n as hexadecimal digits */
void regs_put(struct str *out, const struct accel_regs *r, unsigned n);

/**
 * regs_take() - register @n from hexadecimal digits at *@at, which moves behind them
 * Return: 0; -EINVAL too few digits; -EPERM it is another value of one that cannot be written (@at has moved).
 */
int regs_take(const char **at, struct accel_regs *r, unsigned n);

/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct vm;

/**
 * rtc_add() - a clock with battery-backed memory (MC146818, ports 0x70 and 0x71)
 * Tells the host's time in UTC.  It raises no interrupts.
 * Return: 0; -errno with a message.
 */
int rtc_add(struct vm *vm, struct err *err);

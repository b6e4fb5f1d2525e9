/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct vm;

/**
 * serial_add() - a 16550 as the first serial port (ports 0x3F8 to 0x3FF, interrupt 4)
 * @in: descriptor that is read for what the guest receives, -1 for none; borrowed
 * @out: where its output goes, -1 for nowhere; borrowed
 * Return: 0; -errno with a message.
 */
int serial_add(struct vm *vm, int in, int out, struct err *err);

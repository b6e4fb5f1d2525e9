/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct vm;

/**
 * i8042_add() - the line of a keyboard controller that resets the machine (port 0x64)
 * There is no keyboard: everything else reads as all ones, which tells drivers so.
 * Return: 0; -errno with a message.
 */
int i8042_add(struct vm *vm, struct err *err);

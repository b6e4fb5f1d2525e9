/* SPDX-License-Identifier: MIT */
/*
 * What devices are called at the control socket.
 */
#pragma once

struct err;
struct vm;

/** names_check() - a device that is to be added may have that name; NULL is fine: 0; -EINVAL with a message */
int names_check(const struct vm *vm, const char *id, struct err *err);

/** names_complete() - call devices that nobody named by their kind and a number */
void names_complete(struct vm *vm);

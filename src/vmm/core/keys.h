/* SPDX-License-Identifier: MIT */
/*
 * Keys of a terminal that are for us and not for the guest, which gets all others, also Control-C: those after Control-A.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vm;

#define KEYS_HELP "Control-A X ends the machine, Control-A Control-A is Control-A"

/** struct keys - @on: this is a terminal; @begun: the last key was Control-A */
struct keys {
	bool on, begun;
};

/** keys_init() - look whether what is typed comes from a terminal */
void keys_init(struct keys *k, int fd);

/**
 * keys_take() - take out what is for us
 * @data: @n bytes that were typed; without it afterwards
 * Context: any thread.
 * Return: how many are left.
 */
size_t keys_take(struct keys *k, struct vm *vm, uint8_t *data, size_t n);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define KEYS_MAX 16 /* keys of a sequence */

/**
 * struct keys - looks for a sequence of keys in what is typed
 * @n: length of the sequence, 0: nothing is looked for
 * @matched: keys of its beginning that were typed last; they are held back
 */
struct keys {
	unsigned n, matched;
	unsigned char sequence[KEYS_MAX];
};

/** keys_open() - @hex: two digits for each key; false when it is not that or over KEYS_MAX */
bool keys_open(struct keys *k, const char *hex);

/**
 * keys_filter() - take typed bytes
 * @to: room for @n + KEYS_MAX bytes: what is to be passed on
 * @ret_n: bytes of @to
 * Return: true when the sequence is complete; what was typed after it is dropped.
 */
bool keys_filter(struct keys *k, const char *data, size_t n, char *to, size_t *ret_n);

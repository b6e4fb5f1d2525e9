/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct str;

/** base64_add() - append @n bytes in base 64, padded (RFC 4648) */
void base64_add(struct str *s, const void *data, size_t n);

/**
 * base64_decode() - append what a text in base 64 stands for; padding may be missing
 * Return: 0; -EINVAL; -ENOMEM.
 */
int base64_decode(const char *text, struct str *ret);

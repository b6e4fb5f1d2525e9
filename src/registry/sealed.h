/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct err;
struct str;

/** reg_sealed_is() - true for the text of a private key that cosign has encrypted */
bool reg_sealed_is(const char *text);

/**
 * reg_sealed_open() - decrypt such a key
 * @name: for messages
 * @text: terminated
 * @password: NULL: nobody gave one
 * @ret: the key in DER (PKCS#8) is appended
 * Return: 0; -EACCES the password is wrong; -EINVAL; -ENOMEM; with a message.
 */
int reg_sealed_open(const char *name, const char *text, const char *password, struct str *ret, struct err *err);

/* SPDX-License-Identifier: MIT */
#pragma once

#include "engine/monitor/keys.h"

struct err;

#define CLI_KEYS_HEX_MAX (2 * KEYS_MAX + 1) /* bytes, terminated */

/**
 * cli_detach_keys() - read --detach-keys
 * @text: keys with commas between: one character, "ctrl-" and one of a-z @ [ \ ] ^ _, or "DEL"; NULL or
 *        "" for none
 * @ret: two hexadecimal digits for each
 * Return: 0; -EINVAL with a message.
 */
int cli_detach_keys(const char *text, char ret[CLI_KEYS_HEX_MAX], struct err *err);

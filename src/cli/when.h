/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct err;

/**
 * cli_when() - read a moment that a user typed, as of eng_log_time_parse()
 * @option: "--since", for the message
 * @ret: ns since 1970
 * Return: 0; -EINVAL with a message.
 */
int cli_when(const char *option, const char *text, int64_t *ret, struct err *err);

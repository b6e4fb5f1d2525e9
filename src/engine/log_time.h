/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * eng_log_time_rfc3339() - "2026-01-31T12:00:00.123456789Z", or with an offset such as +01:00
 * @text: @n bytes
 * @ret: ns since 1970
 * Return: 0; -EINVAL.
 */
int eng_log_time_rfc3339(const char *text, size_t n, int64_t *ret);

/**
 * eng_log_time_parse() - what a user types as a moment, as Docker reads it
 * @text: RFC 3339, also without offset (local time), seconds, minutes or time of day; seconds since 1970
 *        with a fraction; or how long ago, e.g. "90s", "1h30m"
 * @now: ns since 1970
 * @ret: ns since 1970
 * Return: 0; -EINVAL.
 */
int eng_log_time_parse(const char *text, int64_t now, int64_t *ret);

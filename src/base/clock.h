/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#define TIME_TEXT_MAX 64 /* bytes that fit every text of this header */

/** time_now_ns() - nanoseconds since 1970, UTC */
int64_t time_now_ns(void);

/** time_rfc3339() - "2026-01-31T12:00:00.123456789Z"; 0 becomes Docker's zero time */
void time_rfc3339(int64_t ns, char ret[TIME_TEXT_MAX]);

/** time_local() - "2026-01-31 13:00:00 +0100 CET", as Docker's lists print it */
void time_local(int64_t ns, char ret[TIME_TEXT_MAX]);

/** time_span() - a duration as Docker words it: "Less than a second", "2 minutes", "3 weeks" */
void time_span(int64_t ns, char ret[TIME_TEXT_MAX]);

/**
 * time_duration_parse() - "1h30m", "1.5s", "500ms", "0" to nanoseconds; h m s ms us ns
 * Return: 0; -EINVAL; -ERANGE over 292 years.
 */
int time_duration_parse(const char *text, uint64_t *ret);

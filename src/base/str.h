/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct str - a growing string
 * @p: terminated text, NULL while empty
 * @len: bytes without the terminator
 * @cap: bytes allocated
 * @failed: an append ran out of memory; later appends do nothing, check once at the end
 *
 * Zero-initialise; release with str_fini() or `_cleanup_(str_fini)`.
 */
struct str {
	char *p;
	size_t len, cap;
	bool failed;
};

/** str_add() - append @n bytes of @data */
void str_add(struct str *s, const void *data, size_t n);
/** str_puts() - append a terminated string */
void str_puts(struct str *s, const char *text);
/** str_printf() - append formatted text */
void str_printf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** str_json() - append @text as a quoted JSON string, invalid UTF-8 replaced by U+FFFD */
void str_json(struct str *s, const char *text);
/** str_fini() - release */
void str_fini(struct str *s);
/** str_steal() - the text as a heap string the caller frees; "" when empty, NULL after a failed append */
char *str_steal(struct str *s);

/** str_starts() - true when @s begins with @prefix */
bool str_starts(const char *s, const char *prefix);
/** str_plain() - replace what terminals obey by @by: control characters, also those of UTF-8 (U+0080 to U+009F) */
void str_plain(char *text, char by);
/** str_eq() - like strcmp() == 0 but NULL equals only NULL */
bool str_eq(const char *a, const char *b);

/**
 * str_to_u64() - whole string as unsigned decimal number
 * Return: 0; -EINVAL not a number; -ERANGE does not fit.
 */
int str_to_u64(const char *s, uint64_t *ret);

/** str_to_i64() - whole string as signed decimal number; codes as str_to_u64() */
int str_to_i64(const char *s, int64_t *ret);

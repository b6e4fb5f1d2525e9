/* SPDX-License-Identifier: MIT */
/*
 * JSON text, appended piece by piece.  A comma is put where one is needed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;
struct str;

/** json_open() - begin an object ('{') or list ('['); @key: NULL in a list and at the top */
void json_open(struct str *s, const char *key, char bracket);

/** json_close() - end it ('}' or ']') */
void json_close(struct str *s, char bracket);

/** json_text() - a string; NULL is null */
void json_text(struct str *s, const char *key, const char *value);

/** json_int() - a number */
void json_int(struct str *s, const char *key, int64_t value);

/** json_uint() - a number that is not negative */
void json_uint(struct str *s, const char *key, uint64_t value);

/** json_flag() - true or false */
void json_flag(struct str *s, const char *key, bool value);

/** json_raw() - a value that is JSON already */
void json_raw(struct str *s, const char *key, const char *value);

/** json_texts() - a list of @n strings */
void json_texts(struct str *s, const char *key, const char *const *v, size_t n);

/** json_pairs() - an object made of @n texts "NAME=VALUE" */
void json_pairs(struct str *s, const char *key, const char *const *v, size_t n);

/** json_value() - a value that was read; numbers of over 63 characters and strings at a zero byte are cut */
void json_value(struct str *s, const char *key, const struct json *v);

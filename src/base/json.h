/* SPDX-License-Identifier: MIT */
/*
 * JSON text as a tree, and typed access to it with messages that name the field:
 *   config.json: line 12 column 5: expected ',' or '}'
 *   config.json: mounts[3].destination: expected a string, got a number
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define JSON_NESTING_MAX 64 /* objects and arrays inside each other */
#define JSON_SIZE_MAX (64u << 20) /* bytes of a text */
#define JSON_PATH_MAX 512 /* bytes of a field path in a message, longer ones are cut */

struct err;

enum json_kind {
	JSON_KIND_NULL,
	JSON_KIND_BOOL,
	JSON_KIND_NUMBER,
	JSON_KIND_STRING,
	JSON_KIND_ARRAY,
	JSON_KIND_OBJECT,
};

/**
 * struct json - one value
 * @kind: what it is
 * @flag: JSON_KIND_BOOL: its value; JSON_KIND_NUMBER: it is an integer that fits @magnitude
 * @negative: JSON_KIND_NUMBER
 * @len: members, elements, or bytes of @text
 * @key_len: bytes of @key
 * @key: name in the object that holds it, terminated; NULL elsewhere
 * @up: object or array that holds it; NULL for the whole text
 * @next: following member or element
 * @first: first member or element
 * @text: JSON_KIND_STRING: terminated, may hold zero bytes; JSON_KIND_NUMBER: @len bytes as written
 * @magnitude: JSON_KIND_NUMBER without its sign
 */
struct json {
	enum json_kind kind;
	bool flag, negative;
	uint32_t len, key_len;
	const char *key;
	struct json *up, *next;
	union {
		struct json *first;
		char *text;
	};
	uint64_t magnitude;
};

/**
 * struct json_in - a text being read
 * @file: name used in messages
 * @strings: borrows; owns every string that the accessors return
 * @nodes: owns the tree
 * @root: the whole text
 * @err: where the first failure is told; may be NULL
 * @code: 0, or -errno of the first failure: accessors then do nothing and return "absent", so a
 *        reader can ask for all its fields and look at @code once
 */
struct json_in {
	const char *file;
	struct arena *strings;
	struct arena nodes;
	struct json *root;
	struct err *err;
	int code;
};

/**
 * json_parse() - read a whole text (RFC 8259)
 * @in: filled; release with json_fini(), also after a failure
 * @file: name for messages, must outlive @in
 * @strings: must outlive what is taken from @in
 * @text: @len bytes, must outlive @in
 *
 * Refuses invalid UTF-8, unpaired surrogates and nesting over JSON_NESTING_MAX.
 * Return: 0; -EINVAL with a message; -EFBIG over JSON_SIZE_MAX; -ENOMEM.
 */
int json_parse(struct json_in *in, const char *file, struct arena *strings, const char *text,
	       size_t len, struct err *err);

/** json_fini() - release the tree; strings stay */
void json_fini(struct json_in *in);

/**
 * json_fail() - refuse the text because of a value
 * @node: value the message names
 * @key: member of @node that it names instead, or NULL
 *
 * Only the first failure is kept.
 * Return: false, so that a check reads `return json_fail(...)`.
 */
bool json_fail(struct json_in *in, const struct json *node, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** json_nomem() - record that memory ran out; returns false */
bool json_nomem(struct json_in *in);

/**
 * json_get() - member of an object
 * A member that is null counts as absent; one that is given twice is refused.
 * Return: borrowed from @in; NULL when absent.
 */
const struct json *json_get(struct json_in *in, const struct json *obj, const char *key);

/** json_get_object() - member that must be an object; NULL when absent */
const struct json *json_get_object(struct json_in *in, const struct json *obj, const char *key);

/**
 * json_get_array() - member that must be an array
 * @max: elements
 * Return: NULL when absent or empty.
 */
const struct json *json_get_array(struct json_in *in, const struct json *obj, const char *key,
				  size_t max);

/**
 * json_get_str() - member that must be a string without zero bytes
 * Return: owned by in->strings; NULL when absent.
 */
char *json_get_str(struct json_in *in, const struct json *obj, const char *key);

/** json_get_bool() - member that must be true or false; @fallback when absent */
bool json_get_bool(struct json_in *in, const struct json *obj, const char *key, bool fallback);

/**
 * json_get_u64() - member that must be an integer from 0 to @max
 * @ret: untouched when absent
 * Return: true when given.
 */
bool json_get_u64(struct json_in *in, const struct json *obj, const char *key, uint64_t max,
		  uint64_t *ret);

/** json_get_u32() - as json_get_u64() with a maximum of UINT32_MAX */
bool json_get_u32(struct json_in *in, const struct json *obj, const char *key, uint32_t *ret);

/** json_get_i64() - member that must be an integer from @min to @max; as json_get_u64() */
bool json_get_i64(struct json_in *in, const struct json *obj, const char *key, int64_t min,
		  int64_t max, int64_t *ret);

/** json_need() - refuse @obj when @key is absent; false then */
bool json_need(struct json_in *in, const struct json *obj, const char *key);

/** json_to_object() - refuse a value that is not an object; false then */
bool json_to_object(struct json_in *in, const struct json *node);

/** json_to_str() - a value that must be a string without zero bytes; NULL after a failure */
char *json_to_str(struct json_in *in, const struct json *node);

/** json_to_u64() - a value that must be an integer from 0 to @max; false after a failure */
bool json_to_u64(struct json_in *in, const struct json *node, uint64_t max, uint64_t *ret);

/**
 * json_to_key() - name of a member, without zero bytes and not empty
 * Return: owned by in->strings; NULL after a failure.
 */
char *json_to_key(struct json_in *in, const struct json *node);

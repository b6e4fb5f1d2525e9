/* SPDX-License-Identifier: MIT */
/**
 * DOC: typed access to JSON
 *
 * A node knows its parent and its name; the path in a message is found by walking up, which costs
 * nothing as long as nothing fails.
 */
#include "base/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

/* What people read is one line and cannot steer their terminal, whatever strings it quotes */
static void make_printable(char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char) *s < 0x20 || *s == 0x7f)
			*s = '?';
	}
}

/* Write the path of node in front of end, walking up; returns where it starts */
static char *path_write(const struct json *node, char *start, char *end)
{
	for (; node != NULL && node->up != NULL; node = node->up) {
		char part[128];
		int n;

		if (node->up->kind == JSON_KIND_ARRAY) {
			size_t i = 0;

			for (const struct json *it = node->up->first; it != node; it = it->next)
				i++;
			n = snprintf(part, sizeof(part), "[%zu]%s", i, *end == '[' || *end == '\0' ? "" : ".");
		} else {
			n = snprintf(part, sizeof(part), "%.120s%s", node->key,
				     *end == '[' || *end == '\0' ? "" : ".");
		}
		if (n > end - start)
			break;
		end -= n;
		memcpy(end, part, (size_t) n);
	}
	return end;
}

bool json_fail(struct json_in *in, const struct json *node, const char *key, const char *fmt, ...)
{
	char path[JSON_PATH_MAX], what[512];
	char *end = path + sizeof(path) - 1;
	va_list ap;

	if (in->code < 0)
		return false;
	*end = '\0';
	if (key != NULL) {
		size_t n = strnlen(key, 64);

		end -= n;
		memcpy(end, key, n);
	}
	end = path_write(node, path, end);
	va_start(ap, fmt);
	(void) vsnprintf(what, sizeof(what), fmt, ap); /* cut is fine */
	va_end(ap);
	make_printable(end);
	make_printable(what);
	in->code = err_msg(in->err, -EINVAL, "%s: %s%s%s", in->file, end, *end != '\0' ? ": " : "",
			   what);
	return false;
}

bool json_nomem(struct json_in *in)
{
	if (in->code == 0)
		in->code = err_set(in->err, -ENOMEM, "read %s", in->file);
	return false;
}

static bool expect(struct json_in *in, const struct json *node, enum json_kind kind)
{
	static const char *const names[] = { "null",     "a boolean", "a number",
					     "a string", "an array",  "an object" };

	if (node->kind == kind)
		return true;
	return json_fail(in, node, NULL, "expected %s, got %s",
			 kind == JSON_KIND_NUMBER ? "an integer" : names[kind], names[node->kind]);
}

const struct json *json_get(struct json_in *in, const struct json *obj, const char *key)
{
	const size_t n = strlen(key);
	const struct json *hit = NULL;

	if (in->code < 0 || obj == NULL || obj->kind != JSON_KIND_OBJECT)
		return NULL;
	for (const struct json *it = obj->first; it != NULL; it = it->next) {
		if (it->key_len != n || memcmp(it->key, key, n) != 0)
			continue;
		if (hit != NULL) {
			(void) json_fail(in, it, NULL, "given twice"); /* kept in in->code */
			return NULL;
		}
		hit = it;
	}
	return hit == NULL || hit->kind == JSON_KIND_NULL ? NULL : hit;
}

const struct json *json_get_object(struct json_in *in, const struct json *obj, const char *key)
{
	const struct json *node = json_get(in, obj, key);

	return node != NULL && expect(in, node, JSON_KIND_OBJECT) ? node : NULL;
}

const struct json *json_get_array(struct json_in *in, const struct json *obj, const char *key,
				  size_t max)
{
	const struct json *node = json_get(in, obj, key);

	if (node == NULL || !expect(in, node, JSON_KIND_ARRAY) || node->len == 0)
		return NULL;
	if (node->len > max) {
		(void) json_fail(in, node, NULL, "%u elements are over the limit %zu", node->len, max);
		return NULL;
	}
	return node;
}

char *json_get_str(struct json_in *in, const struct json *obj, const char *key)
{
	const struct json *node = json_get(in, obj, key);

	return node != NULL ? json_to_str(in, node) : NULL;
}

bool json_get_bool(struct json_in *in, const struct json *obj, const char *key, bool fallback)
{
	const struct json *node = json_get(in, obj, key);

	return node != NULL && expect(in, node, JSON_KIND_BOOL) ? node->flag : fallback;
}

bool json_get_u64(struct json_in *in, const struct json *obj, const char *key, uint64_t max,
		  uint64_t *ret)
{
	const struct json *node = json_get(in, obj, key);

	return node != NULL && json_to_u64(in, node, max, ret);
}

bool json_get_u32(struct json_in *in, const struct json *obj, const char *key, uint32_t *ret)
{
	uint64_t v;

	if (!json_get_u64(in, obj, key, UINT32_MAX, &v))
		return false;
	*ret = (uint32_t) v;
	return true;
}

/* A number without fraction and exponent; one over 64 bits passes and has no flag */
static bool expect_integer(struct json_in *in, const struct json *node)
{
	if (!expect(in, node, JSON_KIND_NUMBER))
		return false;
	for (uint32_t i = 0; i < node->len && !node->flag; i++) {
		if (strchr(".eE", node->text[i]) == NULL)
			continue;
		return json_fail(in, node, NULL, "expected an integer, got %.*s",
				 (int) (node->len < 40 ? node->len : 40), node->text);
	}
	return true;
}

static bool out_of_range(struct json_in *in, const struct json *node, bool under, const char *limit)
{
	return json_fail(in, node, NULL, "%.*s is %s the limit %s",
			 (int) (node->len < 40 ? node->len : 40), node->text,
			 under ? "under" : "over", limit);
}

bool json_get_i64(struct json_in *in, const struct json *obj, const char *key, int64_t min,
		  int64_t max, int64_t *ret)
{
	const struct json *node = json_get(in, obj, key);
	char limit[24];
	int64_t v;
	bool fits;

	if (node == NULL || !expect_integer(in, node))
		return false;
	fits = node->flag && node->magnitude <= (uint64_t) INT64_MAX + node->negative;
	v = node->negative ? (int64_t) (0 - node->magnitude) : (int64_t) node->magnitude;
	if (fits && v >= min && v <= max) {
		*ret = v;
		return true;
	}
	(void) snprintf(limit, sizeof(limit), "%lld", (long long) (node->negative ? min : max));
	if (fits && !node->negative && v < min)
		(void) snprintf(limit, sizeof(limit), "%lld", (long long) min);
	return out_of_range(in, node, node->negative || (fits && v < min), limit);
}

bool json_need(struct json_in *in, const struct json *obj, const char *key)
{
	return in->code == 0 && (json_get(in, obj, key) != NULL ||
				 json_fail(in, obj, key, "missing"));
}

bool json_to_object(struct json_in *in, const struct json *node)
{
	return in->code == 0 && expect(in, node, JSON_KIND_OBJECT);
}

char *json_to_str(struct json_in *in, const struct json *node)
{
	if (in->code < 0 || !expect(in, node, JSON_KIND_STRING))
		return NULL;
	if (memchr(node->text, '\0', node->len) != NULL) {
		(void) json_fail(in, node, NULL, "contains null byte");
		return NULL;
	}
	return node->text;
}

bool json_to_u64(struct json_in *in, const struct json *node, uint64_t max, uint64_t *ret)
{
	char limit[24];

	if (in->code < 0 || !expect_integer(in, node))
		return false;
	if (node->flag && (!node->negative || node->magnitude == 0) && node->magnitude <= max) {
		*ret = node->magnitude;
		return true;
	}
	(void) snprintf(limit, sizeof(limit), "%llu", node->negative ? 0 : (unsigned long long) max);
	return out_of_range(in, node, node->negative, limit);
}

char *json_to_key(struct json_in *in, const struct json *node)
{
	if (in->code < 0)
		return NULL;
	if (node->key_len == 0 || memchr(node->key, '\0', node->key_len) != NULL) {
		(void) json_fail(in, node->up, NULL, "a name %s",
				 node->key_len == 0 ? "is empty" : "contains null byte");
		return NULL;
	}
	return (char *) node->key;
}

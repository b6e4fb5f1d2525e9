/* SPDX-License-Identifier: MIT */
#include "base/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"

static void begin(struct str *s, const char *key)
{
	if (s->len > 0 && strchr("{[:", s->p[s->len - 1]) == NULL)
		str_puts(s, ",");
	if (key != NULL) {
		str_json(s, key);
		str_puts(s, ":");
	}
}

void json_open(struct str *s, const char *key, char bracket)
{
	begin(s, key);
	str_add(s, &bracket, 1);
}

void json_close(struct str *s, char bracket)
{
	str_add(s, &bracket, 1);
}

void json_text(struct str *s, const char *key, const char *value)
{
	begin(s, key);
	if (value != NULL)
		str_json(s, value);
	else
		str_puts(s, "null");
}

void json_int(struct str *s, const char *key, int64_t value)
{
	begin(s, key);
	str_printf(s, "%" PRId64, value);
}

void json_uint(struct str *s, const char *key, uint64_t value)
{
	begin(s, key);
	str_printf(s, "%" PRIu64, value);
}

void json_flag(struct str *s, const char *key, bool value)
{
	begin(s, key);
	str_puts(s, value ? "true" : "false");
}

void json_raw(struct str *s, const char *key, const char *value)
{
	begin(s, key);
	str_puts(s, value);
}

void json_texts(struct str *s, const char *key, const char *const *v, size_t n)
{
	json_open(s, key, '[');
	for (size_t i = 0; i < n; i++)
		json_text(s, NULL, v[i]);
	json_close(s, ']');
}

void json_pairs(struct str *s, const char *key, const char *const *v, size_t n)
{
	json_open(s, key, '{');
	for (size_t i = 0; i < n; i++) {
		const char *value = strchr(v[i], '=');
		_cleanup_free_ char *name = strndup(v[i], strcspn(v[i], "="));

		s->failed = s->failed || name == NULL;
		if (name != NULL)
			json_text(s, name, value != NULL ? value + 1 : "");
	}
	json_close(s, '}');
}

void json_node(struct str *s, const char *key, const struct json *node)
{
	bool array = node->kind == JSON_KIND_ARRAY;

	switch (node->kind) {
	case JSON_KIND_NULL:
		json_raw(s, key, "null");
		break;
	case JSON_KIND_BOOL:
		json_flag(s, key, node->flag);
		break;
	case JSON_KIND_NUMBER:
		begin(s, key);
		str_add(s, node->text, node->len);
		break;
	case JSON_KIND_STRING:
		json_text(s, key, node->text);
		break;
	case JSON_KIND_ARRAY:
	case JSON_KIND_OBJECT:
		json_open(s, key, array ? '[' : '{');
		for (const struct json *m = node->first; m != NULL; m = m->next)
			json_node(s, array ? NULL : m->key, m);
		json_close(s, array ? ']' : '}');
		break;
	}
}

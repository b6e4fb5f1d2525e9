/* SPDX-License-Identifier: MIT */
/**
 * DOC: values of templates
 *
 * The data is JSON: an object prints as Go prints a map, "map[a:1 b:2]", a list as "[1 2]", null and
 * what is not there as "<no value>".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cli/format/template_parts.h"

struct tpl_value tpl_value_of(const struct json *node)
{
	if (node == NULL || node->kind == JSON_KIND_NULL)
		return (struct tpl_value) { .kind = TPL_NIL };
	if (node->kind == JSON_KIND_BOOL)
		return (struct tpl_value) { .kind = TPL_BOOL, .flag = node->flag };
	if (node->kind == JSON_KIND_STRING)
		return (struct tpl_value) { .kind = TPL_TEXT, .text = node->text };
	if (node->kind == JSON_KIND_NUMBER && node->flag && node->magnitude <= INT64_MAX)
		return (struct tpl_value) {
			.kind = TPL_INT,
			.number = node->negative ? -(int64_t) node->magnitude
						 : (int64_t) node->magnitude,
		};
	return (struct tpl_value) { .kind = TPL_NODE, .node = node };
}

bool tpl_true(const struct tpl_value *v)
{
	switch (v->kind) {
	case TPL_NIL:
		return false;
	case TPL_NODE:
		return v->node->kind == JSON_KIND_NUMBER || v->node->len != 0;
	case TPL_TEXT:
		return v->text[0] != '\0';
	case TPL_INT:
		return v->number != 0;
	case TPL_BOOL:
		return v->flag;
	case TPL_LIST:
		return v->n != 0;
	}
	return false;
}

int64_t tpl_len(const struct tpl_value *v)
{
	switch (v->kind) {
	case TPL_NODE:
		return v->node->kind == JSON_KIND_NUMBER ? -EINVAL : (int64_t) v->node->len;
	case TPL_TEXT:
		return (int64_t) strlen(v->text);
	case TPL_LIST:
		return (int64_t) v->n;
	case TPL_NIL: /* a map or list that is null */
		return 0;
	case TPL_INT:
	case TPL_BOOL:
		break;
	}
	return -EINVAL;
}

static int compare_members(const void *a, const void *b)
{
	return strcmp((*(const struct json *const *) a)->key, (*(const struct json *const *) b)->key);
}

/* Go's maps print by key. */
static void print_map(const struct json *node, struct str *ret)
{
	_cleanup_free_ const struct json **members = calloc((size_t) node->len + 1, sizeof(*members));
	size_t n = 0;

	if (members == NULL) {
		ret->failed = true;
		return;
	}
	for (const struct json *m = node->first; m != NULL; m = m->next)
		members[n++] = m;
	qsort(members, n, sizeof(*members), compare_members);
	str_puts(ret, "map[");
	for (size_t i = 0; i < n; i++) {
		struct tpl_value v = tpl_value_of(members[i]);

		str_printf(ret, "%s%s:", i > 0 ? " " : "", members[i]->key);
		tpl_print(&v, ret);
	}
	str_puts(ret, "]");
}

static void print_node(const struct json *node, struct str *ret)
{
	if (node->kind == JSON_KIND_NUMBER) {
		str_add(ret, node->text, node->len);
		return;
	}
	if (node->kind == JSON_KIND_OBJECT) {
		print_map(node, ret);
		return;
	}
	str_puts(ret, "[");
	for (const struct json *m = node->first; m != NULL; m = m->next) {
		struct tpl_value v = tpl_value_of(m);

		str_puts(ret, m != node->first ? " " : "");
		tpl_print(&v, ret);
	}
	str_puts(ret, "]");
}

void tpl_print(const struct tpl_value *v, struct str *ret)
{
	switch (v->kind) {
	case TPL_NIL:
		str_puts(ret, "<no value>");
		break;
	case TPL_NODE:
		print_node(v->node, ret);
		break;
	case TPL_TEXT:
		str_puts(ret, v->text);
		break;
	case TPL_INT:
		str_printf(ret, "%lld", (long long) v->number);
		break;
	case TPL_BOOL:
		str_puts(ret, v->flag ? "true" : "false");
		break;
	case TPL_LIST:
		str_puts(ret, "[");
		for (size_t i = 0; i < v->n; i++) {
			str_puts(ret, i > 0 ? " " : "");
			tpl_print(&v->list[i], ret);
		}
		str_puts(ret, "]");
		break;
	}
}

void tpl_json(const struct tpl_value *v, struct str *ret)
{
	if (v->kind == TPL_NODE)
		json_node(ret, NULL, v->node);
	else if (v->kind == TPL_TEXT)
		str_json(ret, v->text);
	else if (v->kind == TPL_NIL)
		str_puts(ret, "null");
	else if (v->kind == TPL_LIST) {
		str_puts(ret, "[");
		for (size_t i = 0; i < v->n; i++) {
			str_puts(ret, i > 0 ? "," : "");
			tpl_json(&v->list[i], ret);
		}
		str_puts(ret, "]");
	} else
		tpl_print(v, ret);
}

static int index_list(const struct tpl_value *v, int64_t at, struct tpl_value *ret, struct err *err)
{
	const struct json *m;

	if (at < 0 || at >= tpl_len(v))
		return err_msg(err, -EINVAL, "index out of range: %lld", (long long) at);
	if (v->kind == TPL_LIST) {
		*ret = v->list[at];
		return 0;
	}
	for (m = v->node->first; at > 0; at--)
		m = m->next;
	*ret = tpl_value_of(m);
	return 0;
}

/* Go's map of strings has "" for what is not there. */
static struct tpl_value index_map(const struct json *map, const char *key)
{
	bool texts = true;

	for (const struct json *m = map->first; m != NULL; m = m->next) {
		texts = texts && m->kind == JSON_KIND_STRING;
		if (strcmp(m->key, key) == 0)
			return tpl_value_of(m);
	}
	return texts ? (struct tpl_value) { .kind = TPL_TEXT, .text = "" }
		     : (struct tpl_value) { .kind = TPL_NIL };
}

/* By its name, or else without regard to case: Go's fields are {{.ID}} where the JSON says "Id". */
static const struct json *member(const struct json *object, const char *name)
{
	for (const struct json *m = object->first; m != NULL; m = m->next)
		if (strcmp(m->key, name) == 0)
			return m;
	for (const struct json *m = object->first; m != NULL; m = m->next)
		if (strcasecmp(m->key, name) == 0)
			return m;
	return NULL;
}

int tpl_field(const struct tpl_value *of, const char *name, struct tpl_value *ret)
{
	if (of->kind != TPL_NIL && (of->kind != TPL_NODE || of->node->kind != JSON_KIND_OBJECT))
		return -EINVAL;
	const struct json *found = of->kind == TPL_NODE ? member(of->node, name) : NULL;

	*ret = tpl_value_of(found);
	return of->kind == TPL_NODE && found == NULL ? -ENOENT : 0;
}

int tpl_index(const struct tpl_value *v, const struct tpl_value *key, struct tpl_value *ret,
	      struct err *err)
{
	*ret = (struct tpl_value) { .kind = TPL_NIL };
	if (v->kind == TPL_NIL)
		return 0;
	if (v->kind == TPL_NODE && v->node->kind == JSON_KIND_OBJECT && key->kind == TPL_TEXT) {
		*ret = index_map(v->node, key->text);
		return 0;
	}
	if (key->kind == TPL_INT &&
	    (v->kind == TPL_LIST || (v->kind == TPL_NODE && v->node->kind == JSON_KIND_ARRAY)))
		return index_list(v, key->number, ret, err);
	return err_msg(err, -EINVAL, "cannot index this value by that key");
}

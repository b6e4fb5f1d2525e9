/* SPDX-License-Identifier: MIT */
#include "cli/format/pretty.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/str.h"

static void indent(unsigned level, struct str *ret)
{
	str_printf(ret, "\n%*s", (int) level * 4, "");
}

static void print(const struct json *node, unsigned level, struct str *ret)
{
	_cleanup_(str_fini) struct str scalar = { 0 };
	bool array = node->kind == JSON_KIND_ARRAY;

	if (node->kind != JSON_KIND_OBJECT && !array) {
		json_node(&scalar, NULL, node); /* alone: there is a blank, and no comma, before it */
		str_add(ret, scalar.p, scalar.len);
		ret->failed |= scalar.failed;
		return;
	}
	if (node->first == NULL) {
		str_puts(ret, array ? "[]" : "{}");
		return;
	}
	str_puts(ret, array ? "[" : "{");
	for (const struct json *m = node->first; m != NULL; m = m->next) {
		str_puts(ret, m != node->first ? "," : "");
		indent(level + 1, ret);
		if (!array) {
			str_json(ret, m->key);
			str_puts(ret, ": ");
		}
		print(m, level + 1, ret);
	}
	indent(level, ret);
	str_puts(ret, array ? "]" : "}");
}

void json_pretty(const struct json *node, struct str *ret)
{
	print(node, 0, ret);
}

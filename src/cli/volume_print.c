/* SPDX-License-Identifier: MIT */
#include "cli/volume_print.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/str.h"
#include "cli/filter.h"
#include "engine/config.h"

static void pairs_json(const struct img_words *list, const char *indent, struct str *ret)
{
	_cleanup_(arena_fini) struct arena a = { 0 };

	if (list->n == 0) {
		str_puts(ret, "null");
		return;
	}
	for (size_t i = 0; i < list->n; i++) {
		const char *value = strchr(list->v[i], '=');
		char *name = arena_strndup(&a, list->v[i], strcspn(list->v[i], "="));

		str_printf(ret, "%s\n%s        ", i > 0 ? "," : "{", indent);
		str_json(ret, name != NULL ? name : "");
		str_puts(ret, ": ");
		str_json(ret, value != NULL ? value + 1 : "");
		ret->failed = ret->failed || name == NULL;
	}
	str_printf(ret, "\n%s    }", indent);
}

void volume_json(const struct engine *e, const struct eng_volume *v, const char *indent,
		 struct str *ret)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	const char *path = eng_volume_path(e, v->name, &a);
	char created[TIME_TEXT_MAX];

	time_rfc3339(v->created, created);
	str_printf(ret, "%s{\n%s    \"CreatedAt\": \"%s\",\n%s    \"Driver\": \"local\",\n", indent,
		   indent, created, indent);
	str_printf(ret, "%s    \"Labels\": ", indent);
	pairs_json(&v->labels, indent, ret);
	str_printf(ret, ",\n%s    \"Mountpoint\": ", indent);
	str_json(ret, path != NULL ? path : "");
	str_printf(ret, ",\n%s    \"Name\": ", indent);
	str_json(ret, v->name);
	str_printf(ret, ",\n%s    \"Options\": ", indent);
	pairs_json(&v->options, indent, ret);
	str_printf(ret, ",\n%s    \"Scope\": \"local\"\n%s}", indent, indent);
	ret->failed = ret->failed || path == NULL;
}

static int test(const void *what, const char *name, const char *value, struct err *err)
{
	const struct eng_volume *v = what;
	bool yes;
	int r;

	if (strcmp(name, "dangling") == 0) {
		r = filter_flag(name, value, &yes, err);
		return r < 0 ? r : (v->users == 0) == yes;
	}
	if (strcmp(name, "label") == 0 || strcmp(name, "label!") == 0)
		return filter_label(&v->labels, value) == (name[5] == '\0');
	if (strcmp(name, "name") == 0)
		return filter_regex(name, value, 0, v->name, v->name, err);
	if (strcmp(name, "driver") == 0)
		return strcmp(value, "local") == 0;
	return err_msg(err, -EINVAL,
		       "invalid filter '%s': dangling, driver, label and name are known", name);
}

int volume_matches(const struct eng_volume *v, const struct opt_strings *filters, struct err *err)
{
	return filter_match(filters, test, v, err);
}

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

/* NAME, or NAME=VALUE */
static bool has_label(const struct eng_volume *v, const char *want)
{
	size_t n = strcspn(want, "=");

	for (size_t i = 0; i < v->labels.n; i++)
		if (want[n] == '=' ? strcmp(v->labels.v[i], want) == 0
				   : strncmp(v->labels.v[i], want, n) == 0 &&
					     v->labels.v[i][n] == '=')
			return true;
	return false;
}

static int matches_one(const struct eng_volume *v, const char *name, size_t n, const char *value,
		       struct err *err)
{
	if (n == 8 && strncmp(name, "dangling", n) == 0) {
		bool no = strcmp(value, "false") == 0 || strcmp(value, "0") == 0;

		if (!no && strcmp(value, "true") != 0 && strcmp(value, "1") != 0)
			return err_msg(err, -EINVAL, "invalid filter 'dangling=%.100s'", value);
		return (v->users == 0) != no;
	}
	if (n == 5 && strncmp(name, "label", n) == 0)
		return has_label(v, value);
	if (n == 6 && strncmp(name, "label!", n) == 0)
		return !has_label(v, value);
	if (n == 4 && strncmp(name, "name", n) == 0)
		return strstr(v->name, value) != NULL;
	if (n == 6 && strncmp(name, "driver", n) == 0)
		return strcmp(value, "local") == 0;
	return err_msg(err, -EINVAL,
		       "invalid filter '%.*s': dangling, driver, label and name are known",
		       (int) (n < 100 ? n : 100), name);
}

int volume_matches(const struct eng_volume *v, const struct opt_strings *filters, struct err *err)
{
	for (size_t i = 0; i < filters->n; i++) {
		const char *f = filters->v[i];
		size_t n = strcspn(f, "=");
		bool any = false;

		if (f[n] != '=')
			return err_msg(err, -EINVAL,
				       "invalid argument \"%.100s\" for \"--filter\": expected NAME=VALUE",
				       f);
		/* labels all have to match */
		for (size_t k = 0; k < filters->n && !any; k++) {
			bool same = strncmp(filters->v[k], f, n + 1) == 0;
			int r = same && (k == i || strncmp(f, "label", 5) != 0)
					? matches_one(v, f, n, filters->v[k] + n + 1, err)
					: 0;

			if (r < 0)
				return r;
			any = r == 1;
		}
		if (!any)
			return 0;
	}
	return 1;
}

/* SPDX-License-Identifier: MIT */
#include "cli/filter.h"

#include <errno.h>
#include <regex.h>
#include <string.h>

#include "base/err.h"
#include "base/opt.h"
#include "base/str.h"
#include "image/config.h"

#define NAME_MAX_LEN 64 /* bytes of a filter's name */

static int split(const char *filter, char name[NAME_MAX_LEN], const char **ret_value,
		 struct err *err)
{
	size_t n = strcspn(filter, "=");

	if (filter[n] != '=' || n >= NAME_MAX_LEN)
		return err_msg(err, -EINVAL,
			       "invalid argument \"%.100s\" for \"--filter\": expected NAME=VALUE",
			       filter);
	memcpy(name, filter, n);
	name[n] = '\0';
	*ret_value = filter + n + 1;
	return 0;
}

int filter_match(const struct opt_strings *filters,
		 int (*test)(const void *what, const char *name, const char *value, struct err *err),
		 const void *what, struct err *err)
{
	char name[NAME_MAX_LEN], other[NAME_MAX_LEN];
	const char *value = NULL;

	for (size_t i = 0; i < filters->n; i++) {
		int r = split(filters->v[i], name, &value, err);

		if (r == 0)
			r = test(what, name, value, err);
		for (size_t k = 0; r == 0 && k < filters->n && !str_starts(name, "label"); k++) {
			r = split(filters->v[k], other, &value, err);
			if (r == 0 && strcmp(name, other) == 0)
				r = test(what, name, value, err);
		}
		if (r <= 0)
			return r;
	}
	return 1;
}

/* @known: words that are separated by ", " */
static bool is_known(const char *name, const char *known)
{
	size_t n = strcmp(name, "label!") == 0 ? strlen("label") : strlen(name);

	for (const char *p = known; *p != '\0'; p += strspn(p, ", ")) {
		size_t len = strcspn(p, ",");

		if (len == n && strncmp(p, name, n) == 0)
			return true;
		p += len;
	}
	return false;
}

int filter_check(const struct opt_strings *filters, const char *known, struct err *err)
{
	char name[NAME_MAX_LEN];
	const char *value;
	int r = 0;

	for (size_t i = 0; r == 0 && i < filters->n; i++) {
		r = split(filters->v[i], name, &value, err);
		if (r == 0 && !is_known(name, known))
			r = err_msg(err, -EINVAL, "invalid filter '%s': known are %s", name, known);
	}
	return r;
}

int filter_regex(const char *name, const char *value, int flags, const char *a, const char *b,
		 struct err *err)
{
	regex_t re;
	bool yes;

	if (regcomp(&re, value, REG_EXTENDED | REG_NOSUB | flags) != 0)
		return err_msg(err, -EINVAL, "invalid filter '%s=%.100s'", name, value);
	yes = regexec(&re, a, 0, NULL, 0) == 0 || regexec(&re, b, 0, NULL, 0) == 0;
	regfree(&re);
	return yes;
}

bool filter_label(const struct img_words *labels, const char *want)
{
	size_t n = strlen(want);
	bool valued = strchr(want, '=') != NULL;

	for (size_t i = 0; i < labels->n; i++)
		if (valued ? strcmp(labels->v[i], want) == 0
			   : strncmp(labels->v[i], want, n) == 0 && labels->v[i][n] == '=')
			return true;
	return false;
}

int filter_flag(const char *name, const char *value, bool *ret, struct err *err)
{
	if (strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
		*ret = true;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		*ret = false;
	else
		return err_msg(err, -EINVAL, "invalid filter '%s=%.100s'", name, value);
	return 0;
}

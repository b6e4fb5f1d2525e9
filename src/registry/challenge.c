/* SPDX-License-Identifier: MIT */
#include "registry/challenge.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

#define VALUE_MAX 1024 /* bytes with the terminator, as the fields of struct reg_challenge */

static const char *skip(const char *p, const char *set)
{
	return p + strspn(p, set);
}

static size_t token_length(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char) p[n]) || (p[n] != '\0' && strchr("!#$%&'*+-.^_`|~", p[n]) != NULL))
		n++;
	return n;
}

static int bad(const char *text, const char *what, struct err *err)
{
	return err_msg(err, -EINVAL, "header WWW-Authenticate: '%.200s': %s", text, what);
}

/* "text" or a bare word; @ret has VALUE_MAX bytes.  Return: behind it; NULL it has no end, or is too long. */
static const char *read_value(const char *p, char *ret)
{
	size_t n = 0;

	if (*p != '"') {
		n = strcspn(p, ", \t");
		if (n >= VALUE_MAX)
			return NULL;
		memcpy(ret, p, n);
		ret[n] = '\0';
		return p + n;
	}
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (*p == '\0' || n + 1 >= VALUE_MAX)
			return NULL;
		ret[n++] = *p;
	}
	ret[n] = '\0';
	return p + 1;
}

static bool keep(char *field, size_t size, const char *value)
{
	size_t n = strlen(value);

	if (n >= size)
		return false;
	memcpy(field, value, n + 1);
	return true;
}

static bool keep_parameter(struct reg_challenge *c, const char *name, size_t n, const char *value)
{
	if (n == 5 && strncasecmp(name, "realm", n) == 0)
		return keep(c->realm, sizeof(c->realm), value);
	if (n == 7 && strncasecmp(name, "service", n) == 0)
		return keep(c->service, sizeof(c->service), value);
	if (n == 5 && strncasecmp(name, "scope", n) == 0)
		return keep(c->scope, sizeof(c->scope), value);
	return true;
}

static enum reg_scheme scheme_of(const char *p, size_t n)
{
	if (n == 6 && strncasecmp(p, "Bearer", n) == 0)
		return REG_SCHEME_BEARER;
	return n == 5 && strncasecmp(p, "Basic", n) == 0 ? REG_SCHEME_BASIC : REG_SCHEME_NONE;
}

int reg_challenge_parse(const char *text, struct reg_challenge *ret, struct err *err)
{
	struct reg_challenge best = { 0 }, c = { 0 };
	char value[VALUE_MAX];
	const char *p = skip(text, ", \t");

	while (*p != '\0') {
		size_t n = token_length(p);
		const char *after = skip(p + n, " \t");

		if (n == 0)
			return bad(text, "a name is missing", err);
		if (*after != '=') { /* no parameter: another challenge begins */
			if (c.scheme > best.scheme)
				best = c;
			c = (struct reg_challenge) { .scheme = scheme_of(p, n) };
			p = skip(after, ", \t");
			continue;
		}
		after = read_value(skip(after + 1, " \t"), value);
		if (after == NULL || !keep_parameter(&c, p, n, value))
			return bad(text, "a value has no end or is too long", err);
		p = skip(after, ", \t");
	}
	if (c.scheme > best.scheme)
		best = c;
	if (best.scheme == REG_SCHEME_BEARER && best.realm[0] == '\0')
		return bad(text, "it does not say where tokens are given", err);
	*ret = best;
	return 0;
}

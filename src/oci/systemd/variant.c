/* SPDX-License-Identifier: MIT */
#include "oci/systemd/variant.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
	const char *word;
	char type;
} words[] = {
	{ "boolean", 'b' }, { "byte", 'y' },   { "int16", 'n' },  { "uint16", 'q' }, { "int32", 'i' },
	{ "uint32", 'u' },  { "handle", 'h' }, { "int64", 'x' },  { "uint64", 't' }, { "double", 'd' },
	{ "string", 's' },  { "objectpath", 'o' }, { "signature", 'g' },
};

static const char *skip(const char *p)
{
	return p + strspn(p, " \t");
}

/* Type in front of a value, "uint64 5" or "@t 5"; 0 when there is none. */
static char type_word(const char **p)
{
	const char *s = *p;

	if (s[0] == '@' && s[1] != '\0' && s[1] != 'a') {
		*p = skip(s + 2);
		return s[1];
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t n = strlen(words[i].word);

		if (strncmp(s, words[i].word, n) == 0 && (s[n] == ' ' || s[n] == '\t')) {
			*p = skip(s + n);
			return words[i].type;
		}
	}
	return 0;
}

static int parse_string(const char **p, struct variant *v)
{
	char quote = **p, *out = malloc(strlen(*p) + 1);
	size_t n = 0;
	const char *s;

	if (out == NULL)
		return -ENOMEM;
	for (s = *p + 1; *s != '\0' && *s != quote; s++) {
		if (*s == '\\') {
			s++;
			if (*s != '\\' && *s != '\'' && *s != '"' && *s != 'n' && *s != 't')
				break;
			out[n++] = *s == 'n' ? '\n' : *s == 't' ? '\t' : *s;
		} else
			out[n++] = *s;
	}
	if (*s != quote) {
		free(out);
		return -EINVAL;
	}
	out[n] = '\0';
	v->s = out;
	*p = s + 1;
	return 0;
}

static int parse_signed(const char *s, char **end, struct variant *v)
{
	long long x = strtoll(s, end, 0);

	v->x = x;
	if (v->type == 'n') {
		v->n = (int16_t) x;
		return v->n == x ? 0 : -ERANGE;
	}
	if (v->type == 'i') {
		v->i = (int32_t) x;
		return v->i == x ? 0 : -ERANGE;
	}
	return 0;
}

static int parse_unsigned(const char *s, char **end, struct variant *v)
{
	unsigned long long x = strtoull(s, end, 0);

	v->t = x;
	if (*s == '-')
		return -ERANGE;
	if (v->type == 'y') {
		v->y = (uint8_t) x;
		return v->y == x ? 0 : -ERANGE;
	}
	if (v->type == 'q') {
		v->q = (uint16_t) x;
		return v->q == x ? 0 : -ERANGE;
	}
	if (v->type == 'u') {
		v->u = (uint32_t) x;
		return v->u == x ? 0 : -ERANGE;
	}
	return 0;
}

/* A number; without a type it is int32, or double if it has a dot or an exponent. */
static int parse_number(const char **p, struct variant *v)
{
	size_t n = strcspn(*p, ",] \t");
	char *end;
	int r = 0;

	if (v->type == 0)
		v->type = memchr(*p, '.', n) != NULL ? 'd' : 'i';
	if (!isdigit((unsigned char) **p) && **p != '-' && **p != '+' && **p != '.')
		return -EINVAL;
	errno = 0;
	if (v->type == 'd')
		v->d = strtod(*p, &end);
	else if (strchr("nix", v->type) != NULL)
		r = parse_signed(*p, &end, v);
	else if (strchr("yqut", v->type) != NULL)
		r = parse_unsigned(*p, &end, v);
	else
		return -EINVAL;
	if (end == *p)
		return -EINVAL;
	*p = end;
	return errno != 0 ? -errno : r;
}

/* @type: demanded by the array, 0 for any */
static int parse_basic(const char **p, char type, struct variant *v)
{
	char word = type_word(p);

	*v = (struct variant){ .type = word != 0 ? word : type };
	if (type != 0 && word != 0 && word != type)
		return -EINVAL;
	if (**p == '\'' || **p == '"') {
		if (v->type == 0)
			v->type = 's';
		return strchr("sog", v->type) != NULL ? parse_string(p, v) : -EINVAL;
	}
	if ((v->type == 0 || v->type == 'b') && strncmp(*p, "true", 4) == 0) {
		*v = (struct variant){ .type = 'b', .b = 1 };
		*p += 4;
		return 0;
	}
	if ((v->type == 0 || v->type == 'b') && strncmp(*p, "false", 5) == 0) {
		*v = (struct variant){ .type = 'b', .b = 0 };
		*p += 5;
		return 0;
	}
	return parse_number(p, v);
}

static int parse_array(const char **p, char type, struct variant *v, size_t max, size_t *n)
{
	int r;

	*p = skip(*p + 1);
	for (*n = 0; **p != ']';) {
		if (*n == max)
			return -E2BIG;
		r = parse_basic(p, *n != 0 ? v[0].type : type, &v[*n]);
		if (r < 0)
			return r;
		(*n)++;
		*p = skip(*p);
		if (**p == ',')
			*p = skip(*p + 1);
		else if (**p != ']')
			return -EINVAL;
	}
	(*p)++;
	return 0;
}

void variant_free(struct variant *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].type != 0 && strchr("sog", v[i].type) != NULL)
			free(v[i].s);
		v[i] = (struct variant){ 0 };
	}
}

int variant_parse(const char *text, char type[3], struct variant *v, size_t max, size_t *n)
{
	const char *p = skip(text);
	char element = 0;
	int r;

	*n = 0;
	if (p[0] == '@' && p[1] == 'a' && p[2] != '\0') {
		element = p[2];
		p = skip(p + 3);
	}
	if (*p == '[') {
		r = parse_array(&p, element, v, max, n);
		if (r == 0 && *n == 0 && (element == 0 || strchr("ybnqiuxtdsog", element) == NULL))
			r = -EINVAL; /* of what? */
		type[0] = 'a';
		type[1] = *n != 0 ? v[0].type : element;
		type[2] = '\0';
	} else {
		r = element != 0 ? -EINVAL : parse_basic(&p, 0, &v[0]);
		*n = r == 0;
		type[0] = r == 0 ? v[0].type : '\0';
		type[1] = '\0';
	}
	if (r == 0 && *skip(p) != '\0')
		r = -EINVAL;
	if (r < 0) {
		variant_free(v, *n);
		*n = 0;
	}
	return r;
}

double variant_number(const struct variant *v)
{
	switch (v->type) {
	case 'y': return v->y;
	case 'n': return v->n;
	case 'q': return v->q;
	case 'i': return v->i;
	case 'u': return v->u;
	case 'x': return (double) v->x;
	case 't': return (double) v->t;
	case 'd': return v->d;
	default: return NAN;
	}
}

const void *variant_data(const struct variant *v)
{
	return strchr("sog", v->type) != NULL ? (const void *) v->s : (const void *) &v->t;
}

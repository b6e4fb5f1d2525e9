/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare/utf8.h"

static bool str_reserve(struct str *s, size_t more)
{
	size_t want, cap = s->cap != 0 ? s->cap : 64;
	char *p;

	if (s->failed || __builtin_add_overflow(s->len, more + 1, &want)) {
		s->failed = true;
		return false;
	}
	if (want <= s->cap)
		return true;
	while (cap < want)
		cap *= 2;
	p = realloc(s->p, cap);
	if (p == NULL) {
		s->failed = true;
		return false;
	}
	s->p = p;
	s->cap = cap;
	return true;
}

void str_add(struct str *s, const void *data, size_t n)
{
	if (!str_reserve(s, n))
		return;
	memcpy(s->p + s->len, data, n);
	s->len += n;
	s->p[s->len] = '\0';
}

void str_puts(struct str *s, const char *text)
{
	str_add(s, text, strlen(text));
}

/* Mostly it fits into what there is, and is formatted once. */
void str_printf(struct str *s, const char *fmt, ...)
{
	va_list ap, again;
	size_t room = s->cap - s->len; /* 0 of an empty one */
	int n;

	if (s->failed)
		return;
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(room > 0 ? s->p + s->len : NULL, room, fmt, ap);
	if (n < 0)
		s->failed = true;
	else if ((size_t) n >= room && str_reserve(s, (size_t) n))
		(void) vsnprintf(s->p + s->len, (size_t) n + 1, fmt, again); /* same text, it fits */
	if (!s->failed)
		s->len += (size_t) n;
	va_end(again);
	va_end(ap);
}

/* Bytes at @p that stand for themselves in JSON */
static size_t plain_len(const unsigned char *p)
{
	size_t n = 0;

	while (p[n] >= 0x20 && p[n] < 0x80 && p[n] != '"' && p[n] != '\\')
		n++;
	return n;
}

void str_json(struct str *s, const char *text)
{
	const unsigned char *p = (const unsigned char *) text;

	str_puts(s, "\"");
	while (*p != '\0') {
		size_t n = plain_len(p);

		if (n == 0)
			n = utf8_len(p, 4);
		if (n == 0)
			str_puts(s, "\\ufffd");
		else if (*p == '"' || *p == '\\')
			str_printf(s, "\\%c", *p);
		else if (*p < 0x20)
			str_printf(s, "\\u%04x", *p);
		else
			str_add(s, p, n);
		p += n != 0 ? n : 1;
	}
	str_puts(s, "\"");
}

void str_fini(struct str *s)
{
	free(s->p);
	*s = (struct str){ 0 };
}

char *str_steal(struct str *s)
{
	char *p;

	str_add(s, "", 0);
	if (s->failed) {
		str_fini(s);
		return NULL;
	}
	p = s->p;
	*s = (struct str){ 0 };
	return p;
}

void str_plain(char *text, char by)
{
	for (unsigned char *p = (unsigned char *) text; *p != '\0'; p++) {
		if (*p < ' ' || *p == 127)
			*p = (unsigned char) by;
		else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = (unsigned char) by;
	}
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_eq(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

int str_to_u64(const char *s, uint64_t *ret)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char) *s))
		return -EINVAL;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (*end != '\0')
		return -EINVAL;
	if (errno != 0)
		return -ERANGE;
	*ret = v;
	return 0;
}

int str_to_i64(const char *s, int64_t *ret)
{
	long long v;
	char *end;

	if (!isdigit((unsigned char) *s) && !(*s == '-' && isdigit((unsigned char) s[1])))
		return -EINVAL;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (*end != '\0')
		return -EINVAL;
	if (errno != 0)
		return -ERANGE;
	*ret = v;
	return 0;
}

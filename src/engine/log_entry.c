/* SPDX-License-Identifier: MIT */
/**
 * DOC: reading entries of a json-file log
 *
 * As the monitor and Docker write them: an object with the strings "log", "stream", "time", and perhaps an
 * object of strings "attrs", in any order.  A reader of its own, because a log has millions of these
 * lines and nothing of them is kept.
 */
#include "engine/log_entry.h"

#include <string.h>

#include "engine/log_time.h"

struct cursor {
	const char *p, *end;
};

static bool take(struct cursor *c, char want)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
		c->p++;
	if (c->p == c->end || *c->p != want)
		return false;
	c->p++;
	return true;
}

/* Four hexadecimal digits.  Return: value; -1. */
static int take_hex4(struct cursor *c)
{
	int v = 0;

	if (c->end - c->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char d = *c->p++;

		if (d >= '0' && d <= '9')
			v = v * 16 + d - '0';
		else if ((d | 32) >= 'a' && (d | 32) <= 'f')
			v = v * 16 + (d | 32) - 'a' + 10;
		else
			return -1;
	}
	return v;
}

static void put_utf8(struct str *s, unsigned v)
{
	char b[4];
	size_t n = 0;

	if (v < 0x80)
		b[n++] = (char) v;
	else if (v < 0x800)
		b[n++] = (char) (0xc0 | v >> 6);
	else if (v < 0x10000) {
		b[n++] = (char) (0xe0 | v >> 12);
		b[n++] = (char) (0x80 | (v >> 6 & 63));
	} else {
		b[n++] = (char) (0xf0 | v >> 18);
		b[n++] = (char) (0x80 | (v >> 12 & 63));
		b[n++] = (char) (0x80 | (v >> 6 & 63));
	}
	if (v >= 0x80)
		b[n++] = (char) (0x80 | (v & 63));
	str_add(s, b, n);
}

/* After "\u"; a pair of surrogates is one character, one alone U+FFFD. */
static bool take_unicode(struct cursor *c, struct str *ret)
{
	int v = take_hex4(c), low;

	if (v < 0)
		return false;
	if (v >= 0xd800 && v < 0xdc00 && c->end - c->p >= 6 && c->p[0] == '\\' && c->p[1] == 'u') {
		struct cursor ahead = { c->p + 2, c->end };

		low = take_hex4(&ahead);
		if (low >= 0xdc00 && low < 0xe000) {
			*c = ahead;
			put_utf8(ret, 0x10000u + ((unsigned) v - 0xd800) * 1024 +
					      ((unsigned) low - 0xdc00));
			return true;
		}
	}
	put_utf8(ret, v >= 0xd800 && v < 0xe000 ? 0xfffdu : (unsigned) v);
	return true;
}

static bool take_escape(struct cursor *c, struct str *ret)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (c->p == c->end)
		return false;
	if (*c->p == 'u') {
		c->p++;
		return take_unicode(c, ret);
	}
	at = *c->p != '\0' ? strchr(from, *c->p) : NULL;
	if (at == NULL)
		return false;
	c->p++;
	str_add(ret, to + (at - from), 1);
	return true;
}

/* After the opening quote; appends.  Return: false when it does not end. */
static bool take_string(struct cursor *c, struct str *ret)
{
	while (c->p < c->end) {
		size_t left = (size_t) (c->end - c->p);
		const char *quote = memchr(c->p, '"', left);
		size_t n = quote != NULL ? (size_t) (quote - c->p) : left;
		const char *escape = memchr(c->p, '\\', n);

		if (escape == NULL && quote == NULL)
			return false;
		n = escape != NULL ? (size_t) (escape - c->p) : n;
		str_add(ret, c->p, n);
		c->p += n + 1;
		if (escape == NULL)
			return true;
		if (!take_escape(c, ret))
			return false;
	}
	return false;
}

/* Quoted, without escapes, as names and times are. */
static bool take_word(struct cursor *c, const char **ret, size_t *ret_n)
{
	const char *quote;

	if (!take(c, '"'))
		return false;
	quote = memchr(c->p, '"', (size_t) (c->end - c->p));
	if (quote == NULL)
		return false;
	*ret = c->p;
	*ret_n = (size_t) (quote - c->p);
	c->p = quote + 1;
	return memchr(*ret, '\\', *ret_n) == NULL;
}

static bool is_word(const char *word, size_t n, const char *want)
{
	return strlen(want) == n && memcmp(word, want, n) == 0;
}

static void note_lost(const char *pair, uint64_t *ret)
{
	uint64_t v;

	if (str_starts(pair, "lost=") && str_to_u64(pair + 5, &v) == 0)
		*ret = v;
}

/* An object of strings to "name=value,name=value" */
static bool take_attrs(struct cursor *c, struct str *ret, uint64_t *ret_lost)
{
	if (!take(c, '{'))
		return false;
	if (take(c, '}'))
		return true;
	do {
		size_t from;

		if (ret->len > 0)
			str_puts(ret, ",");
		from = ret->len;
		if (!take(c, '"') || !take_string(c, ret) || !take(c, ':'))
			return false;
		str_puts(ret, "=");
		if (!take(c, '"') || !take_string(c, ret))
			return false;
		if (!ret->failed)
			note_lost(ret->p + from, ret_lost);
	} while (take(c, ','));
	return take(c, '}');
}

static bool take_member(struct cursor *c, struct eng_log_parser *p, struct eng_log_entry *e)
{
	const char *name, *value;
	size_t n, len;

	if (!take_word(c, &name, &n) || !take(c, ':'))
		return false;
	if (is_word(name, n, "log"))
		return p->text.len == 0 && take(c, '"') && take_string(c, &p->text);
	if (is_word(name, n, "attrs"))
		return p->attrs.len == 0 && take_attrs(c, &p->attrs, &e->lost);
	if (!take_word(c, &value, &len))
		return false;
	if (is_word(name, n, "stream"))
		e->error = is_word(value, len, "stderr");
	else if (is_word(name, n, "time"))
		return eng_log_time_rfc3339(value, len, &e->time) == 0;
	return true;
}

bool eng_log_entry_parse(struct eng_log_parser *p, const char *line, size_t n,
			 struct eng_log_entry *ret)
{
	struct cursor c = { line, line + n };
	struct eng_log_entry e = { 0 };

	p->text.len = p->attrs.len = 0;
	if (!take(&c, '{'))
		return false;
	do
		if (!take_member(&c, p, &e))
			return false;
	while (take(&c, ','));
	if (!take(&c, '}') || p->text.failed || p->attrs.failed)
		return false;
	e.text = p->text.len > 0 ? p->text.p : "";
	e.n = p->text.len;
	e.attrs = p->attrs.len > 0 ? p->attrs.p : NULL;
	*ret = e;
	return true;
}

void eng_log_parser_fini(struct eng_log_parser *p)
{
	str_fini(&p->text);
	str_fini(&p->attrs);
}

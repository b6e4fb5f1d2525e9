/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/format/template_parts.h"

#define WIDTH_MAX 4096 /* of pad and of printf */

struct call {
	const char *name;
	const struct tpl_value *v;
	size_t n;
	struct arena *a;
	struct tpl_value *ret;
	struct err *err;
};

static int give_text(const struct call *c, struct str *s)
{
	const char *text = s->failed ? NULL : arena_strdup(c->a, s->p != NULL ? s->p : "");

	if (text == NULL)
		return err_set(c->err, -ENOMEM, "call %s", c->name);
	*c->ret = (struct tpl_value) { .kind = TPL_TEXT, .text = text };
	return 0;
}

static int give_flag(const struct call *c, bool flag)
{
	*c->ret = (struct tpl_value) { .kind = TPL_BOOL, .flag = flag };
	return 0;
}

/* -2 when they cannot be compared */
static int compare(const struct tpl_value *a, const struct tpl_value *b)
{
	int order;

	if (a->kind != b->kind)
		return -2;
	if (a->kind == TPL_INT)
		return a->number < b->number ? -1 : a->number > b->number;
	if (a->kind == TPL_BOOL)
		return (int) a->flag - (int) b->flag;
	if (a->kind == TPL_NIL)
		return 0;
	if (a->kind != TPL_TEXT)
		return -2;
	order = strcmp(a->text, b->text);
	return order < 0 ? -1 : order > 0;
}

static int call_eq(const struct call *c)
{
	bool same = false;

	for (size_t i = 1; i < c->n; i++)
		same = same || compare(&c->v[0], &c->v[i]) == 0;
	return give_flag(c, c->name[0] == 'n' ? !same : same);
}

static int call_order(const struct call *c)
{
	int order = compare(&c->v[0], &c->v[1]);

	if (order == -2)
		return err_msg(c->err, -EINVAL, "%s: incompatible types for comparison", c->name);
	if (c->name[0] == 'l')
		return give_flag(c, c->name[1] == 't' ? order < 0 : order <= 0);
	return give_flag(c, c->name[1] == 't' ? order > 0 : order >= 0);
}

/* The first that decides, or the last */
static int call_and(const struct call *c)
{
	bool until = c->name[0] == 'o';

	for (size_t i = 0; i < c->n; i++) {
		*c->ret = c->v[i];
		if (tpl_true(&c->v[i]) == until)
			break;
	}
	return 0;
}

static int call_not(const struct call *c)
{
	return give_flag(c, !tpl_true(&c->v[0]));
}

static int call_len(const struct call *c)
{
	int64_t n = tpl_len(&c->v[0]);

	if (n < 0)
		return err_msg(c->err, -EINVAL, "len: this value has no length");
	*c->ret = (struct tpl_value) { .kind = TPL_INT, .number = n };
	return 0;
}

static int call_index(const struct call *c)
{
	struct tpl_value v = c->v[0];
	int r = 0;

	for (size_t i = 1; r == 0 && i < c->n; i++) {
		struct tpl_value of = v;

		r = tpl_index(&of, &c->v[i], &v, c->err);
	}
	*c->ret = v;
	return r;
}

static int call_slice(const struct call *c)
{
	_cleanup_(str_fini) struct str s = { 0 };
	int64_t len = tpl_len(&c->v[0]), from = 0, to = len;

	if (c->v[0].kind != TPL_TEXT)
		return err_msg(c->err, -EINVAL, "slice: only text can be sliced here");
	if (c->n > 1)
		from = c->v[1].kind == TPL_INT ? c->v[1].number : -1;
	if (c->n > 2)
		to = c->v[2].kind == TPL_INT ? c->v[2].number : -1;
	if (from < 0 || to < from || to > len)
		return err_msg(c->err, -EINVAL, "slice: index out of range");
	str_add(&s, c->v[0].text + from, (size_t) (to - from));
	return give_text(c, &s);
}

/* Spaces between values neither of which is text, as Go's Sprint; always for println. */
static int call_print(const struct call *c)
{
	_cleanup_(str_fini) struct str s = { 0 };
	bool line = strcmp(c->name, "println") == 0;

	for (size_t i = 0; i < c->n; i++) {
		if (i > 0 && (line || (c->v[i].kind != TPL_TEXT && c->v[i - 1].kind != TPL_TEXT)))
			str_puts(&s, " ");
		tpl_print(&c->v[i], &s);
	}
	str_puts(&s, line ? "\n" : "");
	return give_text(c, &s);
}

struct verb {
	bool left, zeros, plus;
	int width, precision; /* precision -1: none */
	char letter;
};

/* Return: bytes of "%-05.2s" used; -EINVAL. */
static int read_verb(const char *f, struct verb *ret)
{
	struct verb v = { .precision = -1 };
	const char *p = f + 1;
	char *end;

	for (; *p == '-' || *p == '0' || *p == '+'; p++) {
		v.left = v.left || *p == '-';
		v.zeros = v.zeros || *p == '0';
		v.plus = v.plus || *p == '+';
	}
	if (isdigit((unsigned char) *p)) {
		long width = strtol(p, &end, 10);

		v.width = width <= WIDTH_MAX ? (int) width : -1;
		p = end;
	}
	if (*p == '.') {
		long precision = strtol(p + 1, &end, 10);

		v.precision = precision >= 0 && precision <= WIDTH_MAX ? (int) precision : -2;
		p = end;
	}
	if (v.width < 0 || v.precision < -1 || *p == '\0')
		return -EINVAL;
	v.letter = *p;
	*ret = v;
	return (int) (p + 1 - f);
}

static void pad(const struct verb *v, const char *text, struct str *ret)
{
	int width = v->left ? -v->width : v->width;

	if (v->precision >= 0)
		str_printf(ret, "%*.*s", width, v->precision, text);
	else
		str_printf(ret, "%*s", width, text);
}

static void print_number(const struct verb *v, int64_t number, struct str *ret)
{
	char text[64];
	long long n = (long long) number;

	if (v->letter == 'x')
		(void) snprintf(text, sizeof(text), "%llx", (unsigned long long) n);
	else if (v->letter == 'X')
		(void) snprintf(text, sizeof(text), "%llX", (unsigned long long) n);
	else if (v->letter == 'o')
		(void) snprintf(text, sizeof(text), "%llo", (unsigned long long) n);
	else
		(void) snprintf(text, sizeof(text), v->plus ? "%+lld" : "%lld", n);
	if (v->zeros && !v->left)
		for (int i = (int) strlen(text); i < v->width; i++)
			str_puts(ret, "0");
	pad(&(struct verb) { .left = v->left, .width = v->zeros ? 0 : v->width, .precision = -1 },
	    text, ret);
}

/* One "%..." of a format with its value.  Return: bytes of the format used; -EINVAL. */
static int print_verb(const char *f, const struct tpl_value *v, struct str *ret)
{
	_cleanup_(str_fini) struct str text = { 0 }, quoted = { 0 };
	struct verb verb;
	int n = read_verb(f, &verb);

	if (n < 0 || strchr("dxXosvtq", verb.letter) == NULL)
		return -EINVAL;
	if (strchr("dxXo", verb.letter) != NULL) {
		if (v->kind != TPL_INT)
			return -EINVAL;
		print_number(&verb, v->number, ret);
		return n;
	}
	tpl_print(v, &text);
	if (verb.letter == 'q')
		str_json(&quoted, text.p != NULL ? text.p : "");
	pad(&verb, verb.letter == 'q' ? quoted.p : text.p != NULL ? text.p : "", ret);
	return n;
}

static int call_printf(const struct call *c)
{
	_cleanup_(str_fini) struct str s = { 0 };
	size_t used = 1;

	if (c->v[0].kind != TPL_TEXT)
		return err_msg(c->err, -EINVAL, "printf: the format is no text");
	for (const char *f = c->v[0].text; *f != '\0';) {
		int n = 1;

		if (f[0] == '%' && f[1] == '%') {
			str_puts(&s, "%");
			n = 2;
		} else if (f[0] == '%' && used < c->n)
			n = print_verb(f, &c->v[used++], &s);
		else if (f[0] == '%')
			n = -EINVAL;
		else
			str_add(&s, f, 1);
		if (n < 0)
			return err_msg(c->err, -EINVAL,
				       "printf: '%.60s' does not fit its values", c->v[0].text);
		f += n;
	}
	return give_text(c, &s);
}

static int call_json(const struct call *c)
{
	_cleanup_(str_fini) struct str s = { 0 };

	tpl_json(&c->v[0], &s);
	return give_text(c, &s);
}

static int element(const struct tpl_value *v, int64_t at, struct tpl_value *ret)
{
	struct tpl_value key = { .kind = TPL_INT, .number = at };

	return tpl_index(v, &key, ret, NULL);
}

static int call_join(const struct call *c)
{
	_cleanup_(str_fini) struct str s = { 0 };
	const struct tpl_value *list = &c->v[0], *separator = &c->v[1];
	struct tpl_value v;

	if (list->kind == TPL_TEXT) { /* piped: {{.List | join ","}} has the list last */
		list = &c->v[1];
		separator = &c->v[0];
	}
	if (separator->kind != TPL_TEXT || tpl_len(list) < 0 || list->kind == TPL_TEXT)
		return err_msg(c->err, -EINVAL, "join: expected a list and a separator");
	for (int64_t i = 0; i < tpl_len(list); i++) {
		if (element(list, i, &v) < 0)
			return err_msg(c->err, -EINVAL, "join: expected a list and a separator");
		str_puts(&s, i > 0 ? separator->text : "");
		tpl_print(&v, &s);
	}
	return give_text(c, &s);
}

static int call_split(const struct call *c)
{
	const char *p = c->v[0].text, *separator = c->v[1].text;
	struct tpl_value *list;
	size_t n = 1, len;

	if (c->v[0].kind != TPL_TEXT || c->v[1].kind != TPL_TEXT || *separator == '\0')
		return err_msg(c->err, -EINVAL, "split: expected a text and a separator");
	len = strlen(separator);
	for (const char *q = strstr(p, separator); q != NULL; q = strstr(q + len, separator))
		n++;
	list = arena_alloc(c->a, n, sizeof(*list));
	if (list == NULL)
		return err_set(c->err, -ENOMEM, "call split");
	for (size_t i = 0; i < n; i++) {
		const char *end = strstr(p, separator);
		size_t part = end != NULL ? (size_t) (end - p) : strlen(p);

		list[i].kind = TPL_TEXT;
		list[i].text = arena_strndup(c->a, p, part);
		if (list[i].text == NULL)
			return err_set(c->err, -ENOMEM, "call split");
		p += part + len;
	}
	*c->ret = (struct tpl_value) { .kind = TPL_LIST, .list = list, .n = n };
	return 0;
}

static int call_case(const struct call *c)
{
	_cleanup_(str_fini) struct str s = { 0 };
	bool begin = true;

	tpl_print(&c->v[0], &s);
	for (size_t i = 0; i < s.len; i++) {
		unsigned char b = (unsigned char) s.p[i];

		if (c->name[0] == 'l')
			s.p[i] = (char) tolower(b);
		else if (c->name[0] == 'u' || begin)
			s.p[i] = (char) toupper(b);
		begin = isspace(b) != 0;
	}
	return give_text(c, &s);
}

static int call_pad(const struct call *c)
{
	_cleanup_(str_fini) struct str s = { 0 };

	if (c->v[1].kind != TPL_INT || c->v[2].kind != TPL_INT || c->v[1].number < 0 ||
	    c->v[2].number < 0 || c->v[1].number > WIDTH_MAX || c->v[2].number > WIDTH_MAX)
		return err_msg(c->err, -EINVAL, "pad: expected a text and two numbers");
	if (tpl_true(&c->v[0])) {
		str_printf(&s, "%*s", (int) c->v[1].number, "");
		tpl_print(&c->v[0], &s);
		str_printf(&s, "%*s", (int) c->v[2].number, "");
	}
	return give_text(c, &s);
}

static int call_truncate(const struct call *c)
{
	_cleanup_(str_fini) struct str s = { 0 }, cut = { 0 };

	if (c->v[1].kind != TPL_INT || c->v[1].number < 0)
		return err_msg(c->err, -EINVAL, "truncate: expected a text and a number");
	tpl_print(&c->v[0], &s);
	str_add(&cut, s.p != NULL ? s.p : "",
		s.len < (size_t) c->v[1].number ? s.len : (size_t) c->v[1].number);
	return give_text(c, &cut);
}

static int call_escape(const struct call *c)
{
	static const char hex[] = "0123456789ABCDEF";
	_cleanup_(str_fini) struct str in = { 0 }, s = { 0 };

	tpl_print(&c->v[0], &in);
	for (size_t i = 0; i < in.len; i++) {
		unsigned char b = (unsigned char) in.p[i];
		char text[4] = { '%', hex[b >> 4], hex[b & 15], '\0' };

		if (c->name[0] == 'u' ? isalnum(b) || strchr("-_.~", b) != NULL
				      : strchr("&<>\"'", b) == NULL)
			str_add(&s, &b, 1);
		else if (c->name[0] == 'u')
			str_puts(&s, text);
		else
			str_printf(&s, "&#%d;", b);
	}
	return give_text(c, &s);
}

static const struct {
	const char *name;
	int (*call)(const struct call *c);
	size_t min, max;
} functions[] = {
	{ "and", call_and, 1, TPL_ARGS_MAX },
	{ "eq", call_eq, 2, TPL_ARGS_MAX },
	{ "ge", call_order, 2, 2 },
	{ "gt", call_order, 2, 2 },
	{ "html", call_escape, 1, 1 },
	{ "index", call_index, 1, TPL_ARGS_MAX },
	{ "join", call_join, 2, 2 },
	{ "json", call_json, 1, 1 },
	{ "le", call_order, 2, 2 },
	{ "len", call_len, 1, 1 },
	{ "lower", call_case, 1, 1 },
	{ "lt", call_order, 2, 2 },
	{ "ne", call_eq, 2, 2 },
	{ "not", call_not, 1, 1 },
	{ "or", call_and, 1, TPL_ARGS_MAX },
	{ "pad", call_pad, 3, 3 },
	{ "print", call_print, 0, TPL_ARGS_MAX },
	{ "printf", call_printf, 1, TPL_ARGS_MAX },
	{ "println", call_print, 0, TPL_ARGS_MAX },
	{ "slice", call_slice, 1, 3 },
	{ "split", call_split, 2, 2 },
	{ "title", call_case, 1, 1 },
	{ "truncate", call_truncate, 2, 2 },
	{ "upper", call_case, 1, 1 },
	{ "urlquery", call_escape, 1, 1 },
};

bool tpl_is_function(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		if (strlen(functions[i].name) == len && strncmp(functions[i].name, name, len) == 0)
			return true;
	return false;
}

int tpl_function(const char *name, const struct tpl_value *v, size_t n, struct arena *a,
		 struct tpl_value *ret, struct err *err)
{
	const struct call c = { .name = name, .v = v, .n = n, .a = a, .ret = ret, .err = err };

	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		if (strcmp(functions[i].name, name) != 0)
			continue;
		if (n < functions[i].min || n > functions[i].max)
			return err_msg(err, -EINVAL, "wrong number of args for %s: got %zu", name,
				       n);
		return functions[i].call(&c);
	}
	return err_msg(err, -EINVAL, "function \"%s\" not defined", name);
}

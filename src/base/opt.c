/* SPDX-License-Identifier: MIT */
#include "base/opt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

#define WORD_MAX 32 /* letters that are compared */

size_t opt_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1] = { 0 }, n = strnlen(a, WORD_MAX), m = strnlen(b, WORD_MAX);

	for (size_t k = 0; k <= m; k++)
		rows[0][k] = k;
	for (size_t i = 1; i <= n; i++) {
		size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t k = 1; k <= m; k++) {
			size_t d = last[k - 1] + (a[i - 1] != b[k - 1]);

			d = d < last[k] + 1 ? d : last[k] + 1;
			d = d < now[k - 1] + 1 ? d : now[k - 1] + 1;
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
			    before[k - 2] + 1 < d)
				d = before[k - 2] + 1;
			now[k] = d;
		}
	}
	return rows[n % 3][m];
}

size_t opt_distance_max(size_t n)
{
	return n < 5 ? 1 : n < 8 ? 2 : 3;
}

static const char *nearest_long(const struct opt *table, const char *name, size_t n)
{
	char word[WORD_MAX + 1];
	size_t limit = opt_distance_max(n) + 1;
	const char *best = NULL;
	size_t d;

	(void) snprintf(word, sizeof(word), "%.*s", (int) (n < WORD_MAX ? n : WORD_MAX), name);
	for (; table->kind != OPT_END; table++) {
		d = opt_distance(word, table->name);
		if (table->help != NULL && d < limit && d < n) {
			limit = d;
			best = table->name;
		}
	}
	d = opt_distance(word, "help");
	return d < limit && d < n ? "help" : best;
}

static const struct opt *find_long(const struct opt *table, const char *name, size_t n)
{
	for (; table->kind != OPT_END; table++)
		if (strlen(table->name) == n && strncmp(table->name, name, n) == 0)
			return table;
	return NULL;
}

static const struct opt *find_letter(const struct opt *table, char c)
{
	for (; table->kind != OPT_END; table++)
		if (table->letter == c)
			return table;
	return NULL;
}

static bool is_flag(const struct opt *o)
{
	return o->kind == OPT_BOOL || o->kind == OPT_OFF;
}

static int store_bool(bool *field, const struct opt *o, const char *value, struct err *err)
{
	if (value == NULL || strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
		*field = true;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		*field = false;
	else
		return err_msg(err, -EINVAL, "option --%s: '%s' is neither true nor false", o->name, value);
	return 0;
}

static int store(void *base, const struct opt *o, const char *value, struct err *err)
{
	void *field = (char *) base + o->offset;
	struct opt_strings *list = field;
	const char **v;
	int r = 0;

	switch (o->kind) {
	case OPT_BOOL:
		return store_bool(field, o, value, err);
	case OPT_OFF:
		r = store_bool(field, o, value, err);
		*(bool *) field = r == 0 && !*(bool *) field;
		return r;
	case OPT_STRING:
		*(const char **) field = value;
		return 0;
	case OPT_STRINGS:
		v = realloc(list->v, (list->n + 1) * sizeof(*v));
		if (v == NULL)
			return err_set(err, -ENOMEM, "option --%s", o->name);
		v[list->n++] = value;
		list->v = v;
		return 0;
	case OPT_U64:
		r = str_to_u64(value, field);
		break;
	case OPT_I64:
		r = str_to_i64(value, field);
		break;
	case OPT_END:
		break;
	}
	if (r < 0)
		return err_msg(err, -EINVAL, "option --%s: '%s' is not a valid number", o->name, value);
	return 0;
}

/* One word "--name", "--name=value".  Return: words consumed; -errno; 0 for --help. */
static int parse_long(const struct opt *table, void *base, char **argv, int left, struct err *err)
{
	const char *name = argv[0] + 2, *value = strchr(name, '=');
	size_t n = value != NULL ? (size_t) (value - name) : strlen(name);
	const struct opt *o = find_long(table, name, n);
	int used = 1, r;

	if (o == NULL && n == 4 && strncmp(name, "help", 4) == 0)
		return 0;
	if (o == NULL) {
		const char *like = nearest_long(table, name, n);

		if (like != NULL)
			return err_msg(err, -EINVAL, "unknown option --%.*s; did you mean --%s?",
				       (int) n, name, like);
		return err_msg(err, -EINVAL, "unknown option --%.*s", (int) n, name);
	}
	if (value != NULL)
		value++;
	else if (!is_flag(o)) {
		if (left < 2)
			return err_msg(err, -EINVAL, "option --%s needs a value", o->name);
		value = argv[1];
		used = 2;
	}
	r = store(base, o, value, err);
	return r < 0 ? r : used;
}

/* One word of letters "-it", "-eVALUE", "-e VALUE".  Return: as parse_long(). */
static int parse_letters(const struct opt *table, void *base, char **argv, int left, struct err *err)
{
	for (const char *p = argv[0] + 1; *p != '\0'; p++) {
		const struct opt *o = find_letter(table, *p);
		const char *value = NULL;
		int r;

		if (o == NULL && *p == 'h')
			return 0;
		if (o == NULL)
			return err_msg(err, -EINVAL, "unknown option -%c", *p);
		if (!is_flag(o)) {
			value = p[1] == '=' ? p + 2 : p + 1;
			if (p[1] == '\0' && left < 2)
				return err_msg(err, -EINVAL, "option -%c needs a value", *p);
			if (p[1] == '\0')
				value = argv[1];
			r = store(base, o, value, err);
			return r < 0 ? r : p[1] == '\0' ? 2 : 1;
		}
		r = store(base, o, p[1] == '=' ? p + 2 : NULL, err);
		if (r < 0)
			return r;
		if (p[1] == '=')
			break;
	}
	return 1;
}

int opt_parse(const struct opt *table, void *base, int *argc, char **argv, bool interspersed,
	      struct err *err)
{
	int operands = 0, i = 0;

	while (i < *argc) {
		char *word = argv[i];
		int used;

		if (strcmp(word, "--") == 0) {
			i++;
			break;
		}
		if (word[0] != '-' || word[1] == '\0') {
			if (!interspersed)
				break;
			argv[operands++] = word;
			i++;
			continue;
		}
		used = word[1] == '-' ? parse_long(table, base, argv + i, *argc - i, err) :
					parse_letters(table, base, argv + i, *argc - i, err);
		if (used <= 0)
			return used < 0 ? used : 1;
		i += used;
	}
	while (i < *argc)
		argv[operands++] = argv[i++];
	argv[operands] = NULL;
	*argc = operands;
	return 0;
}

void opt_fini(const struct opt *table, void *base)
{
	for (; table->kind != OPT_END; table++) {
		struct opt_strings *list = (void *) ((char *) base + table->offset);

		if (table->kind != OPT_STRINGS)
			continue;
		free(list->v);
		*list = (struct opt_strings) { 0 }; /* another name of it may follow */
	}
}

#define LEFT_MAX 64 /* characters of "-x, --name ARG" */
#define LEFT_COLUMN 36 /* what is longer gets a line of its own */

static size_t left_text(const struct opt *o, char ret[LEFT_MAX])
{
	char letter[5] = "    ";

	if (o->letter != 0)
		(void) snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	(void) snprintf(ret, LEFT_MAX, "%s--%s%s%s", letter, o->name, o->arg != NULL ? " " : "",
			o->arg != NULL ? o->arg : ""); /* cut is fine */
	return strlen(ret);
}

void opt_help(const struct opt *table, struct str *ret)
{
	size_t width = 0, n;
	char left[LEFT_MAX];

	for (const struct opt *o = table; o->kind != OPT_END; o++) {
		n = o->help != NULL ? left_text(o, left) : 0;
		if (n > width && n <= LEFT_COLUMN)
			width = n;
	}
	for (; table->kind != OPT_END; table++) {
		if (table->help == NULL)
			continue;
		n = left_text(table, left);
		if (n > width)
			str_printf(ret, "  %s\n  %-*s  %s\n", left, (int) width, "", table->help);
		else
			str_printf(ret, "  %-*s  %s\n", (int) width, left, table->help);
	}
}

/* SPDX-License-Identifier: MIT */
#include "base/opt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

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
	if (o == NULL)
		return err_msg(err, -EINVAL, "unknown option --%.*s", (int) n, name);
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

void opt_help(const struct opt *table, struct str *ret)
{
	for (; table->kind != OPT_END; table++) {
		char left[64];

		if (table->help == NULL)
			continue;
		(void) snprintf(left, sizeof(left), "%s%c%s--%s%s%s", table->letter != 0 ? "-" : " ",
				table->letter != 0 ? table->letter : ' ',
				table->letter != 0 ? ", " : "  ", table->name,
				table->arg != NULL ? " " : "",
				table->arg != NULL ? table->arg : ""); /* cut is fine */
		str_printf(ret, "  %-32s %s\n", left, table->help);
	}
}

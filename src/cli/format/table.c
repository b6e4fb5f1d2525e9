/* SPDX-License-Identifier: MIT */
#include "cli/format/table.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define COLUMNS_MAX 16
#define WIDTH_MIN 7 /* of a column, without what separates it: as Docker */

void cli_table_add(struct cli_table *t, const char *cell)
{
	str_add(&t->text, cell, strlen(cell) + 1);
}

/* Characters, not bytes: those that continue one do not count. */
static size_t width_of(const char *cell)
{
	size_t n = 0;

	for (; *cell != '\0'; cell++)
		n += (*cell & 0xc0) != 0x80;
	return n;
}

void cli_table_print(const struct cli_table *t)
{
	size_t width[COLUMNS_MAX] = { 0 }, column = 0;
	const char *end = t->text.p + t->text.len;

	if (t->text.failed || t->columns > COLUMNS_MAX)
		return;
	for (const char *p = t->text.p; p < end; p += strlen(p) + 1) {
		if (width_of(p) > width[column])
			width[column] = width_of(p);
		if (width[column] < WIDTH_MIN)
			width[column] = WIDTH_MIN;
		column = (column + 1) % t->columns;
	}
	for (const char *p = t->text.p; p < end; p += strlen(p) + 1) {
		column = (column + 1) % t->columns;
		if (column == 0)
			printf("%s\n", p);
		else
			printf("%s%*s", p, (int) (width[column - 1] - width_of(p)) + 3, "");
	}
}

void cli_table_fini(struct cli_table *t)
{
	str_fini(&t->text);
}

/* Three or four digits, as Docker: "999B", "1.02kB"; @precision digits in all */
static void size_text(double v, double step, const char *const *units, size_t n, int precision,
		      char ret[32])
{
	size_t i = 0;

	while (v >= step && i + 1 < n) {
		v /= step;
		i++;
	}
	(void) snprintf(ret, 32, "%.*g%s", precision, v, units[i]);
}

void cli_size(int64_t bytes, char ret[32])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };

	size_text((double) bytes, 1000, units, ARRAY_LEN(units), 3, ret);
}

void cli_size_binary(int64_t bytes, char ret[32])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };

	size_text((double) bytes, 1024, units, ARRAY_LEN(units), 4, ret);
}

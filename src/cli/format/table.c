/* SPDX-License-Identifier: MIT */
#include "cli/format/table.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define COLUMNS_MAX 16

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

void cli_size(int64_t bytes, char ret[32])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	double v = (double) bytes;
	size_t i = 0;

	while (v >= 1000 && i + 1 < ARRAY_LEN(units)) {
		v /= 1000;
		i++;
	}
	(void) snprintf(ret, 32, "%.3g%s", v, units[i]);
}

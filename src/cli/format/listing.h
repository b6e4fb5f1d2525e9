/* SPDX-License-Identifier: MIT */
/*
 * What the verbs that list something print: a table, lines of JSON, or what a template makes.
 *
 * A verb describes each row as a JSON object whose members have the names that Docker's templates use.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "cli/format/table.h"

struct err;
struct template;

/**
 * struct listing_column - a field of the rows
 * @field: name of the member
 * @heading: of its column
 * @shown: in the table without a template
 */
struct listing_column {
	const char *field, *heading;
	bool shown;
};

/**
 * struct listing - rows on their way to standard output
 * Zero-initialise and set @columns, @nr and maybe @no_headings; the rest is private.  Release with listing_fini().
 */
struct listing {
	const struct listing_column *columns;
	size_t nr;
	bool json, table, no_headings;
	char *text; /* of the template */
	struct template *template;
	struct cli_table cells;
};

/**
 * listing_begin() - read --format and print or keep the headings
 * @format: NULL or "table", "json", a template, "table" and a template
 * Return: 0; -EINVAL with a message.
 */
int listing_begin(struct listing *l, const char *format, struct err *err);

/** listing_row() - one row; @json is an object; 0; -EINVAL with a message */
int listing_row(struct listing *l, const char *json, struct err *err);

/** listing_end() - print what was kept for the table */
void listing_end(struct listing *l);

/** listing_fini() - release */
void listing_fini(struct listing *l);

/**
 * listing_template() - print what a template makes of a value, and a line end
 * @format: a template, or "json" for the value in one line
 * @json: any value, @len bytes
 * Return: 0; -EINVAL with a message.
 */
int listing_template(const char *format, const char *json, size_t len, struct err *err);

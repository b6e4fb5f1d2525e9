/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "base/str.h"

/**
 * struct cli_table - rows of text, columns as wide as their widest cell
 * @columns: cells of a row
 * @text: cells, each terminated by a zero byte, row after row
 * Zero-initialise, set @columns; release with cli_table_fini().
 */
struct cli_table {
	size_t columns;
	struct str text;
};

/** cli_table_add() - append a cell */
void cli_table_add(struct cli_table *t, const char *cell);

/** cli_table_print() - write the rows to standard output, three spaces between columns */
void cli_table_print(const struct cli_table *t);

/** cli_table_fini() - release */
void cli_table_fini(struct cli_table *t);

/** cli_size() - bytes as Docker shows them: "12.3MB", decimal units */
void cli_size(int64_t bytes, char ret[32]);

/** cli_size_binary() - bytes with binary units: "12.3MiB" */
void cli_size_binary(int64_t bytes, char ret[32]);

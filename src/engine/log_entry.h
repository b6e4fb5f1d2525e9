/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/**
 * struct eng_log_entry - a piece of output
 * @text: @n bytes, with the newline unless the line goes on in the next entry
 * @error: of standard error
 * @time: ns since 1970
 * @attrs: "name=value,name=value", NULL without
 * @lost: entries that are missing before this one, because they could not be written
 */
struct eng_log_entry {
	const char *text;
	size_t n;
	bool error;
	int64_t time;
	const char *attrs;
	uint64_t lost;
};

/**
 * struct eng_log_parser - memory of entries; zero-initialise, release with eng_log_parser_fini()
 */
struct eng_log_parser {
	struct str text, attrs;
};

/**
 * eng_log_entry_parse() - read a line of a json-file log
 * @line: @n bytes without newline; any bytes
 * @ret: filled, valid until the next call
 * Return: true; false when it is no entry.
 */
bool eng_log_entry_parse(struct eng_log_parser *p, const char *line, size_t n,
			 struct eng_log_entry *ret);

/** eng_log_parser_fini() - release */
void eng_log_parser_fini(struct eng_log_parser *p);

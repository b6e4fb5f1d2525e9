/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct err;
struct img_words;
struct opt_strings;

/**
 * filter_match() - does something pass all --filter options?
 * @filters: "NAME=VALUE"; of several with the same name one is enough, but "label" and "label!" all count
 * @test: Return: 1 it passes this one; 0 it does not; -EINVAL with a message for a bad value
 * Return: 1; 0; -EINVAL with a message.
 */
int filter_match(const struct opt_strings *filters,
		 int (*test)(const void *what, const char *name, const char *value, struct err *err),
		 const void *what, struct err *err);

/**
 * filter_check() - have all filters a name that is known?
 * @known: "ancestor, before", as the help says it; "label" also allows "label!"
 * Return: 0; -EINVAL with a message.
 */
int filter_check(const struct opt_strings *filters, const char *known, struct err *err);

/**
 * filter_regex() - does an extended regular expression match somewhere in @a or @b?
 * @flags: REG_ICASE or 0
 * Return: 1; 0; -EINVAL with a message.
 */
int filter_regex(const char *name, const char *value, int flags, const char *a, const char *b,
		 struct err *err);

/** filter_label() - one of @labels ("NAME=VALUE") is @want, "NAME" or "NAME=VALUE" */
bool filter_label(const struct img_words *labels, const char *want);

/** filter_flag() - read "true", "1", "false", "0"; 0 or -EINVAL with a message that names @name */
int filter_flag(const char *name, const char *value, bool *ret, struct err *err);

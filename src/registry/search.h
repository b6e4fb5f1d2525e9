/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct reg_access;
struct reg_settings;

#define REG_FOUND_MAX 100 /* rows that are asked for */

/** struct reg_found - a repository that was found */
struct reg_found {
	const char *name, *description;
	int64_t stars;
	bool official, automated;
};

/**
 * reg_search() - ask a registry for repositories by a word
 * A registry that has no search is asked for all its repositories.
 * @term: "WORD" or "REGISTRY/WORD"
 * @limit: rows
 * @ret: array in @arena
 * Return: number; -EACCES; -ENOENT the registry has neither; -errno; with a message.
 */
int reg_search(const struct reg_settings *settings, const struct reg_access *access, const char *term,
	       uint64_t limit, struct arena *arena, struct reg_found **ret, struct err *err);

/** reg_search_parse() - the rows of an answer of Docker Hub; number or -EINVAL with a message */
int reg_search_parse(const char *text, size_t len, struct arena *arena, struct reg_found **ret,
		     struct err *err);

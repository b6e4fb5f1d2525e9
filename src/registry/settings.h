/* SPDX-License-Identifier: MIT */
/*
 * registries.json: what an administrator says about registries.  All of it is optional:
 *
 *   {"default": "docker.io",                        registry of names that have none, or a list: the first that has it
 *    "aliases": {"debian": "quay.io/base/debian"},  where a short name really is
 *    "stall": 30,                                   seconds without a byte until a transfer is given up
 *    "attempts": 5,                                 at everything that may pass
 *    "wait": 250,                                   milliseconds before the second one, then twice as long each time
 *    "downloads": 3,                                at once
 *    "registries": {"docker.io": {"mirrors": ["http://127.0.0.1:5000"], "insecure": false, "blocked": false},
 *                   "quay.io/team": {"location": "registry.example.org/team"}}}
 *
 * A registry is a host, "*.example.org" for all below it, or the beginning of names; the longest that fits counts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "image/config.h"

struct err;

#define REG_SETTINGS_MAX (1u << 20) /* bytes of registries.json */
#define REG_MIRRORS_MAX 16 /* of a registry */
#define REG_SEARCHED_MAX 16 /* registries in which a name without one is looked for */
#define REG_DOWNLOADS_MAX 16 /* at once */
#define REG_ATTEMPTS_MAX 100

/**
 * struct reg_registry - what is said about one
 * @prefix: of the names that it is said about
 * @location: what the names begin with instead, where they really are; NULL: the same
 * @mirrors: "HOST[/PATH]", with http:// or https:// in front or not; tried before it, for pulls
 */
struct reg_registry {
	const char *prefix, *location;
	bool insecure, blocked;
	struct img_words mirrors;
};

/** struct reg_settings - registries.json, or the defaults; release with reg_settings_fini() */
struct reg_settings {
	struct arena arena;
	struct img_words searched; /* for names without a registry; one or more */
	uint64_t stall, attempts, wait, downloads;
	const char *(*aliases)[2]; /* short name, name */
	size_t nr_aliases;
	struct reg_registry *v;
	size_t n;
};

/**
 * reg_settings_read() - read the file that $CLEAVE_REGISTRIES names, the user's, or /etc/cleave/registries.json
 * Return: 0 also when there is none; -EINVAL with a message naming the field; -errno.
 */
int reg_settings_read(struct reg_settings *ret, struct err *err);

/** reg_settings_parse() - the same, from @len bytes of @text; @name: for messages */
int reg_settings_parse(const char *name, const char *text, size_t len, struct reg_settings *ret,
		       struct err *err);

/** reg_settings_of() - of "HOST[/PATH]"; NULL: nothing is said about it */
const struct reg_registry *reg_settings_of(const struct reg_settings *s, const char *name);

/** reg_settings_fini() - release */
void reg_settings_fini(struct reg_settings *s);

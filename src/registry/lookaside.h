/* SPDX-License-Identifier: MIT */
/*
 * Where signatures made with GPG are: beside the registry, as files below a place that registries.d names.
 *
 * Read are ~/.config/containers/registries.d or else /etc/containers/registries.d, files *.yaml by name:
 *
 *   default-docker:
 *     lookaside: https://signatures.example.org
 *   docker:
 *     registry.example.org/team:
 *       lookaside: https://signatures.example.org/team
 *       lookaside-staging: file:///srv/signatures
 *
 * New ones are put into what is called lookaside-staging, or else lookaside.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct err;
struct str;

#define REG_LOOKASIDE_MAX (1u << 20) /* bytes of a file in registries.d */

/**
 * reg_lookaside_find() - where the signatures of an image are
 * @name: "HOST/PATH"; @mark: ":TAG" or "@DIGEST"
 * @staging: where new ones are put
 * @ret: an address, in @arena; that of the nearest name of all files
 * Return: 0; -EINVAL with a message naming file and line; -errno.
 */
int reg_lookaside_find(const char *name, const char *mark, bool staging, struct arena *arena, const char **ret, struct err *err);

/**
 * struct reg_lookaside - the nearest name so far
 * @near: bytes of it + 1, 0: there is none
 * @staging: lookaside-staging is looked for, too; @staged: it was found there
 */
struct reg_lookaside {
	size_t near;
	const char *url;
	bool staging, staged;
};

/** reg_lookaside_parse() - the same for one file; @text is changed; 0; -EINVAL with a message; -ENOMEM */
int reg_lookaside_parse(const char *file, char *text, const char *name, const char *mark, struct arena *arena,
			struct reg_lookaside *ret, struct err *err);

/**
 * reg_lookaside_get() - a signature of a manifest
 * @url: of reg_lookaside_find(); @path: of the repository; @digest: "sha256:<hex>"; @n: from 1
 * @ret: appended to
 * Return: 0; -ENOENT there are no more; -errno with a message.
 */
int reg_lookaside_get(const char *url, const char *path, const char *digest, unsigned n, struct str *ret, struct err *err);

/**
 * reg_lookaside_put() - put one there, in place of what has this number
 * @url: as above, of files; the rest as above
 * Return: 0; -EOPNOTSUPP it cannot be written to; -errno with a message.
 */
int reg_lookaside_put(const char *url, const char *path, const char *digest, unsigned n, const struct str *signature,
		      struct err *err);

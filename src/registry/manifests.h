/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "image/config.h"

struct arena;
struct err;
struct http_answer;
struct img_index;
struct reg_session;

#define REG_TAGS_MAX 100000 /* of a repository */

/** struct reg_text - a manifest or index as the registry sent it; strings in an arena */
struct reg_text {
	const char *p, *media_type;
	size_t len;
	char digest[72];
};

/**
 * reg_manifest_get() - get a manifest or an index
 * @what: tag or digest; with a digest the answer is compared with it
 * @arena: owns the strings of @ret
 * Return: 0; -ENOENT; -EACCES; -EBADMSG; -EOPNOTSUPP the format is too old; -errno; with a message.
 */
int reg_manifest_get(struct reg_session *s, const char *what, struct arena *arena,
		     struct reg_text *ret, struct err *err);

/**
 * reg_blob_get() - get a small blob
 * @digest: compared with what comes
 * Return: as of reg_manifest_get().
 */
int reg_blob_get(struct reg_session *s, const char *digest, struct arena *arena,
		 struct reg_text *ret, struct err *err);

/**
 * reg_manifest_put() - send a manifest
 * @what: tag or digest
 * Return: 0; -EACCES; -ECOMM; -errno; with a message.
 */
int reg_manifest_put(struct reg_session *s, const char *what, const char *media_type, const char *text,
		     size_t len, struct err *err);

/** reg_is_index() - true when it lists manifests */
int reg_is_index(const struct reg_text *text);

/**
 * reg_choose() - the entry of an index that is for a platform
 * @platform: as of struct reg_pull
 * Return: position; -ENOENT with a message; -EINVAL @platform is none.
 */
int reg_choose(const struct img_index *index, const char *platform, struct err *err);

/**
 * reg_platform_check() - see whether an image is for a platform
 * @os, @arch, @variant: what its configuration says
 * Return: 0; -ENOENT with a message; -EINVAL @platform is none.
 */
int reg_platform_check(const char *platform, const char *os, const char *arch, const char *variant,
		       struct err *err);

/**
 * reg_tags_get() - the tags of the repository
 * @ret: in @arena
 * Return: 0; as of reg_manifest_get().
 */
int reg_tags_get(struct reg_session *s, struct arena *arena, struct img_words *ret, struct err *err);

/** reg_next_page() - the query ("?...") that continues a list; "" when it is complete */
void reg_next_page(const struct http_answer *a, char *ret, size_t size);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct err;
struct img_reference;
struct reg_session;

#define REG_TAGS_COMPARED_MAX 1000 /* before a manifest is removed because of one of its tags */

/**
 * struct reg_removal - what is to go from the repository of a session
 * @ref: its tag, or its digest of a manifest or blob
 * @force: remove a manifest that has other tags as well
 * @gone: called with ":TAG" or "@DIGEST"
 */
struct reg_removal {
	const struct img_reference *ref;
	bool force;
	void (*gone)(void *data, const char *what);
	void *data;
};

/**
 * reg_remove() - remove a tag, a manifest or a blob
 * A registry that cannot remove a tag alone loses the manifest that the tag is for, if it has no other tag.
 * Return: 0; -ENOENT; -EACCES; -EBUSY other tags need it; -EOPNOTSUPP the registry removes nothing; -errno; with a message.
 * Spec: distribution-spec 1.1, "Content Management".
 */
int reg_remove(struct reg_session *s, const struct reg_removal *what, struct err *err);

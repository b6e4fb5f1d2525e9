/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct reg_session;

#define REG_REFERRERS_MAX 4096 /* of a manifest */

/** struct reg_referrer - a manifest that says it belongs to another one; "" for what is not said */
struct reg_referrer {
	const char *digest, *type;
	uint64_t size;
};

/**
 * reg_referrers_get() - what belongs to a manifest: signatures, lists of contents
 * A registry that keeps no such list may have one under the tag sha256-<hex>.
 * @type: only those of this type, NULL: all
 * @ret: array in @arena
 * Return: number; -EACCES; -ECOMM; -errno; with a message.
 * Spec: distribution-spec 1.1, "Listing Referrers", "Referrers Tag Schema".
 */
int reg_referrers_get(struct reg_session *s, const char *digest, const char *type, struct arena *arena,
		      struct reg_referrer **ret, struct err *err);

/** reg_referrers_parse() - those of @type in a page of the list are added to @n, REG_REFERRERS_MAX in all; 0; -EINVAL with a message */
int reg_referrers_parse(const char *text, size_t len, const char *type, struct arena *arena,
			struct reg_referrer *v, size_t *n, struct err *err);

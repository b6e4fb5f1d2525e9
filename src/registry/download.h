/* SPDX-License-Identifier: MIT */
/*
 * Blobs on their way from a registry, several at once, while others read what has come.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct img_fetch;
struct img_member;
struct img_store;
struct reg_downloads;
struct reg_session;
struct reg_watch;

#define REG_BLOB_MAX (64ull << 30) /* bytes of a layer as it is sent */

/**
 * reg_downloads_new() - prepare
 * @watch: borrows
 * @ret: returns; free with reg_downloads_free()
 * Return: 0; -errno with a message.
 */
int reg_downloads_new(struct img_store *store, struct reg_session *s, const struct reg_watch *watch,
		      struct reg_downloads **ret, struct err *err);

/**
 * reg_downloads_reuse() - do not receive files that layers of the store have, too
 * @repository: whose layers are looked at first
 * @manifest: @len bytes; its layers may have tables of contents
 * Nothing comes of it when those or the layers of the store are damaged.
 * Context: before reg_downloads_begin().
 */
void reg_downloads_reuse(struct reg_downloads *d, const char *repository, const char *manifest, size_t len);

/**
 * reg_downloads_begin() - fetch layers that are not in the store
 * Context: once; the rest as of struct img_remote.
 * Return: 0; -EINVAL, -EFBIG what is said of a layer cannot be; -errno; with a message.
 */
int reg_downloads_begin(struct reg_downloads *d, const struct img_fetch *list, size_t n,
			struct err *err);

/** reg_downloads_open() - a layer that grows, or is complete; as @open of struct img_remote */
int reg_downloads_open(struct reg_downloads *d, const char *digest, struct img_member *ret,
		       struct err *err);

/** reg_downloads_done() - as @done of struct img_remote */
void reg_downloads_done(struct reg_downloads *d, const char *digest, int r);

/** reg_downloads_resumed() - true when something was used that did not come now: of an earlier attempt, of other layers */
bool reg_downloads_resumed(const struct reg_downloads *d);

/** reg_is_damage() - a result says that bytes were wrong: of who has something of before they may be that */
static inline bool reg_is_damage(int r)
{
	return r == -EBADMSG || r == -EINVAL || r == -EFBIG;
}

/** reg_downloads_keep() - what came is in the store: forget the files it came in */
void reg_downloads_keep(struct reg_downloads *d);

/** reg_downloads_free() - end what goes on, and release; NULL is fine */
void reg_downloads_free(struct reg_downloads *d);

static inline void reg_downloads_freep(struct reg_downloads **d)
{
	reg_downloads_free(*d);
}

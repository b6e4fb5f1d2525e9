/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "registry/place.h"

struct err;
struct img_store;
struct reg_access;
struct reg_key;
struct reg_settings;
struct reg_signer;
struct reg_watch;

/**
 * struct reg_push - an image that is to be sent
 * @all_tags: all names of the repository
 * @key: signs what was sent, NULL for no signature; @signer: likewise, with GPG, and before it is sent
 * @place: set: where it is then
 * @digest: set: of the manifest, the last one of several
 */
struct reg_push {
	struct img_store *store;
	const struct reg_settings *settings;
	const struct reg_access *access;
	const struct reg_watch *watch;
	bool all_tags;
	const struct reg_key *key;
	const struct reg_signer *signer;
	struct reg_place place;
	char digest[72];
};

/**
 * reg_push() - send an image to a registry
 * @name: of an image of the store
 * @to: name it gets there, NULL: the same
 * Blobs are sent as they are in the store, so digests stay.  Lines and order are Docker's.
 * Return: 0; -ENOENT there is no such image; -EACCES; -ECOMM; -errno; with a message.
 */
int reg_push(struct reg_push *p, const char *name, const char *to, struct err *err);

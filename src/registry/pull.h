/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "registry/place.h"

struct err;
struct img_store;
struct reg_access;
struct reg_policy;
struct reg_settings;
struct reg_watch;

/**
 * struct reg_pull - an image that is wanted
 * @policy: says which may be taken
 * @platform: OS[/ARCH[/VARIANT]] or ARCH, NULL: this machine's
 * @all_tags: all of the repository
 * @pulled: called for every name or digest that is here now; @id: hexadecimal
 * @leftover: set when blobs came that no image needs: it was here in another packing
 * @place: set: where the image is, also when it came from a mirror
 */
struct reg_pull {
	struct img_store *store;
	const struct reg_settings *settings;
	const struct reg_access *access;
	const struct reg_policy *policy;
	const struct reg_watch *watch;
	const char *platform;
	bool all_tags;
	void (*pulled)(void *data, const char *name, const char *id);
	void *data;
	bool leftover;
	struct reg_place place;
};

/**
 * reg_pull() - get an image from a registry
 * @name: as a user types it
 * Lines and order are Docker's.  Nothing is visible before all of an image is here; what was
 * received is used by the next attempt.
 * Return: 0; -EINVAL; -ENOENT the registry has no such image; -EACCES; -EPERM the policy forbids it; -EBADMSG it is not
 *         what it should be; -ECOMM; -errno; with a message.
 */
int reg_pull(struct reg_pull *p, const char *name, struct err *err);

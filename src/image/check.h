/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "image/config.h"

struct err;
struct img_image;
struct img_store;

/**
 * struct img_check - how to look for damage
 * @chains: chain ids of instances, which keep their layers; each may be several, separated by spaces
 * @busy: of those that run: their layers cannot be replaced
 * @keep: leave what belongs to no image: an instance that cannot be asked may need it
 * @quick: sizes and presence only, no digests and no comparison of layers with their archives
 * @repair: put right what can be put right without loss
 * @force: remove images that stay damaged and that no instance was made from
 * @users: as of img_collect()
 * @forget: take an image out of the list; -EBUSY an instance was made from it
 * @found: something is wrong; @action: what was done about it, NULL nothing
 */
struct img_check {
	const struct img_words *chains, *busy;
	bool keep, quick, repair, force;
	int (*users)(void *data, struct arena *arena, struct img_words *chains, struct err *err);
	int (*forget)(void *data, const struct img_image *image, struct err *err);
	void (*found)(void *data, const char *text, const char *action);
	void *data;
};

/** img_check() - look at all images, at what belongs to none, at what was left; 0 or -errno with a message */
int img_check(struct img_store *store, const struct img_check *c, struct err *err);

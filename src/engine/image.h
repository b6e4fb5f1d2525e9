/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct engine;
struct err;
struct img_image;
struct img_words;
struct str;

/**
 * eng_image_remove() - remove a name of an image; the image itself with its last name
 * @what: a name, or the beginning of an id for all names
 * @force: also when an instance that does not run uses it, or it has several names
 * @ret: appended to: lines "Untagged: NAME" and "Deleted: sha256:ID", as Docker prints them
 * Return: 0; -ENOENT; -EBUSY it is used; -errno with a message.
 */
int eng_image_remove(struct engine *e, const char *what, bool force, struct str *ret,
		     struct err *err);

/**
 * eng_image_collect() - free what no image and no instance needs any more
 * @ret_bytes: of disk; may be NULL
 * Return: 0; -errno with a message.
 */
int eng_image_collect(struct engine *e, uint64_t *ret_bytes, struct err *err);

/**
 * eng_image_users() - chain ids of the layers that instances have, for img_collect()
 * @data: struct engine
 * Return: 0; -errno with a message.
 */
int eng_image_users(void *data, struct arena *arena, struct img_words *chains, struct err *err);

/**
 * eng_image_forget() - take an image with all its names out of the list
 * @force: also when an instance that does not run was made from it
 * Return: 0; -EBUSY an instance uses it; -errno with a message.
 */
int eng_image_forget(struct engine *e, const struct img_image *image, bool force, struct err *err);

/**
 * eng_image_inspect() - append all that is known of an image as a JSON object, in the shape of Docker's
 * Return: 0; -errno with a message.
 * Spec: Docker Engine API 1.43, ImageInspect.
 */
int eng_image_inspect(struct engine *e, const struct img_image *image, struct str *ret,
		      struct err *err);

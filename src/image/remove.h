/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct img_image;
struct img_reference;
struct img_store;
struct img_words;

/**
 * img_names() - names of an image
 * @ret: "repository:tag", strings in @arena
 * Return: number; -errno with a message.
 */
int img_names(struct img_store *store, const char *id, struct arena *arena, struct img_words *ret,
	      struct err *err);

/** img_layer_bytes() - bytes of the files of an unpacked layer; @chain: its chain id; 0 if there is none */
uint64_t img_layer_bytes(struct img_store *store, const char *chain);

/** img_untag() - take a name away; 0; -ENOENT nobody has it; -errno with a message */
int img_untag(struct img_store *store, const struct img_reference *ref, struct err *err);

/**
 * img_forget() - take an image with all its names out of the store's tables
 * @may: NULL, or called when nobody else can change the tables: 0; -errno with a message, then it stays
 * Return: 0; that of @may; -errno with a message.
 */
int img_forget(struct img_store *store, const char *id, int (*may)(void *data, struct err *err),
	       void *data, struct err *err);

/* Appends chain ids that instances use; 0 or -errno with a message */
typedef int img_users_fn(void *data, struct arena *arena, struct img_words *chains,
			 struct err *err);

/**
 * img_orphans() - what img_collect() would remove
 * @chains: of instances
 * @each: called with the path of each, below the root of the store
 * Nothing is told while somebody makes an image.
 * Return: 0; -errno with a message.
 */
int img_orphans(struct img_store *store, const struct img_words *chains,
		void (*each)(void *data, const char *path), void *data, struct err *err);

/**
 * img_collect() - remove blobs and layers that no image has
 * @users: tells chain ids of instances, which keep their layers; each may be several, separated by
 *         spaces; called after the images were read, so that who uses one of them is not missed
 * @ret_bytes: bytes of blobs and layers removed; may be NULL
 *
 * Nothing happens while somebody makes an image: it will be done after the next removal.
 * Return: 0; -errno with a message.
 */
int img_collect(struct img_store *store, img_users_fn *users, void *data, uint64_t *ret_bytes,
		struct err *err);

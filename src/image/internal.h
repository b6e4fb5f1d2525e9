/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct db;
struct err;
struct img_meter;
struct str;

/** struct img_store - directories of the store */
struct img_store {
	struct db *db; /* borrows */
	int root, layers;
	struct img_meter *meter; /* or NULL */
};

/**
 * img_change_begin() - begin to change the list of images; others wait
 * @ret_images: for img_change_end()
 * Return: 0; -errno with a message.
 */
int img_change_begin(struct img_store *store, int *ret_images, struct err *err);

/**
 * img_change_end() - make the change last, in the database and in index.json, or forget it
 * @r: result so far: the change is forgotten when it is negative
 * Return: @r; -errno with a message, nothing has changed then.
 */
int img_change_end(struct img_store *store, int images, int r, struct err *err);

#define IMG_INDEX_SIZE_MAX (64u << 20) /* bytes of index.json */

/** img_index_text() - append what index.json is to say; 0 or -errno with a message */
int img_index_text(struct img_store *store, struct str *text, struct err *err);

/** img_index_is_old() - somebody died while he changed the list of images */
bool img_index_is_old(const struct img_store *store);

/** img_index_repair() - write index.json as the tables are; 0 or -errno with a message */
int img_index_repair(struct img_store *store, struct err *err);

/**
 * img_work_sweep() - remove what makers that died have left
 * @tmp: borrows; directory "tmp", of which the caller holds the exclusive lock
 * Return: 0; -errno with a message.
 */
int img_work_sweep(int tmp, struct err *err);

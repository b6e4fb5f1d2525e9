/* SPDX-License-Identifier: MIT */
#pragma once

struct db;
struct err;
struct str;

/** struct img_store - directories of the store; @images is open while it is being made only */
struct img_store {
	struct db *db; /* borrows */
	int root, images, layers;
};

#define IMG_INDEX_SIZE_MAX (64u << 20) /* bytes of index.json */

/** img_index_text() - append what index.json must be; 0 or -errno with a message */
int img_index_text(struct img_store *store, struct str *ret, struct err *err);

/** img_index_write() - write index.json as the tables are; 0 or -errno with a message */
int img_index_write(struct img_store *store, struct err *err);

/* SPDX-License-Identifier: MIT */
#pragma once

struct db;
struct err;
struct img_meter;

/** struct img_store - directories of the store; @images is open while it is being made only */
struct img_store {
	struct db *db; /* borrows */
	int root, images, layers;
	struct img_meter *meter; /* or NULL */
};

/** img_index_write() - write index.json as the tables are; 0 or -errno with a message */
int img_index_write(struct img_store *store, struct err *err);

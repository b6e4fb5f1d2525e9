/* SPDX-License-Identifier: MIT */
#pragma once

struct db;

/** struct img_store - directories of the store; @images is open while it is being made only */
struct img_store {
	struct db *db; /* borrows */
	int root, images, layers;
};

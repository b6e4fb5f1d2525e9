/* SPDX-License-Identifier: MIT */
/* What volume.c and volume_use.c share. */
#pragma once

#include <stdbool.h>

struct arena;
struct eng_volume;
struct engine;
struct err;

/** eng_volumes_dir() - descriptor of <root>/volumes; -errno with a message */
int eng_volumes_dir(struct engine *e, bool create, struct err *err);

/** eng_volume_is_lost() - its directory in @volumes has content that nobody removed; ask only without a row */
bool eng_volume_is_lost(int volumes, const char *name);

/** eng_volume_insert() - eng_volume_create() inside a transaction */
int eng_volume_insert(struct engine *e, const struct eng_volume *v, struct arena *a,
		      struct err *err);

/** eng_volume_delete() - eng_volume_remove() inside a transaction; eng_volumes_sweep() after it */
int eng_volume_delete(struct engine *e, const char *name, struct err *err);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct arena;
struct img_store;
struct reg_part;
struct reg_place;
struct reg_settings;

/**
 * reg_mounts() - find out which blobs the registry has in other repositories, from which it can mount them
 * @parts: @n of them; @from is set where one is known, in @arena
 */
void reg_mounts(struct img_store *store, const struct reg_settings *settings, const struct reg_place *place,
		struct reg_part *parts, size_t n, struct arena *arena);

/* SPDX-License-Identifier: MIT */
#pragma once

struct arena;
struct img_store;
struct reg_place;
struct reg_settings;

/**
 * mount_source() - another repository of a registry that is likely to have a blob
 * From there the registry can take it without being sent it.
 * Return: its path, in @arena; NULL when none is known.
 */
const char *mount_source(struct img_store *store, const struct reg_settings *settings,
			 const struct reg_place *place, const char *digest, struct arena *arena);

/* SPDX-License-Identifier: MIT */
/*
 * Volumes: directories that outlive the instances that use them.
 *
 *   <root>/volumes/<name>/_data     the content
 *   <root>/volumes/<name>/fresh     no instance has used it: it still gets what the image has there
 *   <root>/volumes/<name>/copy      that, while it is being copied
 *   <root>/volumes/<name>/options   what a driver with options mounts instead of _data
 *   <root>/volumes/.<random>        being removed
 *
 * The sticky bit of <name> says that the volume was removed: a directory without a row that has content and no
 * sticky bit is not leftover of ours but data whose row was lost, and nothing but its user removes it.
 *
 * A row of table "volume" says that it exists, rows of "volume_use" which instances use it.  A use counts
 * when its instance has a row, or a directory in the run root because it is being made.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/config.h"

struct arena;
struct eng_config;
struct engine;
struct err;

#define ENG_VOLUME_NAME_MAX 255 /* bytes */

/* Tables of this module, a step of the schema of state.db */
#define ENG_VOLUME_SCHEMA                                                                           \
	"CREATE TABLE volume(name TEXT PRIMARY KEY, labels TEXT NOT NULL, options TEXT NOT NULL,"   \
	" anonymous INTEGER NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;"                      \
	"CREATE TABLE volume_use(instance TEXT NOT NULL, volume TEXT NOT NULL REFERENCES volume(name)," \
	" PRIMARY KEY(instance, volume)) WITHOUT ROWID;"                                              \
	"CREATE INDEX volume_user ON volume_use(volume);"

/**
 * struct eng_volume - a volume
 * @labels, @options: NAME=VALUE; options are type, device and o, as those of mount(8)
 * @anonymous: made for an instance without a name; removed with it
 * @created: ns since 1970
 * @users: number of instances that use it
 */
struct eng_volume {
	const char *name;
	struct img_words labels, options;
	bool anonymous;
	int64_t created;
	int64_t users;
};

/** eng_volume_name_check() - 0 or -EINVAL with a message */
int eng_volume_name_check(const char *name, struct err *err);

/**
 * eng_volume_create() - make a volume
 * Return: 0; 1 there is one of that name and nothing was changed; -EEXIST one with other options;
 *         -EINVAL a bad name or option; -errno with a message.
 */
int eng_volume_create(struct engine *e, const struct eng_volume *v, struct err *err);

/** eng_volume_find() - by name; strings live in @arena; 0, -ENOENT or -errno with a message */
int eng_volume_find(struct engine *e, const char *name, struct arena *arena,
		    struct eng_volume *ret, struct err *err);

/** eng_volume_list() - all by name, in @arena; number or -errno with a message */
int eng_volume_list(struct engine *e, struct arena *arena, struct eng_volume **ret,
		    struct err *err);

/** eng_volume_path() - where its content is on the host: a string in @arena; NULL without memory */
const char *eng_volume_path(const struct engine *e, const char *name, struct arena *arena);

/**
 * eng_volume_remove() - remove a volume that nobody uses; its files stay until eng_volumes_sweep()
 * Return: 0; -ENOENT; -EBUSY an instance uses it; -errno with a message.
 */
int eng_volume_remove(struct engine *e, const char *name, struct err *err);

/** eng_volumes_sweep() - remove the files of volumes that were removed, or not made; what fails stays for the next one */
void eng_volumes_sweep(struct engine *e);

/**
 * eng_volumes_take() - note the volumes that an instance uses, making those that are missing
 * Context: inside a transaction; when it is forgotten, eng_volumes_sweep() removes what was made.
 * Return: 0; -errno with a message.
 */
int eng_volumes_take(struct engine *e, const char *id, const struct eng_config *config,
		     struct err *err);

/**
 * eng_volumes_drop() - the instance is being removed
 * @anonymous: also remove the volumes that nobody named, unless another instance uses them
 * Can be repeated.
 * Return: 0; -errno with a message.
 */
int eng_volumes_drop(struct engine *e, const char *id, bool anonymous, struct err *err);

/**
 * eng_volumes_fill() - copy what the image has where a volume is used for the first time into it
 * @rootfs: of the instance
 * Context: asks no database; blocks while another instance does it.
 * Return: 0; -errno with a message.
 */
int eng_volumes_fill(struct engine *e, const struct eng_config *config, int rootfs,
		     struct err *err);

/**
 * struct eng_volume_source - what to mount for a volume
 * @type: of the file system; NULL: bind @path
 * @options: of the mount, separated by commas
 */
struct eng_volume_source {
	const char *path, *type, *options;
};

/** eng_volume_source() - Context: asks no database.  Return: 0; -errno with a message */
int eng_volume_source(struct engine *e, const char *name, struct arena *arena,
		      struct eng_volume_source *ret, struct err *err);

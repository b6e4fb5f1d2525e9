/* SPDX-License-Identifier: MIT */
/*
 * Images on this machine.
 *
 *   images/oci-layout, images/index.json, images/blobs/sha256/<hex>   an OCI image layout
 *   layers/<hex>/fs                                                  a layer, unpacked, by chain id
 *   layers/<hex>/erofs                                               it and what is below it, see erofs.h
 *   tmp/                                                             what is being made
 *   partial/<hex>                                                    blobs that registries have begun to send
 *
 * Tables "image" and "reference" of the database say what there is; index.json is written from them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "image/layer.h"
#include "image/reference.h"

struct db;
struct err;
struct img_config;
struct img_meter;
struct img_store;
struct img_stream;
struct img_words;
struct str;

/* Tables of this module, a step of the schema of the database that a store is opened with */
#define IMG_SCHEMA                                                                                        \
	"CREATE TABLE image(id TEXT PRIMARY KEY, manifest TEXT NOT NULL, manifest_size INTEGER NOT NULL," \
	" created INTEGER NOT NULL, size INTEGER NOT NULL, chain TEXT NOT NULL) WITHOUT ROWID;"           \
	"CREATE TABLE reference(repository TEXT NOT NULL, tag TEXT NOT NULL,"                             \
	" image TEXT NOT NULL REFERENCES image(id), PRIMARY KEY(repository, tag)) WITHOUT ROWID;"

/* digests under which registries gave images: of manifests, and of indexes that list them */
#define IMG_PULLED_SCHEMA                                                                            \
	"CREATE TABLE pulled(repository TEXT NOT NULL, digest TEXT NOT NULL,"                        \
	" image TEXT NOT NULL REFERENCES image(id), PRIMARY KEY(repository, digest)) WITHOUT ROWID;" \
	"CREATE INDEX pulled_image ON pulled(image);"

#define IMG_LAYERS_MAX 500 /* the kernel's limit for an overlay */

/**
 * struct img_image - an image of the store
 * @id: hexadecimal digest of its configuration
 * @repository, @tag: a name it has, "<none>" for both if none
 * @manifest: "sha256:<hex>"
 * @created: ns since 1970
 * @size: bytes unpacked
 * @chain: chain ids of its layers, lowest first, separated by spaces
 */
struct img_image {
	const char *id, *repository, *tag, *manifest, *chain;
	int64_t manifest_size, created, size;
};

/**
 * img_store_open() - open, making directories when missing
 * @root: borrows; path of the store
 * @db: borrows; has IMG_SCHEMA and IMG_PULLED_SCHEMA
 * @ret: returns; free with img_store_free()
 * Return: 0; -errno with a message.
 */
int img_store_open(const char *root, struct db *db, struct img_store **ret, struct err *err);

/**
 * img_store_find() - look an image up
 * @name: reference as text, or at least four digits of an id
 * @arena: owns the strings of @ret
 * Return: 0; -ENOENT, -EINVAL no valid name, -ENOTUNIQ several ids begin so, with a message.
 */
int img_store_find(struct img_store *store, const char *name, struct arena *arena,
		   struct img_image *ret, struct err *err);

/**
 * img_store_list() - all images by name, those without a name last
 * @arena: owns what is returned
 * @ret: array
 * Return: number; -errno with a message.
 */
int img_store_list(struct img_store *store, struct arena *arena, struct img_image **ret,
		   struct err *err);

/**
 * img_store_tag() - give an image a name, which another may have had
 * Return: 0; -ENOENT there is no such image; -errno with a message.
 */
int img_store_tag(struct img_store *store, const char *id, const struct img_reference *ref,
		  struct err *err);

/**
 * img_store_pulled() - note that a registry has an image under a digest
 * @repository: as of struct img_reference; @digest: "sha256:<hex>"
 * Return: 0; -ENOENT there is no such image; -errno with a message.
 */
int img_store_pulled(struct img_store *store, const char *repository, const char *digest,
		     const char *id, struct err *err);

/**
 * img_store_digests() - the names with digests that registries know an image by
 * @ret: "repository@sha256:<hex>", strings in @arena
 * Return: number; -errno with a message.
 */
int img_store_digests(struct img_store *store, const char *id, struct arena *arena,
		      struct img_words *ret, struct err *err);

/** struct img_new - an image and @nr_refs names it gets */
struct img_new {
	struct img_image image;
	struct img_reference *refs;
	size_t nr_refs;
};

/**
 * img_store_add_all() - make @n images visible, or give their names to them, all or none
 * Their blobs and layers are in place.
 * Return: 0; -errno with a message, the store is unchanged then.
 */
int img_store_add_all(struct img_store *store, const struct img_new *const *list, size_t n,
		      struct err *err);

/** img_store_sync() - blobs and layers that were moved to their places stay there; 0 or -errno */
int img_store_sync(struct img_store *store, struct err *err);

/** img_store_config() - read an image's configuration; 0 or -errno with a message */
int img_store_config(struct img_store *store, const struct img_image *image, struct img_config *ret,
		     struct err *err);

/** img_store_config_text() - append an image's configuration as it is; 0 or -errno with a message */
int img_store_config_text(struct img_store *store, const struct img_image *image, struct str *ret,
			  struct err *err);

#define IMG_BLOB_PATH_SIZE 96 /* bytes */

/** img_blob_path() - where a blob is below the directory of the store; @digest: "sha256:<hex>", or <hex> alone */
void img_blob_path(const char *digest, char ret[IMG_BLOB_PATH_SIZE]);

/** img_store_layers_fd() - directory "layers", owned by the store */
int img_store_layers_fd(const struct img_store *store);

/** img_store_root_fd() - directory of the store, owned by it */
int img_store_root_fd(const struct img_store *store);

/** struct img_work - a directory in which an image is being made; @name below tmp/, @meter of the store */
struct img_work {
	int lock, dir;
	struct img_meter *meter;
	char name[17];
};

/**
 * img_work_begin() - make a directory that vanishes when its maker dies
 * Removes what makers that died have left.
 * @ret: filled; end with img_work_end()
 * Return: 0; -errno with a message.
 */
int img_work_begin(struct img_store *store, struct img_work *ret, struct err *err);

/**
 * img_work_unpack() - make a layer: a directory with "fs", and beside it how many bytes of files that has
 * @name: of the new directory below the work directory
 * @s: as of img_layer_unpack()
 * @ret_size: bytes of regular files
 * Return: codes of img_layer_unpack().
 */
int img_work_unpack(const struct img_work *work, const char *name, struct img_stream *s,
		    enum img_layer_kind kind, uint64_t *ret_size, struct err *err);

/**
 * img_work_blob() - move a finished file into the blobs
 * @name: file below the work directory
 * @digest: "sha256:<hex>"
 * Return: 0; -errno with a message.
 */
int img_work_blob(struct img_store *store, const struct img_work *work, const char *name,
		  const char *digest, struct err *err);

/** img_work_put() - make a blob of @text; fills @ret_digest ("sha256:<hex>", 72 bytes) */
int img_work_put(struct img_store *store, const struct img_work *work, const char *text, size_t len,
		 char *ret_digest, struct err *err);

/**
 * img_work_layer() - move a finished directory (with "fs" in it) to the layers
 * @chain: hexadecimal chain id; when there is one already, that one stays
 * Return: 0; -errno with a message.
 */
int img_work_layer(struct img_store *store, const struct img_work *work, const char *name,
		   const char *chain, struct err *err);

/** img_work_sync() - everything written so far survives a power failure */
int img_work_sync(const struct img_work *work, struct err *err);

/** img_work_end() - remove the directory */
void img_work_end(struct img_work *work);

/** img_store_free() - release; NULL is fine */
void img_store_free(struct img_store *store);

static inline void img_store_freep(struct img_store **store)
{
	img_store_free(*store);
}

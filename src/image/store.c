/* SPDX-License-Identifier: MIT */
/**
 * DOC: the image store
 *
 * A blob or layer appears by one rename(2) of something complete and is never changed.  An image
 * appears by one transaction, after all it refers to is on disk (index.c).
 */
#include "image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "image/config.h"
#include "image/internal.h"
#include "image/meter.h"
#include "image/reference.h"

#define ID_PREFIX_MIN 4 /* digits */

static int make_directories(struct img_store *store, const char *root, struct err *err)
{
	static const char *const names[] = { "images", "images/blobs", "images/blobs/sha256",
					     "layers", "tmp" };
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	int r;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (mkdirat(store->root, names[i], 0700) < 0 && errno != EEXIST)
			return err_set(err, -errno, "create directory '%s/%s'", root, names[i]);
	_cleanup_close_ int images = openat(store->root, "images",
					    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = images < 0 ? -errno : img_index_repair(store, err);
	if (r == 0) /* last: its presence says that the rest is there */
		r = file_replace(images, "oci-layout", layout, sizeof(layout) - 1, 0644);
	return r < 0 ? err_set(err, r, "create the image layout in '%s/images'", root) : 0;
}

int img_store_open(const char *root, struct db *db, struct img_store **ret, struct err *err)
{
	_cleanup_(img_store_freep) struct img_store *store = calloc(1, sizeof(*store));

	if (store == NULL)
		return err_set(err, -ENOMEM, "open the image store");
	store->db = db;
	store->layers = -EBADF;
	store->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->root < 0)
		return err_set(err, -errno, "open store '%s'", root);
	if (faccessat(store->root, "images/oci-layout", F_OK, 0) < 0) {
		int r = make_directories(store, root, err);

		if (r < 0)
			return r;
	} else if (img_index_is_old(store))
		(void) img_index_repair(store, NULL); /* the next one tries again */
	store->layers = openat(store->root, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->layers < 0)
		return err_set(err, -errno, "open directory '%s/layers'", root);
	*ret = take_ptr(store);
	return 0;
}

void img_store_free(struct img_store *store)
{
	if (store == NULL)
		return;
	cleanup_closep(&store->root);
	cleanup_closep(&store->layers);
	free(store);
}

void img_store_meter(struct img_store *store, struct img_meter *meter)
{
	store->meter = meter;
}

int img_store_layers_fd(const struct img_store *store)
{
	return store->layers;
}

int img_store_root_fd(const struct img_store *store)
{
	return store->root;
}

static int read_row(struct db_rows *rows, struct arena *arena, struct img_image *ret,
		    struct err *err)
{
	struct img_image image = {
		.id = arena_strdup(arena, db_text(rows, 0)),
		.repository = arena_strdup(arena, db_text(rows, 1)),
		.tag = arena_strdup(arena, db_text(rows, 2)),
		.manifest = arena_strdup(arena, db_text(rows, 3)),
		.manifest_size = db_i64(rows, 4),
		.created = db_i64(rows, 5),
		.size = db_i64(rows, 6),
		.chain = arena_strdup(arena, db_text(rows, 7)),
	};

	if (image.id == NULL || image.repository == NULL || image.tag == NULL ||
	    image.manifest == NULL || image.chain == NULL)
		return err_set(err, -ENOMEM, "read the list of images");
	*ret = image;
	return 0;
}

#define COLUMNS                                                                                 \
	"SELECT i.id, coalesce(r.repository, '<none>'), coalesce(r.tag, '<none>'), i.manifest," \
	" i.manifest_size, i.created, i.size, i.chain FROM "

static int find_name(struct img_store *store, const struct img_reference *ref, struct arena *arena,
		     struct img_image *ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r;

	if (ref->digest[0] != '\0')
		r = db_query(store->db, &rows, err,
			     COLUMNS "image i LEFT JOIN reference r ON r.image = i.id "
				     "AND r.repository = ?1 WHERE i.manifest = ?2 OR i.id IN "
				     "(SELECT image FROM pulled WHERE repository = ?1 AND digest = ?2)",
			     "ss", ref->repository, ref->digest);
	else
		r = db_query(store->db, &rows, err,
			     COLUMNS "reference r JOIN image i ON r.image = i.id "
				     "WHERE r.repository = ? AND r.tag = ?",
			     "ss", ref->repository, ref->tag);
	if (r == 0)
		r = db_next(rows, err);
	if (r == 1)
		return read_row(rows, arena, ret, err);
	return r == 0 ? -ENOENT : r;
}

static int find_id(struct img_store *store, const char *id, struct arena *arena,
		   struct img_image *ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct img_image image;
	int r = db_query(store->db, &rows, err,
			 COLUMNS "image i LEFT JOIN reference r ON r.image = i.id "
				 "WHERE i.id >= ?1 AND i.id < ?1 || 'g' ORDER BY i.id",
			 "s", id);

	if (r == 0)
		r = db_next(rows, err);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = read_row(rows, arena, &image, err);
	while (r == 0 && (r = db_next(rows, err)) == 1) {
		if (strcmp(db_text(rows, 0), image.id) != 0)
			return err_msg(
				err, -ENOTUNIQ,
				"several images have an id that begins with '%s': give more digits",
				id);
		r = 0;
	}
	if (r == 0)
		*ret = image;
	return r;
}

int img_store_find(struct img_store *store, const char *name, struct arena *arena,
		   struct img_image *ret, struct err *err)
{
	const char *hex = str_starts(name, "sha256:") ? name + 7 : name;
	struct img_reference ref;
	int r = hex == name ? img_reference_parse(name, &ref, err) : -ENOENT;

	if (r == 0)
		r = find_name(store, &ref, arena, ret, err);
	if (r == -ENOENT && strlen(hex) >= ID_PREFIX_MIN &&
	    strspn(hex, "0123456789abcdef") == strlen(hex))
		r = find_id(store, hex, arena, ret, err);
	if (r == -ENOENT)
		return err_msg(err, -ENOENT,
			       "no image '%s' here: see 'cleave image ls', or get it with "
			       "'cleave pull', 'cleave load' or 'cleave import'",
			       name);
	return r;
}

int img_store_list(struct img_store *store, struct arena *arena, struct img_image **ret,
		   struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct img_image *list = NULL;
	size_t n = 0, room = 0;
	int r = db_query(store->db, &rows, err,
			 COLUMNS
			 "image i LEFT JOIN reference r ON r.image = i.id "
			 "ORDER BY r.repository IS NULL, r.repository, r.tag, i.created DESC",
			 "");

	if (r < 0)
		return r;
	while ((r = db_next(rows, err)) == 1) {
		list = arena_grow(arena, list, n, &room, sizeof(*list));
		if (list == NULL)
			return err_set(err, -ENOMEM, "read the list of images");
		r = read_row(rows, arena, &list[n++], err);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*ret = list;
	return (int) n;
}

static int add_one(struct img_store *store, const struct img_new *new, struct err *err)
{
	const struct img_image *image = &new->image;
	int r = db_run(store->db, err,
		       "INSERT INTO image(id, manifest, manifest_size, created, size, chain) "
		       "VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO NOTHING",
		       "ssiiis", image->id, image->manifest, image->manifest_size, image->created,
		       image->size, image->chain);

	for (size_t i = 0; r >= 0 && i < new->nr_refs; i++)
		r = db_run(store->db, err,
			   "INSERT INTO reference(repository, tag, image) VALUES(?, ?, ?) "
			   "ON CONFLICT(repository, tag) DO UPDATE SET image = excluded.image",
			   "sss", new->refs[i].repository, new->refs[i].tag, image->id);
	return r;
}

int img_store_add_all(struct img_store *store, const struct img_new *const *list, size_t n,
		      struct err *err)
{
	int images, r = img_change_begin(store, &images, err);

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = add_one(store, list[i], err);
	r = img_change_end(store, images, r, err);
	return r < 0 ? r : 0;
}

int img_store_tag(struct img_store *store, const char *id, const struct img_reference *ref,
		  struct err *err)
{
	int images, r = img_change_begin(store, &images, err);

	if (r == 0)
		r = db_run(store->db, err,
			   "INSERT INTO reference(repository, tag, image) SELECT ?, ?, id FROM image"
			   " WHERE id = ? ON CONFLICT(repository, tag) DO UPDATE SET image = excluded.image",
			   "sss", ref->repository, ref->tag, id);
	if (r == 0)
		r = err_msg(err, -ENOENT, "image %.12s was removed meanwhile", id);
	r = img_change_end(store, images, r, err);
	return r < 0 ? r : 0;
}

int img_store_sync(struct img_store *store, struct err *err)
{
	_cleanup_close_ int blobs = openat(store->root, "images/blobs/sha256",
					   O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (blobs < 0 || fsync(blobs) < 0 || fsync(store->layers) < 0)
		return err_set(err, -errno, "write the image to disk");
	return 0;
}

void img_blob_path(const char *digest, char ret[IMG_BLOB_PATH_SIZE])
{
	const char *colon = strchr(digest, ':');

	(void) snprintf(ret, IMG_BLOB_PATH_SIZE, "images/blobs/sha256/%.64s",
			colon != NULL ? colon + 1 : digest);
}

int img_store_config_text(struct img_store *store, const struct img_image *image, struct str *ret,
			  struct err *err)
{
	char path[IMG_BLOB_PATH_SIZE];
	int r;

	img_blob_path(image->id, path);
	r = file_read(store->root, path, IMG_CONFIG_SIZE_MAX, ret);
	if (r == -ENOENT)
		return err_msg(err, r,
			       "image '%.12s' was removed meanwhile, or its configuration is damaged: see "
			       "'cleave system check'",
			       image->id);
	return r < 0 ? err_set(err, r, "read the configuration of image '%.12s'", image->id) : 0;
}

int img_store_config(struct img_store *store, const struct img_image *image, struct img_config *ret,
		     struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	int r = img_store_config_text(store, image, &text, err);

	return r < 0 ? r : img_config_parse("image configuration", text.p, text.len, ret, err);
}

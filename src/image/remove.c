/* SPDX-License-Identifier: MIT */
/**
 * DOC: removing images
 *
 * First the rows, in one transaction; then what nobody refers to any more is removed from disk. Whoever dies
 * in between leaves files that the next removal finds.  A layer is renamed into tmp/ before it is
 * removed, so there is never half of one.
 */
#include "image/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "image/config.h"
#include "image/internal.h"
#include "image/reference.h"
#include "image/store.h"

#define HEX_LEN 64
#define MANIFEST_LAYERS_MAX 4096

/* A sorted set of hexadecimal digests */
struct set {
	char (*v)[HEX_LEN + 1];
	size_t n, room;
};

static void set_fini(struct set *s)
{
	free(s->v);
}

static int set_add(struct set *s, const char *hex, size_t len)
{
	if (len != HEX_LEN)
		return 0; /* another kind of directory */
	if (s->n == s->room) {
		size_t room = s->room * 2 + 64;
		char(*v)[HEX_LEN + 1] = reallocarray(s->v, room, sizeof(*v));

		if (v == NULL)
			return -ENOMEM;
		s->v = v;
		s->room = room;
	}
	memcpy(s->v[s->n], hex, HEX_LEN);
	s->v[s->n++][HEX_LEN] = '\0';
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void set_sort(struct set *s)
{
	if (s->n > 0)
		qsort(s->v, s->n, sizeof(*s->v), compare);
}

static bool set_has(const struct set *s, const char *hex)
{
	return s->n > 0 && bsearch(hex, s->v, s->n, sizeof(*s->v), compare) != NULL;
}

int img_names(struct img_store *store, const char *id, struct arena *arena, struct img_words *ret,
	      struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct img_words names = { 0 };
	int r = db_query(store->db, &rows, err,
			 "SELECT repository || ':' || tag FROM reference WHERE image = ? ORDER BY 1",
			 "s", id);

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		const char **v = arena_alloc(arena, names.n + 2, sizeof(*v));

		if (v != NULL && names.n > 0)
			memcpy(v, names.v, names.n * sizeof(*v));
		if (v == NULL || (v[names.n] = arena_strdup(arena, db_text(rows, 0))) == NULL)
			return err_set(err, -ENOMEM, "read the names of image '%.12s'", id);
		names.v = v;
		names.n++;
		r = 0;
	}
	if (r < 0)
		return r;
	*ret = names;
	return (int) names.n;
}

uint64_t img_layer_bytes(struct img_store *store, const char *chain)
{
	char path[16 + HEX_LEN];

	(void) snprintf(path, sizeof(path), "%.64s/fs", chain);
	return dir_size(store->layers, path);
}

int img_untag(struct img_store *store, const struct img_reference *ref, struct err *err)
{
	int images, r = img_change_begin(store, &images, err);

	if (r == 0)
		r = db_run(store->db, err,
			   "DELETE FROM reference WHERE repository = ? AND tag = ?", "ss",
			   ref->repository, ref->tag);
	if (r == 0)
		r = err_msg(err, -ENOENT, "no image '%s:%s' here", ref->repository, ref->tag);
	r = img_change_end(store, images, r, err);
	return r < 0 ? r : 0;
}

int img_forget(struct img_store *store, const char *id, int (*may)(void *data, struct err *err),
	       void *data, struct err *err)
{
	int images, r = img_change_begin(store, &images, err);

	if (r == 0 && may != NULL)
		r = may(data, err);
	if (r == 0)
		r = db_run(store->db, err, "DELETE FROM reference WHERE image = ?", "s", id);
	if (r >= 0)
		r = db_run(store->db, err, "DELETE FROM pulled WHERE image = ?", "s", id);
	if (r >= 0)
		r = db_run(store->db, err, "DELETE FROM image WHERE id = ?", "s", id);
	r = img_change_end(store, images, r, err);
	return r < 0 ? r : 0;
}

static const char *hex_of(const char *digest)
{
	return str_starts(digest, "sha256:") ? digest + strlen("sha256:") : "";
}

/* Blobs that a manifest names.  Nobody knows what one needs that cannot be read: *ret_all, keep all. */
static int keep_manifest(struct img_store *store, const char *hex, struct set *blobs,
			 bool *ret_all)
{
	_cleanup_(str_fini) struct str text = { 0 };
	_cleanup_(arena_fini) struct arena strings = { 0 };
	const struct json *layers, *config;
	char path[IMG_BLOB_PATH_SIZE];
	struct json_in in;
	int r;

	img_blob_path(hex, path);
	if (file_read(store->root, path, IMG_CONFIG_SIZE_MAX, &text) < 0 || text.p == NULL) {
		*ret_all = true;
		return 0;
	}
	r = json_parse(&in, "manifest", &strings, text.p, text.len, NULL);
	*ret_all = *ret_all || r < 0;
	config = r == 0 ? json_get_object(&in, in.root, "config") : NULL;
	layers = r == 0 ? json_get_array(&in, in.root, "layers", MANIFEST_LAYERS_MAX) : NULL;
	r = 0;
	if (config != NULL) {
		const char *digest = json_get_str(&in, config, "digest");

		r = digest != NULL ? set_add(blobs, hex_of(digest), strlen(hex_of(digest))) : 0;
	}
	for (const struct json *l = layers != NULL ? layers->first : NULL; r == 0 && l != NULL;
	     l = l->next) {
		const char *digest = json_get_str(&in, l, "digest");

		r = digest != NULL ? set_add(blobs, hex_of(digest), strlen(hex_of(digest))) : 0;
	}
	json_fini(&in);
	return r;
}

static int keep_chain(const char *chain, struct set *layers)
{
	int r = 0;

	while (r == 0 && *chain != '\0') {
		size_t n = strcspn(chain, " ");

		r = set_add(layers, chain, n);
		chain += n + strspn(chain + n, " ");
	}
	return r;
}

static int keep_images(struct img_store *store, struct set *blobs, struct set *layers,
		       bool *ret_all, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(store->db, &rows, err, "SELECT id, manifest, chain FROM image", "");

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		const char *manifest = hex_of(db_text(rows, 1));

		r = set_add(blobs, db_text(rows, 0), strlen(db_text(rows, 0)));
		if (r == 0)
			r = set_add(blobs, manifest, strlen(manifest));
		if (r == 0)
			r = keep_manifest(store, manifest, blobs, ret_all);
		if (r == 0)
			r = keep_chain(db_text(rows, 2), layers);
		if (r < 0)
			return err_set(err, r, "find what images need");
	}
	set_sort(blobs);
	return r;
}

static int keep_chains(const struct img_words *chains, struct set *layers, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < chains->n; i++)
		r = keep_chain(chains->v[i], layers);
	set_sort(layers);
	return r < 0 ? err_set(err, r, "find what instances need") : 0;
}

static int remove_layer(struct img_store *store, int dir, const char *name)
{
	char path[16 + HEX_LEN];

	(void) snprintf(path, sizeof(path), "tmp/%.64s", name);
	if (renameat(dir, name, store->root, path) < 0 && errno != ENOENT)
		return -errno;
	return dir_remove(store->root, path);
}

/* What is done with what nobody keeps: it is told, or it is removed and counted */
struct others {
	void (*each)(void *data, const char *path);
	void *data;
	uint64_t bytes;
};

static int one_other(struct img_store *store, int dir, const char *path, const char *name,
		     bool layers, struct others *o)
{
	char full[64 + HEX_LEN];

	if (o->each != NULL) {
		(void) snprintf(full, sizeof(full), "%.32s/%.64s", path, name);
		o->each(o->data, full);
		return 0;
	}
	o->bytes += dir_size(dir, name);
	if (layers)
		return remove_layer(store, dir, name);
	return unlinkat(dir, name, 0) < 0 ? -errno : 0;
}

/* Entries of a directory whose names are digests that nobody keeps */
static int each_other(struct img_store *store, const char *path, const struct set *kept,
		      bool layers, struct others *o, struct err *err)
{
	int fd = openat(store->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	struct dirent *d;

	if (fd < 0)
		return err_set(err, -errno, "open directory '%s' of the store", path);
	_cleanup_closedir_ DIR *dir = fdopendir(fd);
	if (dir == NULL)
		return err_set(err, -ENOMEM, "open directory '%s' of the store", path);
	while (r == 0 && (d = readdir(dir)) != NULL) {
		if (strlen(d->d_name) != HEX_LEN || set_has(kept, d->d_name))
			continue;
		r = one_other(store, fd, path, d->d_name, layers, o);
		if (r < 0)
			return err_set(err, r, "remove '%s/%s'", path, d->d_name);
	}
	return 0;
}

/* @users: NULL: @chains tells */
static int each_orphan(struct img_store *store, img_users_fn *users, void *data,
		       const struct img_words *chains, struct others *o, struct err *err)
{
	_cleanup_(set_fini) struct set blobs = { 0 }, layers = { 0 };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_words used = { 0 };
	bool all = false;
	int r = 0;

	_cleanup_close_ int lock = openat(store->root, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0)
		return err_set(err, -errno, "open directory 'tmp' of the store");
	if (flock(lock, LOCK_EX | LOCK_NB) < 0) /* held by who makes an image */
		return errno == EWOULDBLOCK ? 0 : err_set(err, -errno, "lock the image store");
	if (o->each == NULL)
		r = img_work_sweep(lock, err);
	if (r == 0)
		r = keep_images(store, &blobs, &layers, &all, err);
	if (r == 0 && users != NULL)
		r = users(data, &arena, &used, err);
	if (r == 0)
		r = keep_chains(users != NULL ? &used : chains, &layers, err);
	if (r == 0)
		r = each_other(store, "layers", &layers, true, o, err);
	if (r == 0 && !all)
		r = each_other(store, "images/blobs/sha256", &blobs, false, o, err);
	return r;
}

int img_collect(struct img_store *store, img_users_fn *users, void *data, uint64_t *ret_bytes,
		struct err *err)
{
	struct others o = { 0 };
	int r = each_orphan(store, users, data, NULL, &o, err);

	if (ret_bytes != NULL)
		*ret_bytes = o.bytes;
	return r;
}

int img_orphans(struct img_store *store, const struct img_words *chains,
		void (*each)(void *data, const char *path), void *data, struct err *err)
{
	struct others o = { .each = each, .data = data };

	return each_orphan(store, NULL, NULL, chains, &o, err);
}

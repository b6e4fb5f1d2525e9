/* SPDX-License-Identifier: MIT */
/**
 * DOC: after the machine stopped
 *
 * Blobs can be checked against their digests and layers cannot, so layers are made anew from the blobs.
 */
#include "image/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/str.h"
#include "image/archive.h"
#include "image/config.h"
#include "image/fetch.h"
#include "image/internal.h"
#include "image/remove.h"
#include "image/store.h"

struct restore {
	struct img_store *store;
	struct arena arena;
	struct img_fetch *layers;
	size_t n;
};

/* "layer CHAIN DIFF_ID DIGEST" */
static int add_layer(struct restore *rs, const char *line, struct err *err)
{
	struct img_fetch *f = &rs->layers[rs->n];

	if (sscanf(line, "layer %64[0-9a-f] %71[a-f0-9:sh] %71[a-f0-9:sh]", f->chain, f->diff_id,
		   f->digest) != 3 ||
	    strlen(f->chain) != SHA256_HEX_LEN || strlen(f->digest) != 71)
		return 0; /* the note itself is not whole: it was never complete, nor was its image */
	f->member = arena_printf(&rs->arena, "blobs/sha256/%s", f->digest + strlen("sha256:"));
	if (f->member == NULL)
		return err_set(err, -ENOMEM, "restore images");
	rs->n++;
	return 0;
}

static int read_note(struct restore *rs, const char *note, struct err *err)
{
	size_t lines = 1;
	int r = 0;

	for (const char *p = note; *p != '\0'; p++)
		lines += *p == '\n';
	rs->layers = arena_alloc(&rs->arena, lines, sizeof(*rs->layers));
	if (rs->layers == NULL)
		return err_set(err, -ENOMEM, "restore images");
	for (const char *p = note; r == 0 && p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (str_starts(p, "layer "))
			r = add_layer(rs, p, err);
	}
	return r;
}

/* What is there may be damaged: out of the way. */
static int move_away(struct restore *rs, const struct img_work *work, struct err *err)
{
	for (size_t i = 0; i < rs->n; i++) {
		char name[32];

		(void) snprintf(name, sizeof(name), "old%zu", i);
		if (renameat(rs->store->layers, rs->layers[i].chain, work->dir, name) < 0 &&
		    errno != ENOENT)
			return err_set(err, -errno, "move a layer away");
	}
	return 0;
}

/* Every layer by itself: one that is damaged takes no other with it. */
static int unpack_all(struct restore *rs, const struct img_work *work, struct err *err)
{
	_cleanup_(img_archive_freep) struct img_archive *blobs = NULL;
	_cleanup_close_ int dir = openat(rs->store->root, "images",
					 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = dir < 0 ? err_set(err, -errno, "open directory 'images' of the store")
			: img_archive_open(dir, work, &blobs, err);

	for (size_t i = 0; r == 0 && i < rs->n; i++) {
		if (img_fetch_all(rs->store, work, blobs, &rs->layers[i], 1, NULL) == 0)
			r = img_work_sync(work, err);
		else
			rs->layers[i].stored = rs->layers[i].unpacked = false;
		if (r == 0)
			r = img_fetch_publish(rs->store, work, &rs->layers[i], 1, err);
		/* img_fetch_all() begins with these names each time */
		if (r == 0 && (dir_remove(work->dir, "b0") < 0 || dir_remove(work->dir, "l0") < 0))
			r = err_set(err, -EIO, "remove what could not be unpacked");
	}
	return r;
}

static bool blob_ok(const struct restore *rs, const char *digest)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[IMG_BLOB_PATH_SIZE], hex[SHA256_HEX_LEN + 1];

	img_blob_path(digest, path);
	if (file_read(rs->store->root, path, IMG_CONFIG_SIZE_MAX, &text) < 0)
		return false;
	sha256_hex(text.p != NULL ? text.p : "", text.len, hex);
	return strcmp(hex, digest) == 0;
}

static bool layers_ok(const struct restore *rs, const char *chain)
{
	for (const char *p = chain; strlen(p) >= SHA256_HEX_LEN;
	     p += SHA256_HEX_LEN + (p[SHA256_HEX_LEN] == ' ')) {
		char path[80];

		(void) snprintf(path, sizeof(path), "%.64s/fs", p);
		if (faccessat(rs->store->layers, path, F_OK, 0) < 0)
			return false;
	}
	return true;
}

static int forget_damaged(struct restore *rs, struct str *lost, struct err *err)
{
	struct img_image *list = NULL;
	int n = img_store_list(rs->store, &rs->arena, &list, err), r = n < 0 ? n : 0;

	for (int i = 0; r == 0 && i < n; i++) {
		const struct img_image *image = &list[i];

		if (blob_ok(rs, image->id) && blob_ok(rs, image->manifest + strlen("sha256:")) &&
		    layers_ok(rs, image->chain))
			continue;
		str_printf(lost, "cleave: image '%s:%s' (%.12s) was not on disk when the machine stopped, and is gone\n",
			   image->repository, image->tag, image->id);
		r = img_forget(rs->store, image->id, NULL, NULL, err);
	}
	return r;
}

int img_restore(struct img_store *store, const char *note, struct str *lost, struct err *err)
{
	struct restore rs = { .store = store };
	struct img_work work;
	int r = img_work_begin(store, &work, err);

	if (r < 0)
		return r;
	r = read_note(&rs, note, err);
	if (r == 0)
		r = move_away(&rs, &work, err);
	if (r == 0)
		r = unpack_all(&rs, &work, err);
	if (r == 0)
		r = img_store_sync(store, err);
	if (r == 0)
		r = forget_damaged(&rs, lost, err);
	img_work_end(&work);
	arena_fini(&rs.arena);
	return r;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: the list of images
 *
 * The tables say which images there are; index.json is the same for other programs.  Who changes the
 * list holds the lock of directory "images", writes the new index beside the old one, commits, and
 * renames it.  A new index that was left there, by somebody who died, says that index.json may be old:
 * who sees it writes index.json from the tables.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "image/internal.h"
#include "image/store.h"

#define INDEX "index.json"
#define NEW ".index.json.new"

int img_index_text(struct img_store *store, struct str *text, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_image *list = NULL;
	int n = img_store_list(store, &arena, &list, err);

	if (n < 0)
		return n;
	str_puts(
		text,
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[");
	for (int i = 0; i < n; i++) {
		str_printf(text,
			   "%s{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
			   "\"digest\":\"%s\",\"size\":%lld",
			   i > 0 ? "," : "", list[i].manifest, (long long) list[i].manifest_size);
		if (list[i].repository[0] != '<')
			str_printf(
				text,
				",\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s:%s\"}",
				list[i].repository, list[i].tag);
		str_puts(text, "}");
	}
	str_puts(text, "]}\n");
	if (text->failed)
		return err_set(err, -ENOMEM, "write index.json");
	return 0;
}

static int write_new(struct img_store *store, int images, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	int r = img_index_text(store, &text, err);

	if (r < 0)
		return r;
	_cleanup_close_ int fd = openat(images, NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	r = fd < 0 ? -errno : fd_write_full(fd, text.p, text.len);
	return r < 0 ? err_set(err, r, "write index.json of the images") : 0;
}

int img_change_begin(struct img_store *store, int *ret_images, struct err *err)
{
	int r;

	*ret_images = -EBADF;
	_cleanup_close_ int images = openat(store->root, "images",
					    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (images < 0 || flock(images, LOCK_EX) < 0)
		return err_set(err, -errno, "lock directory 'images' of the store");
	r = db_begin(store->db, err);
	if (r == 0)
		*ret_images = take_fd(images);
	return r;
}

int img_change_end(struct img_store *store, int images, int r, struct err *err)
{
	int w;

	if (images < 0)
		return r;
	w = r < 0 ? r : write_new(store, images, err);
	if (w == 0)
		w = db_commit(store->db, err);
	else
		db_rollback(store->db);
	if (w < 0)
		(void) unlinkat(images, NEW, 0); /* or the next one writes the index */
	else
		(void) renameat(images, NEW, images, INDEX); /* as above */
	(void) close(images); /* read-only */
	return w < 0 ? w : r;
}

bool img_index_is_old(const struct img_store *store)
{
	return faccessat(store->root, "images/" NEW, F_OK, 0) == 0;
}

int img_index_repair(struct img_store *store, struct err *err)
{
	int images, r = img_change_begin(store, &images, err);

	return img_change_end(store, images, r, err);
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "image/config.h"
#include "image/internal.h"
#include "image/store.h"

int img_store_pulled(struct img_store *store, const char *repository, const char *digest,
		     const char *id, struct err *err)
{
	int r = db_run(store->db, err,
		       "INSERT INTO pulled(repository, digest, image) SELECT ?, ?, id FROM image "
		       "WHERE id = ? ON CONFLICT(repository, digest) DO UPDATE SET image = excluded.image",
		       "sss", repository, digest, id);

	return r == 0 ? err_msg(err, -ENOENT, "image %.12s was removed meanwhile", id)
	       : r < 0 ? r
		       : 0;
}

int img_store_digests(struct img_store *store, const char *id, struct arena *arena,
		      struct img_words *ret, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	struct img_words w = { 0 };
	size_t room = 0;
	int r = db_query(store->db, &rows, err,
			 "SELECT repository || '@' || digest FROM pulled WHERE image = ? ORDER BY 1",
			 "s", id);

	while (r == 0 && (r = db_next(rows, err)) == 1) {
		r = 0;
		w.v = arena_grow(arena, w.v, w.n, &room, sizeof(*w.v));
		if (w.v == NULL || (w.v[w.n++] = arena_strdup(arena, db_text(rows, 0))) == NULL)
			return err_set(err, -ENOMEM, "read the list of images");
	}
	if (r < 0)
		return r;
	*ret = w;
	return (int) w.n;
}

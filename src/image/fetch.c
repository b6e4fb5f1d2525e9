/* SPDX-License-Identifier: MIT */
/**
 * DOC: layers of an archive
 *
 * A layer that the store has is not read again.  Two threads share what remains: one decompresses while
 * the other waits for the disk, or both unpack.  Everything is made in the work directory ("lN/fs", "bN").
 */
#include "image/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/str.h"
#include "image/archive.h"
#include "image/internal.h"
#include "image/meter.h"
#include "image/store.h"

#define THREADS 2

struct crew {
	struct img_store *store;
	const struct img_work *work;
	const struct img_archive *archive;
	struct img_fetch *list;
	size_t n;
	atomic_size_t next;
	atomic_int failed;
	pthread_mutex_t mutex; /* of @err */
	struct err err;
};

void img_fetch_chain(const char *below, const char *diff_id, char ret[65])
{
	char text[160];
	int n;

	if (*below == '\0') {
		memcpy(ret, diff_id + strlen("sha256:"), 65);
		return;
	}
	n = snprintf(text, sizeof(text), "sha256:%s %s", below, diff_id);
	sha256_hex(text, (size_t) n, ret);
}

static uint64_t layer_size(struct img_store *store, const char *chain)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[80];
	uint64_t v = 0;

	(void) snprintf(path, sizeof(path), "%s/size", chain); /* 64 digits */
	if (file_read(store->layers, path, 32, &text) < 0 || text.p == NULL ||
	    str_to_u64(text.p, &v) < 0)
		return 0;
	return v;
}

static bool has_layer(struct img_store *store, const char *chain)
{
	char path[80];

	(void) snprintf(path, sizeof(path), "%s/fs", chain); /* 64 digits */
	return faccessat(store->layers, path, F_OK, 0) == 0;
}

/* Bytes of a blob of the store; false: there is none */
static bool has_blob(struct img_store *store, const char *digest, uint64_t *ret_size)
{
	char path[IMG_BLOB_PATH_SIZE];
	struct stat st;

	img_blob_path(digest, path);
	if (fstatat(store->root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	*ret_size = (uint64_t) st.st_size;
	return true;
}

static int check(const struct img_fetch *f, struct err *err)
{
	if (strcmp(f->sum.diff_id, f->diff_id) != 0)
		return err_msg(err, -EBADMSG, "layer '%.100s' unpacks to %s, the image says %s",
			       f->member, f->sum.diff_id, f->diff_id);
	if (f->digest[0] != '\0' && strcmp(f->sum.blob, f->digest) != 0)
		return err_msg(err, -EBADMSG, "layer '%.100s' has the digest %s", f->member,
			       f->sum.blob);
	if (f->size != 0 && f->sum.blob_size != f->size)
		return err_msg(err, -EBADMSG, "layer '%.100s' has %llu bytes, the image says %llu",
			       f->member, (unsigned long long) f->sum.blob_size,
			       (unsigned long long) f->size);
	return 0;
}

static int unpack(const struct crew *c, struct img_fetch *f, struct img_stream *s, struct err *err)
{
	char name[32];
	int r;

	(void) snprintf(name, sizeof(name), "l%zu", (size_t) (f - c->list));
	r = img_work_unpack(c->work, name, s, IMG_LAYER_CHANGES, &f->content, err);
	f->unpacked = r == 0;
	return r;
}

/* True when the store has all of it; then @f is complete. */
static bool at_home(const struct crew *c, struct img_fetch *f, bool layer, bool plain)
{
	const char *digest = f->digest[0] != '\0' ? f->digest : f->diff_id;

	if (!layer || (f->digest[0] == '\0' && !plain) ||
	    !has_blob(c->store, digest, &f->sum.blob_size))
		return false;
	f->content = layer_size(c->store, f->chain);
	memcpy(f->sum.blob, digest, sizeof(f->sum.blob));
	f->sum.media_type = "application/vnd.oci.image.layer.v1.tar";
	return true;
}

/* A copy of the member is written to @ret_blob; what has a file of its own becomes the blob as it is. */
static int make_blob(const struct crew *c, const struct img_fetch *f, const struct img_member *m,
		     int *ret_blob, struct err *err)
{
	char name[32], path[32];

	(void) snprintf(name, sizeof(name), "b%zu", (size_t) (f - c->list));
	(void) snprintf(path, sizeof(path), "/proc/self/fd/%d", m->fd);
	if (m->flow != NULL)
		return linkat(AT_FDCWD, path, c->work->dir, name, AT_SYMLINK_FOLLOW) < 0
			       ? err_set(err, -errno, "link a blob in the store")
			       : 0;
	*ret_blob = openat(c->work->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return *ret_blob < 0 ? err_set(err, -errno, "create a file in the store") : 0;
}

static int fetch(const struct crew *c, struct img_fetch *f, struct err *err)
{
	_cleanup_(img_member_fini) struct img_member m = { .own = -EBADF };
	_cleanup_(img_stream_freep) struct img_stream *s = NULL;
	_cleanup_close_ int blob = -EBADF;
	bool layer;
	int r;

	if (f->home)
		return 0;
	layer = has_layer(c->store, f->chain);
	r = img_archive_find(c->archive, f->member, &m, err);
	if (r == 0)
		r = make_blob(c, f, &m, &blob, err);
	if (r < 0)
		return r;
	r = m.flow != NULL ? img_stream_open_flow(m.fd, m.flow, &s, err)
			   : img_stream_open_range(m.fd, m.at, m.size, blob, &s, err);
	if (r == 0)
		img_stream_meter(s, c->store->meter);
	if (r < 0 || at_home(c, f, layer, img_stream_seeks(s)))
		return r;
	if (layer)
		f->content = layer_size(c->store, f->chain);
	else
		r = unpack(c, f, s, err);
	if (r == 0)
		r = img_stream_finish(s, &f->sum, err);
	f->stored = true;
	return r == 0 ? check(f, err) : r;
}

static void expect(const struct crew *c)
{
	for (size_t i = 0; c->store->meter != NULL && i < c->n; i++) {
		_cleanup_(img_member_fini) struct img_member m = { .own = -EBADF };

		if (img_archive_find(c->archive, c->list[i].member, &m, NULL) == 0)
			img_meter_expect(c->store->meter, m.size);
	}
}

static void *work_off(void *data)
{
	struct crew *c = data;
	size_t i;

	while (atomic_load(&c->failed) == 0 && (i = atomic_fetch_add(&c->next, 1)) < c->n) {
		struct err err = { 0 };
		int r = fetch(c, &c->list[i], &err);

		(void) pthread_mutex_lock(&c->mutex); /* fails for a bad mutex only */
		if (r < 0 && atomic_load(&c->failed) == 0) {
			c->err = err;
			atomic_store(&c->failed, r);
		}
		(void) pthread_mutex_unlock(&c->mutex); /* as above */
		img_archive_done(c->archive, c->list[i].member, r);
	}
	return NULL;
}

int img_fetch_all(struct img_store *store, const struct img_work *work,
		  const struct img_archive *archive, struct img_fetch *list, size_t n,
		  struct err *err)
{
	struct crew c = { .store = store, .work = work, .archive = archive, .list = list, .n = n,
			  .mutex = PTHREAD_MUTEX_INITIALIZER };
	size_t helpers = 0;
	pthread_t threads[THREADS];
	int r;

	for (size_t i = 0; i < n; i++)
		list[i].home = list[i].digest[0] != '\0' &&
			       at_home(&c, &list[i], has_layer(store, list[i].chain), false);
	r = img_archive_begin(archive, list, n, err);
	if (r < 0)
		return r;
	expect(&c);
	/* this thread works too, so that none is fine */
	while (helpers + 1 < THREADS && helpers + 1 < n &&
	       pthread_create(&threads[helpers], NULL, work_off, &c) == 0)
		helpers++;
	(void) work_off(&c);
	for (size_t i = 0; i < helpers; i++)
		(void) pthread_join(threads[i], NULL); /* fails for a bad thread only */
	return c.failed != 0 ? err_msg(err, c.failed, "%s", c.err.text) : 0;
}

int img_fetch_publish(struct img_store *store, const struct img_work *work,
		      const struct img_fetch *list, size_t n, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		char name[32];

		(void) snprintf(name, sizeof(name), "b%zu", i);
		if (list[i].stored)
			r = img_work_blob(store, work, name, list[i].sum.blob, err);
		name[0] = 'l';
		if (r == 0 && list[i].unpacked)
			r = img_work_layer(store, work, name, list[i].chain, err);
	}
	return r;
}

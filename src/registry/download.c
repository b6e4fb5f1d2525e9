/* SPDX-License-Identifier: MIT */
/**
 * DOC: downloads
 *
 * Threads take one blob after the other and append what comes to its file in partial/.  Readers wait for bytes
 * by a condition.  What breaks is asked for again from where it ended; attempts count anew when a
 * good piece has come.  Digests are computed by who reads.
 *
 * Of a layer with a table of contents (toc.h) only that is asked for which no layer of the store has (reuse.h).
 */
#include "registry/download.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "image/archive.h"
#include "image/fetch.h"
#include "image/store.h"
#include "image/stream.h"
#include "registry/partial.h"
#include "registry/reuse.h"
#include "registry/session.h"
#include "registry/settings.h"
#include "registry/toc.h"
#include "registry/watch.h"

#define GOOD_PIECE (1u << 16) /* bytes after which a failure is a new one */
#define COPY_SIZE (1u << 17) /* bytes of one read of another layer */

struct blob {
	struct reg_downloads *all;
	struct reg_part *part;
	int fd; /* in partial/, or -EBADF */
	uint64_t have; /* bytes that can be read */
	bool ready; /* all is there */
	bool missing; /* it has to be downloaded */
	bool mixed; /* some of it is of other layers */
	struct reg_plan *plan; /* NULL: all has to come */
	struct img_flow flow;
};

struct reg_downloads {
	struct img_store *store;
	struct reg_session *session;
	const struct reg_watch *watch;
	int root, dir;
	bool resumed, watched;
	struct reg_part *parts;
	struct blob *blobs;
	size_t n, next;
	struct arena arena;
	struct reg_toc *tocs, *sources; /* of the layers that are wanted, of those that are here */
	int nr_tocs, nr_sources;
	atomic_bool stop;
	pthread_t threads[REG_DOWNLOADS_MAX];
	size_t nr_threads;
	pthread_mutex_t mutex; /* of what changes meanwhile */
	pthread_cond_t more;
	int code; /* of the first failure */
	struct err err;
};

static void lock(struct reg_downloads *d)
{
	(void) pthread_mutex_lock(&d->mutex); /* fails for a bad mutex only */
}

static void unlock(struct reg_downloads *d)
{
	(void) pthread_cond_broadcast(&d->more); /* these, too */
	(void) pthread_mutex_unlock(&d->mutex);
}

/* With the lock */
static void set_stage(struct reg_downloads *d, struct reg_part *p, enum reg_stage stage)
{
	if (atomic_load(&p->stage) == (int) stage)
		return;
	atomic_store(&p->stage, stage);
	d->watch->changed(d->watch->data, p);
}

/* A blob of the store; descriptor or -errno */
static int open_blob(struct reg_downloads *d, const char *digest)
{
	char path[IMG_BLOB_PATH_SIZE];
	int fd;

	img_blob_path(digest, path);
	fd = openat(d->root, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool in_store(struct reg_downloads *d, const char *digest)
{
	_cleanup_close_ int fd = open_blob(d, digest);

	return fd >= 0;
}

static void fail(struct reg_downloads *d, int r, const struct err *err)
{
	lock(d);
	if (d->code == 0) {
		d->code = r;
		d->err = *err;
	}
	atomic_store(&d->stop, true);
	unlock(d);
}

/* Bytes of @b that begin at @at; those that are there are left out: another server may begin anew. */
static int take(void *data, uint64_t at, const void *p, size_t n, struct err *err)
{
	struct blob *b = data;
	uint64_t skip = b->have - at; /* what was asked for begins at @b->have */

	if (at + n > b->part->total)
		return err_msg(err, -EBADMSG, "layer %.19s: the registry sent more than the %llu bytes of the "
					      "manifest",
			       b->part->digest, (unsigned long long) b->part->total);
	if (skip >= n)
		return 0;
	for (uint64_t done = skip; done < n;) {
		ssize_t w = pwrite(b->fd, (const char *) p + done, n - done, (off_t) (at + done));

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return err_set(err, -errno, "write layer %.19s", b->part->digest);
		done += (uint64_t) w;
	}
	lock(b->all);
	b->have = at + n;
	unlock(b->all);
	atomic_store(&b->part->done, b->have);
	return 0;
}

/* Bytes of the blob, up to the one before @to (0: all) */
static int ask(const struct blob *b, uint64_t from, uint64_t to, const struct http_sink *sink, struct http_answer *a, struct err *err)
{
	struct reg_downloads *d = b->all;
	struct http_request q = { .method = "GET", .from = from, .to = to, .file = -1, .sink = sink,
				  .cancel = &d->stop };
	_cleanup_(str_fini) struct str url = { 0 };
	char what[64];
	int r;

	reg_path(d->session, &url, "blobs/");
	str_puts(&url, b->part->digest);
	if (url.failed)
		return err_set(err, -ENOMEM, "get layer %.19s", b->part->digest);
	q.url = url.p;
	r = reg_send(d->session, &q, a, err);
	if (r < 0)
		return r;
	(void) snprintf(what, sizeof(what), "layer %.19s", b->part->digest); /* fits */
	return a->status == 200 || a->status == 206 ? 0 : reg_refused(a, what, err);
}

/* One request for what is missing before @end.  Return: 0 it is there; 1 some; -errno with a message. */
static int receive(struct blob *b, uint64_t end, struct http_answer *a, struct err *err)
{
	const struct http_sink sink = { b, take };
	int r = ask(b, b->have, end < b->part->total ? end : 0, &sink, a, err);

	return r < 0 ? r : b->have < end;
}

/* A table of contents on its way */
struct table {
	const struct reg_toc *toc;
	char *p;
	uint64_t have;
};

static int take_table(void *data, uint64_t at, const void *p, size_t n, struct err *err)
{
	struct table *t = data;

	if (at != t->toc->at + t->have || n > t->toc->size - t->have)
		return err_msg(err, -EBADMSG, "layer %.19s: the registry sends other bytes than those asked for", t->toc->layer);
	memcpy(t->p + t->have, p, n);
	t->have += n;
	return 0;
}

static const struct reg_toc *toc_of(const struct blob *b)
{
	const struct reg_downloads *d = b->all;

	for (int i = 0; i < d->nr_tocs && d->nr_sources > 0; i++)
		if (strcmp(d->tocs[i].layer, b->part->digest) == 0 && d->tocs[i].at < b->part->total &&
		    d->tocs[i].size <= b->part->total - d->tocs[i].at)
			return &d->tocs[i];
	return NULL;
}

/* What of it other layers have; it comes as a whole when that cannot be said. */
static void find_plan(struct blob *b)
{
	struct reg_downloads *d = b->all;
	struct table t = { .toc = toc_of(b) };
	const struct http_sink sink = { &t, take_table };
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };

	if (t.toc == NULL || b->have == b->part->total)
		return;
	_cleanup_free_ char *p = t.p = malloc(t.toc->size);
	if (p == NULL || ask(b, t.toc->at, t.toc->at + t.toc->size, &sink, &a, NULL) < 0 || t.have < t.toc->size ||
	    reg_plan_make(d->root, t.toc, p, d->sources, (size_t) d->nr_sources, &b->plan, NULL) < 0)
		return;
	lock(d);
	d->resumed = b->mixed = true;
	unlock(d);
}

/* Bytes of another layer.  Return: 0; 1 it has become shorter; -errno with a message. */
static int copy(struct blob *b, const struct reg_piece *piece, struct err *err)
{
	_cleanup_free_ char *p = malloc(COPY_SIZE);
	uint64_t end = piece->at + piece->size;

	if (p == NULL)
		return err_set(err, -ENOMEM, "copy a file of another layer");
	while (b->have < end) {
		uint64_t left = end - b->have, at = b->have;
		ssize_t n = pread(piece->fd, p, left < COPY_SIZE ? left : COPY_SIZE, (off_t) (piece->from + (at - piece->at)));
		int r = n > 0 ? take(b, at, p, (size_t) n, err) : 1;

		if (r != 0)
			return r;
		if (atomic_load(&b->all->stop))
			return err_msg(err, -ECANCELED, "canceled");
	}
	return 0;
}

static void forget_plan(struct blob *b)
{
	reg_plan_free(b->plan);
	b->plan = NULL;
}

static int download(struct blob *b, struct err *err)
{
	struct reg_downloads *d = b->all;
	const struct reg_settings *settings = reg_session_settings(d->session);
	uint64_t before = b->have;
	unsigned attempt = 0;

	find_plan(b);
	while (b->have < b->part->total) {
		const struct reg_piece *piece = reg_plan_next(b->plan, b->have);
		_cleanup_(http_answer_fini) struct http_answer a = { 0 };
		int r;

		if (piece != NULL && piece->at <= b->have) {
			r = copy(b, piece, err);
			if (r < 0)
				return r;
			if (r == 1)
				forget_plan(b);
			continue;
		}
		r = receive(b, piece != NULL ? piece->at : b->part->total, &a, err);
		if (r == 0) {
			attempt = 0;
			continue;
		}
		if (b->have - before >= GOOD_PIECE)
			attempt = 0;
		before = b->have;
		if (r == 1)
			r = err_msg(err, -ECOMM, "layer %.19s: the registry sent %llu of %llu bytes",
				    b->part->digest, (unsigned long long) b->have,
				    (unsigned long long) b->part->total);
		else if (r != -ECOMM || !a.again)
			return r;
		if (++attempt >= settings->attempts)
			return r;
		if (reg_wait(settings, attempt - 1, a.retry_after, &d->stop) < 0)
			return err_msg(err, -ECANCELED, "canceled");
	}
	return 0;
}

/* With the lock of @partial: another process may have put the blob into the store meanwhile */
static int open_ready(struct blob *b, int partial, uint64_t *have)
{
	int fd = open_blob(b->all, b->part->digest);

	if (fd < 0)
		return partial;
	partial_remove(b->all->dir, b->part->digest + 7);
	(void) close(partial); /* empty */
	*have = b->part->total;
	return fd;
}

/* Another process may have it, and be done with it one day. */
static int open_partial(struct blob *b, struct err *err)
{
	struct reg_downloads *d = b->all;
	uint64_t have = 0;
	int fd;

	while ((fd = partial_open(d->dir, b->part->digest + 7, &have, err)) == -EBUSY)
		if (reg_wait(reg_session_settings(d->session), 0, 0, &d->stop) < 0)
			return err_msg(err, -ECANCELED, "canceled");
	if (fd < 0)
		return fd;
	if (have > b->part->total) { /* not ours */
		if (ftruncate(fd, 0) < 0) {
			have = (uint64_t) -errno;
			(void) close(fd); /* nothing was written */
			return err_set(err, (int) have, "empty a file of the store");
		}
		have = 0;
	}
	if (have == 0)
		fd = open_ready(b, fd, &have);
	b->fd = fd;
	b->have = have;
	d->resumed = d->resumed || have > 0;
	atomic_store(&b->part->done, have);
	return 0;
}

static int compare_blobs(const void *a, const void *b)
{
	return strcmp((*(struct blob *const *) a)->part->digest, (*(struct blob *const *) b)->part->digest);
}

/*
 * All before the first is received, in the order of their digests: who waits for another process holds only what comes
 * before, so no two processes wait for each other.
 */
static int open_partials(struct reg_downloads *d, size_t missing, struct err *err)
{
	_cleanup_free_ struct blob **list = calloc(missing + 1, sizeof(*list));
	size_t n = 0;
	int r = 0;

	if (list == NULL)
		return err_set(err, -ENOMEM, "begin to download");
	for (size_t i = 0; i < d->n; i++)
		if (d->blobs[i].missing)
			list[n++] = &d->blobs[i];
	qsort(list, n, sizeof(*list), compare_blobs);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = open_partial(list[i], err);
	return r;
}

static void *work_off(void *data)
{
	struct reg_downloads *d = data;

	for (;;) {
		struct err err = { 0 };
		struct blob *b;
		int r;

		lock(d);
		while (d->next < d->n && !d->blobs[d->next].missing)
			d->next++;
		b = d->next < d->n && !atomic_load(&d->stop) ? &d->blobs[d->next++] : NULL;
		if (b != NULL)
			set_stage(d, b->part, REG_STAGE_MOVING);
		unlock(d);
		if (b == NULL)
			return NULL;
		r = download(b, &err);
		if (r < 0) {
			fail(d, r, &err);
			return NULL;
		}
		lock(d);
		b->ready = true;
		set_stage(d, b->part, REG_STAGE_MOVED);
		unlock(d);
	}
}

/* For who unpacks */
static int wait_for(void *data, uint64_t at, struct err *err)
{
	struct blob *b = data;
	struct reg_downloads *d = b->all;
	int r;

	lock(d);
	while (b->have <= at && !b->ready && d->code == 0)
		(void) pthread_cond_wait(&d->more, &d->mutex); /* fails for bad objects only */
	r = b->have > at || b->ready ? 0 : d->code;
	if (r < 0)
		(void) err_msg(err, r, "%s", d->err.text); /* returns the same */
	unlock(d);
	return r;
}

static struct blob *find(struct reg_downloads *d, const char *digest)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->parts[i].digest, digest) == 0)
			return &d->blobs[i];
	return NULL;
}

int reg_downloads_new(struct img_store *store, struct reg_session *s, const struct reg_watch *watch,
		      struct reg_downloads **ret, struct err *err)
{
	_cleanup_(reg_downloads_freep) struct reg_downloads *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return err_set(err, -ENOMEM, "begin to download");
	d->store = store;
	d->session = s;
	d->watch = watch;
	(void) pthread_mutex_init(&d->mutex, NULL); /* never fails */
	(void) pthread_cond_init(&d->more, NULL); /* as above */
	d->root = img_store_root_fd(store);
	d->dir = partial_dir(d->root, err);
	if (d->dir < 0)
		return d->dir;
	partial_sweep(d->dir);
	*ret = take_ptr(d);
	return 0;
}

void reg_downloads_reuse(struct reg_downloads *d, const char *repository, const char *manifest, size_t len)
{
	int n = reg_tocs_find(manifest, len, &d->arena, &d->tocs);

	if (n > 0) {
		d->nr_tocs = n;
		n = reg_sources(d->store, repository, &d->arena, &d->sources, NULL);
		d->nr_sources = n > 0 ? n : 0;
	}
}

static int add(struct reg_downloads *d, const struct img_fetch *f, struct err *err)
{
	struct blob *b = find(d, f->digest);
	bool exists = f->home || in_store(d, f->digest);

	if (b != NULL) { /* twice in one image */
		b->missing = b->missing && !exists;
		return 0;
	}
	if (!f->home && (f->size == 0 || f->size > REG_BLOB_MAX))
		return err_msg(err, f->size == 0 ? -EINVAL : -EFBIG,
			       "the manifest says that layer %.19s has %llu bytes, limits 1 and %llu", f->digest,
			       (unsigned long long) f->size, REG_BLOB_MAX);
	d->parts[d->n].total = f->size;
	memcpy(d->parts[d->n].digest, f->digest, sizeof(f->digest));
	b = &d->blobs[d->n];
	*b = (struct blob) { .all = d, .part = &d->parts[d->n], .fd = -EBADF, .missing = !exists,
			     .flow = { wait_for, b } };
	d->n++;
	return 0;
}

int reg_downloads_begin(struct reg_downloads *d, const struct img_fetch *list, size_t n,
			struct err *err)
{
	uint64_t threads = reg_session_settings(d->session)->downloads;
	size_t missing = 0;
	int r = 0;

	d->parts = calloc(n + 1, sizeof(*d->parts));
	d->blobs = calloc(n + 1, sizeof(*d->blobs));
	if (d->parts == NULL || d->blobs == NULL)
		return err_set(err, -ENOMEM, "begin to download");
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add(d, &list[i], err);
	if (r < 0)
		return r;
	d->watch->begin(d->watch->data, d->parts, d->n);
	d->watched = true;
	lock(d);
	for (size_t i = 0; i < d->n; i++)
		if (d->blobs[i].missing)
			missing++;
		else
			set_stage(d, &d->parts[i], REG_STAGE_EXISTS);
	unlock(d);
	r = open_partials(d, missing, err);
	if (r < 0)
		return r;
	while (d->nr_threads < threads && d->nr_threads < missing) {
		r = pthread_create(&d->threads[d->nr_threads], NULL, work_off, d);
		if (r != 0)
			break;
		d->nr_threads++;
	}
	return r != 0 && d->nr_threads == 0 ? err_set(err, -r, "start a thread") : 0;
}

int reg_downloads_open(struct reg_downloads *d, const char *digest, struct img_member *ret,
		       struct err *err)
{
	struct blob *b = find(d, digest);

	if (b == NULL)
		return err_msg(err, -ENOENT, "layer %.19s was not expected", digest);
	if (!b->missing) { /* a layer that lost its directory, or is in another place now */
		int r = open_blob(d, digest);

		*ret = (struct img_member) { .fd = r, .own = r, .size = b->part->total };
		return r < 0 ? err_set(err, r, "open blob '%.19s'", digest) : 0;
	}
	*ret = (struct img_member) { .fd = b->fd, .own = -EBADF, .flow = &b->flow };
	return 0;
}

/* Nothing good comes of this one, nor of what others have given to any. */
static void forget(struct reg_downloads *d, const struct blob *damaged)
{
	lock(d);
	for (size_t i = 0; i < d->n; i++)
		if (d->blobs[i].fd >= 0 && (&d->blobs[i] == damaged || d->blobs[i].mixed))
			partial_remove(d->dir, d->parts[i].digest + 7);
	unlock(d);
}

void reg_downloads_done(struct reg_downloads *d, const char *digest, int r)
{
	const struct err err = { .code = r, .text = "canceled" };
	struct blob *b = find(d, digest);

	if (reg_is_damage(r))
		forget(d, b);
	if (r < 0) {
		fail(d, r, &err);
		return;
	}
	lock(d);
	if (b != NULL && b->missing)
		set_stage(d, b->part, REG_STAGE_DONE);
	unlock(d);
}

bool reg_downloads_resumed(const struct reg_downloads *d)
{
	return d->resumed;
}

void reg_downloads_keep(struct reg_downloads *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->blobs[i].fd >= 0)
			partial_remove(d->dir, d->parts[i].digest + 7);
}

void reg_downloads_free(struct reg_downloads *d)
{
	if (d == NULL)
		return;
	atomic_store(&d->stop, true);
	for (size_t i = 0; i < d->nr_threads; i++)
		(void) pthread_join(d->threads[i], NULL); /* fails for a bad thread only */
	if (d->watched)
		d->watch->end(d->watch->data);
	for (size_t i = 0; i < d->n; i++) {
		forget_plan(&d->blobs[i]);
		cleanup_closep(&d->blobs[i].fd);
	}
	arena_fini(&d->arena);
	cleanup_closep(&d->dir);
	(void) pthread_cond_destroy(&d->more); /* never fails when nobody waits */
	(void) pthread_mutex_destroy(&d->mutex); /* as above */
	free(d->parts);
	free(d->blobs);
	free(d);
}

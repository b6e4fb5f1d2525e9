/* SPDX-License-Identifier: MIT */
/**
 * DOC: damage of the image store
 *
 * What is found about one image is kept until it is clear what becomes of the image.
 */
#include "image/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
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
#include "base/str.h"
#include "image/check_layer.h"
#include "image/fetch.h"
#include "image/internal.h"
#include "image/manifest.h"
#include "image/parts.h"
#include "image/remove.h"
#include "image/store.h"

#define TEXT_MAX 1024 /* bytes of a finding */

struct finding {
	const char *text, *action;
	struct finding *next;
};

/* A layer that was looked at, for another image, too */
struct seen {
	const char *chain, *blob;
	bool bad;
	struct seen *next;
};

struct check {
	struct img_store *store;
	const struct img_check *c;
	struct arena arena;
	struct seen *seen;
	const struct img_image *image; /* the one that is looked at */
	struct finding *findings;
	bool damaged, removed;
	int code; /* -ENOMEM */
};

__attribute__((format(printf, 3, 4))) static void note(struct check *k, const char *action,
							const char *fmt, ...)
{
	struct finding *f = arena_alloc(&k->arena, 1, sizeof(*f)), **end = &k->findings;
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void) vsnprintf(text, sizeof(text), fmt, ap); /* longer ones are cut */
	va_end(ap);
	if (f == NULL || (f->text = arena_strdup(&k->arena, text)) == NULL) {
		k->code = -ENOMEM;
		return;
	}
	f->action = action;
	f->next = NULL;
	while (*end != NULL)
		end = &(*end)->next;
	*end = f;
	k->damaged = k->damaged || action == NULL;
}

static const char *wrong(int code)
{
	return code == -ENOENT ? "is missing" : code == -EBADMSG ? "is damaged" : "cannot be read";
}

/* One of several lists, whose words are separated by spaces, has a word. */
static bool has_chain(const struct img_words *lists, const char *chain)
{
	for (size_t i = 0; i < lists->n; i++)
		if (strstr(lists->v[i], chain) != NULL)
			return true;
	return false;
}

/* Return: what was done about it; NULL nothing. */
static const char *renew(struct check *k, const char *blob, const char *chain)
{
	if (!k->c->repair || blob == NULL || has_chain(k->c->busy, chain))
		return NULL;
	return img_layer_renew(k->store, blob, chain, NULL) == 0 ? "unpacked again" : NULL;
}

/* @blob: NULL when it is not known or not good */
static void check_tree(struct check *k, const char *blob, const char *chain, const char *diff_id)
{
	char path[80], why[IMG_WHY_MAX];
	struct err err = { 0 };
	int r;

	(void) snprintf(path, sizeof(path), "%.64s/fs", chain);
	if (faccessat(k->store->layers, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		note(k, renew(k, blob, chain), "layer %.64s is missing", chain);
		return;
	}
	if (blob == NULL || k->c->quick)
		return;
	r = img_layer_verify(k->store, blob, chain, diff_id, why, &err);
	if (r == 1)
		note(k, renew(k, blob, chain), "layer %.64s is damaged: %s", chain, why);
	else if (r < 0)
		note(k, NULL, "layer %.64s: %s", chain, err.text);
}

static struct seen *find_seen(struct check *k, const char *chain, const char *blob)
{
	struct seen *s = k->seen;

	while (s != NULL && (strcmp(s->chain, chain) != 0 || !str_eq(s->blob, blob)))
		s = s->next;
	return s;
}

static void check_layer(struct check *k, const struct img_descriptor *d, const char *chain,
			const char *diff_id)
{
	const char *blob = d != NULL ? d->digest + strlen("sha256:") : NULL;
	struct seen *s = find_seen(k, chain, blob);
	bool before = k->damaged;
	int r = 0;

	if (s != NULL) {
		if (s->bad)
			note(k, NULL, "layer %.64s is damaged, as told above", chain);
		return;
	}
	s = arena_alloc(&k->arena, 1, sizeof(*s));
	if (s == NULL) {
		k->code = -ENOMEM;
		return;
	}
	*s = (struct seen) { .chain = arena_strdup(&k->arena, chain),
			     .blob = blob != NULL ? arena_strdup(&k->arena, blob) : NULL,
			     .next = k->seen };
	if (s->chain == NULL || (blob != NULL && s->blob == NULL)) {
		k->code = -ENOMEM;
		return;
	}
	k->seen = s;
	k->damaged = false;
	if (blob != NULL)
		r = img_blob_verify(k->store, blob, d->size, k->c->quick);
	if (r < 0)
		note(k, NULL, "blob sha256:%.64s %s", blob, wrong(r));
	check_tree(k, r == 0 ? s->blob : NULL, s->chain, diff_id);
	s->bad = k->damaged;
	k->damaged = k->damaged || before;
}

/* What the configuration says the chain ids are, is what the database says. */
static void check_layers(struct check *k, const struct img_manifest *m,
			 const struct img_config *config)
{
	const char *p = k->image->chain;
	char chain[65] = "", want[65];
	size_t n = 0;

	for (; *p != '\0'; n++, p += strcspn(p, " "), p += strspn(p, " ")) {
		bool known = config != NULL && n < config->diff_ids.n;

		if (known) {
			img_fetch_chain(chain, config->diff_ids.v[n], want);
			if (strncmp(want, p, 64) != 0)
				note(k, NULL, "layer %.64s is not that of its configuration, %s", p,
				     want);
		}
		(void) snprintf(chain, sizeof(chain), "%.64s", p);
		check_layer(k, m != NULL && n < m->nr_layers ? &m->layers[n] : NULL, chain,
			    known ? config->diff_ids.v[n] : "");
	}
	if ((config != NULL && config->diff_ids.n != n) || (m != NULL && m->nr_layers != n))
		note(k, NULL, "it has %zu layers, its manifest and configuration say otherwise", n);
}

static void check_parts(struct check *k)
{
	const struct img_image *i = k->image;
	struct img_manifest m = { 0 };
	struct img_config config;
	struct err err = { 0 };
	bool has_manifest, has_config;
	int r = img_blob_verify(k->store, i->manifest + strlen("sha256:"),
				(uint64_t) i->manifest_size, false);

	if (r < 0)
		note(k, NULL, "its manifest %.80s %s", i->manifest, wrong(r));
	has_manifest = r == 0;
	if (has_manifest && (r = img_manifest_read(k->store, i, &k->arena, &m, &err)) < 0)
		note(k, NULL, "%s", err.text);
	has_manifest = has_manifest && r == 0;
	if (has_manifest && strcmp(m.config.digest + strlen("sha256:"), i->id) != 0)
		note(k, NULL, "its manifest names the configuration %.80s", m.config.digest);
	r = img_blob_verify(k->store, i->id, 0, false);
	if (r < 0)
		note(k, NULL, "its configuration sha256:%.64s %s", i->id, wrong(r));
	has_config = r == 0;
	if (has_config && (r = img_store_config(k->store, i, &config, &err)) < 0)
		note(k, NULL, "%s", err.text);
	has_config = has_config && r == 0;
	check_layers(k, has_manifest ? &m : NULL, has_config ? &config : NULL);
	if (has_config)
		img_config_fini(&config);
}

static int check_image(struct check *k, const struct img_image *image, struct err *err)
{
	char text[TEXT_MAX + 512];
	const char *action = NULL;
	int r = 0;

	k->image = image;
	k->findings = NULL;
	k->damaged = false;
	if (str_starts(image->manifest, "sha256:") && strlen(image->manifest) == 71)
		check_parts(k);
	else
		note(k, NULL, "its manifest '%.80s' is no digest", image->manifest);
	if (k->damaged && k->c->repair && k->c->force) {
		r = k->c->forget(k->c->data, image, err);
		action = r == 0 ? "image removed" : NULL;
		k->removed = k->removed || r == 0;
		r = r == -EBUSY ? 0 : r;
	}
	for (const struct finding *f = k->findings; r == 0 && f != NULL; f = f->next) {
		(void) snprintf(text, sizeof(text), "image %.12s (%.200s:%.128s): %s", image->id,
				image->repository, image->tag, f->text);
		k->c->found(k->c->data, text, f->action != NULL ? f->action : action);
	}
	return r < 0 ? r : k->code;
}

static int check_images(struct check *k, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_image *list = NULL;
	int n = img_store_list(k->store, &arena, &list, err), r = 0;

	for (int i = 0; r == 0 && i < n; i++) {
		bool before = false;

		for (int o = 0; o < i; o++) /* another name of it */
			before = before || strcmp(list[o].id, list[i].id) == 0;
		r = before ? 0 : check_image(k, &list[i], err);
	}
	return n < 0 ? n : r;
}

/* Names of images that are not there */
static int check_names(struct check *k, struct err *err)
{
	static const char where[] = " FROM reference WHERE image NOT IN (SELECT id FROM image)";
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	_cleanup_(str_fini) struct str sql = { 0 };
	char text[TEXT_MAX];
	bool any = false;
	int images, r;

	str_printf(&sql, "SELECT repository || ':' || tag%s", where);
	r = sql.failed ? -ENOMEM : db_query(k->store->db, &rows, err, sql.p, "");
	while (r == 0 && (r = db_next(rows, err)) == 1) {
		(void) snprintf(text, sizeof(text), "name '%.300s' is of no image", db_text(rows, 0));
		k->c->found(k->c->data, text, k->c->repair ? "removed" : NULL);
		any = true;
		r = 0;
	}
	if (r < 0 || !any || !k->c->repair)
		return r;
	db_rows_free(take_ptr(rows));
	sql.len = 0;
	str_printf(&sql, "DELETE%s", where);
	r = img_change_begin(k->store, &images, err);
	if (r == 0)
		r = db_run(k->store->db, err, sql.p, "");
	r = img_change_end(k->store, images, r, err);
	return r < 0 ? r : 0;
}

static int check_index(struct check *k, struct err *err)
{
	_cleanup_(str_fini) struct str want = { 0 }, have = { 0 };
	int r = img_index_text(k->store, &want, err);

	if (r < 0)
		return r;
	r = file_read(k->store->root, "images/index.json", IMG_INDEX_SIZE_MAX, &have);
	if (r == 0 && have.p != NULL && strcmp(have.p, want.p) == 0)
		return 0;
	if (k->c->repair && (r = img_index_repair(k->store, err)) < 0)
		return r;
	k->c->found(k->c->data, "images/index.json does not say what the database says",
		    k->c->repair ? "written again" : NULL);
	return 0;
}

/* Of somebody who died; while somebody makes an image nobody can tell. */
static int check_tmp(struct check *k, struct err *err)
{
	int fd = openat(k->store->root, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	char text[TEXT_MAX];
	struct dirent *e;
	int r = 0;

	if (d == NULL)
		return err_set(err, -errno, "open directory 'tmp' of the store");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	while (r == 0 && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		(void) snprintf(text, sizeof(text), "tmp/%.255s was left behind", e->d_name);
		if (k->c->repair)
			r = dir_remove(fd, e->d_name);
		k->c->found(k->c->data, text, k->c->repair && r == 0 ? "removed" : NULL);
	}
	return r < 0 ? err_set(err, r, "remove what was left in directory 'tmp' of the store") : 0;
}

struct orphans {
	struct check *k;
	size_t n;
};

static void tell_orphan(void *data, const char *path)
{
	struct orphans *o = data;
	char text[TEXT_MAX];

	(void) snprintf(text, sizeof(text), "%.200s belongs to no image", path);
	o->k->c->found(o->k->c->data, text,
			 o->k->c->repair && !o->k->c->keep ? "removed" : NULL);
	o->n++;
}

int img_check(struct img_store *store, const struct img_check *c, struct err *err)
{
	struct check k = { .store = store, .c = c };
	struct orphans orphans = { .k = &k };
	int r = check_tmp(&k, err);

	if (r == 0)
		r = img_orphans(store, c->chains, tell_orphan, &orphans, err);
	if (r == 0)
		r = check_names(&k, err);
	if (r == 0)
		r = check_images(&k, err);
	if (r == 0)
		r = check_index(&k, err);
	if (r == 0 && c->repair && !c->keep && (orphans.n > 0 || k.removed))
		r = img_collect(store, c->users, c->data, NULL, err);
	arena_fini(&k.arena);
	return r;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: loading
 *
 * First everything small is read and checked: indexes, manifests, configurations.  Then the layers are
 * fetched, all that was made is synced and moved to its place, and one transaction shows the images.
 * An archive that is an OCI image layout and Docker's format at once is read as the layout, which
 * keeps the digests of manifests.
 */
#include "image/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/db.h"
#include "base/err.h"
#include "base/sha256.h"
#include "base/str.h"
#include "image/archive.h"
#include "image/fetch.h"
#include "image/internal.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "image/settle.h"
#include "image/store.h"

#define FETCHES_MAX (IMG_INDEX_MAX * 16) /* layers of one archive */
#define DEPTH_MAX 4 /* indexes in indexes */

/* An image; layers[i] is a position in the list of fetches */
struct found {
	struct img_new new;
	char id[SHA256_HEX_LEN + 1], manifest_digest[72];
	const char *config, *manifest; /* texts */
	size_t config_len, manifest_len;
	size_t *layers, nr_layers;
	struct found *next;
};

struct load {
	struct img_store *store;
	struct img_work work;
	struct img_archive *archive;
	struct arena arena;
	struct found *images;
	struct img_fetch *fetches;
	size_t n, room, nr_images;
};

static int nomem(struct err *err)
{
	return err_set(err, -ENOMEM, "load the image");
}

/* The member of an OCI layout that holds a blob; @digest was checked to be of SHA-256 */
static void blob_name(const char *digest, char ret[96])
{
	(void) snprintf(ret, 96, "blobs/sha256/%.64s", digest + strlen("sha256:"));
}

/* A small file whose digest is known ("" if not); lives in l->arena */
static int read_file(struct load *l, const char *name, const char *digest, const char **ret,
		     size_t *ret_len, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char hex[SHA256_HEX_LEN + 1];
	int r = img_archive_text(l->archive, name, &text, err);

	if (r < 0)
		return r;
	sha256_hex(text.p != NULL ? text.p : "", text.len, hex);
	if (*digest != '\0' && strcmp(hex, digest + strlen("sha256:")) != 0)
		return err_msg(err, -EBADMSG, "'%.100s' has the digest sha256:%s", name, hex);
	*ret = arena_strndup(&l->arena, text.p != NULL ? text.p : "", text.len);
	*ret_len = text.len;
	return *ret != NULL ? 0 : nomem(err);
}

/* The fetch of a layer; two images may share it, unless they have it in different packings. */
static int want_layer(struct load *l, const struct img_fetch *want, size_t *ret, struct err *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->fetches[i].chain, want->chain) == 0 &&
		    strcmp(l->fetches[i].digest, want->digest) == 0) {
			*ret = i;
			return 0;
		}
	if (l->n == FETCHES_MAX)
		return err_msg(err, -EFBIG, "the archive has more than %d layers", FETCHES_MAX);
	if (l->n == l->room) {
		size_t room = l->room * 2 + 16;
		struct img_fetch *more = reallocarray(l->fetches, room, sizeof(*more));

		if (more == NULL)
			return nomem(err);
		l->fetches = more;
		l->room = room;
	}
	l->fetches[l->n] = *want;
	*ret = l->n++;
	return 0;
}

static int check_diff_id(const char *text, struct err *err)
{
	if (text != NULL && str_starts(text, "sha256:") && strlen(text) == 71 &&
	    strspn(text + 7, "0123456789abcdef") == 64)
		return 0;
	return err_msg(err, -EINVAL, "image configuration: rootfs.diff_ids: '%.80s' is no digest",
		       text != NULL ? text : "");
}

/*
 * @members: of the archive, one for each layer; @manifest: NULL for Docker's format.
 */
static int read_image(struct load *l, struct found *f, const char *const *members, size_t n,
		      const struct img_manifest *manifest, struct err *err)
{
	_cleanup_(img_config_fini) struct img_config c = { 0 };
	_cleanup_(str_fini) struct str chains = { 0 };
	const char *below = "";
	int r = img_config_parse("image configuration", f->config, f->config_len, &c, err);

	if (r < 0)
		return r;
	sha256_hex(f->config, f->config_len, f->id);
	if (c.diff_ids.n != n)
		return err_msg(err, -EINVAL,
			       "image %.12s has %zu layers, and its configuration names %zu", f->id,
			       n, c.diff_ids.n);
	f->layers = arena_alloc(&l->arena, n + 1, sizeof(*f->layers));
	if (f->layers == NULL)
		return nomem(err);
	for (size_t i = 0; i < n; i++) {
		struct img_fetch want = { .member = members[i] };

		r = check_diff_id(c.diff_ids.v[i], err);
		if (r < 0)
			return r;
		memcpy(want.diff_id, c.diff_ids.v[i], sizeof(want.diff_id));
		img_fetch_chain(below, want.diff_id, want.chain);
		if (manifest != NULL) {
			memcpy(want.digest, manifest->layers[i].digest, sizeof(want.digest));
			want.size = manifest->layers[i].size;
		}
		str_printf(&chains, "%s%s", i > 0 ? " " : "", want.chain);
		r = want_layer(l, &want, &f->layers[i], err);
		if (r < 0)
			return r;
		below = l->fetches[f->layers[i]].chain;
	}
	f->nr_layers = n;
	f->new.image.id = f->id;
	f->new.image.created = c.created;
	f->new.image.chain = arena_strdup(&l->arena, chains.p != NULL ? chains.p : "");
	return f->new.image.chain != NULL && !chains.failed ? 0 : nomem(err);
}

static struct found *add_found(struct load *l, size_t max_names, struct err *err)
{
	struct found *f = arena_alloc(&l->arena, 1, sizeof(*f)), **end = &l->images;

	if (f == NULL ||
	    (f->new.refs = arena_alloc(&l->arena, max_names + 1, sizeof(*f->new.refs))) == NULL) {
		(void) nomem(err);
		return NULL;
	}
	while (*end != NULL)
		end = &(*end)->next;
	*end = f;
	l->nr_images++;
	return f;
}

static int add_name(struct found *f, const char *name, struct err *err)
{
	int r = img_reference_parse(name, &f->new.refs[f->new.nr_refs], err);

	if (r < 0)
		return r;
	if (f->new.refs[f->new.nr_refs].digest[0] == '\0')
		f->new.nr_refs++;
	return 0;
}

static int read_saved(struct load *l, const struct img_saved *s, struct err *err)
{
	struct found *f = add_found(l, s->tags.n, err);
	int r = f != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < s->tags.n; i++)
		r = add_name(f, s->tags.v[i], err);
	if (r == 0)
		r = read_file(l, s->config, "", &f->config, &f->config_len, err);
	return r < 0 ? r : read_image(l, f, s->layers.v, s->layers.n, NULL, err);
}

static int read_docker(struct load *l, struct err *err)
{
	struct img_saved *v = NULL;
	const char *text;
	size_t len;
	int r = read_file(l, "manifest.json", "", &text, &len, err);
	int n = r < 0 ? r : img_saved_parse(&l->arena, text, len, &v, err);

	for (int i = 0; r >= 0 && i < n; i++)
		r = read_saved(l, &v[i], err);
	return n < 0 ? n : r;
}

static int read_oci_image(struct load *l, const struct img_descriptor *d, const char *name,
			  struct err *err)
{
	struct img_manifest m;
	const char **members;
	struct found *f = add_found(l, 1, err);
	char path[96];
	int r = f == NULL ? -ENOMEM : name != NULL ? add_name(f, name, err) : 0;

	if (r < 0)
		return r;
	blob_name(d->digest, path);
	r = read_file(l, path, d->digest, &f->manifest, &f->manifest_len, err);
	if (r == 0)
		r = img_manifest_parse("manifest", &l->arena, f->manifest, f->manifest_len, &m,
				       err);
	if (r < 0)
		return r;
	memcpy(f->manifest_digest, d->digest, sizeof(f->manifest_digest));
	blob_name(m.config.digest, path);
	r = read_file(l, path, m.config.digest, &f->config, &f->config_len, err);
	members = arena_alloc(&l->arena, m.nr_layers + 1, sizeof(*members));
	if (members == NULL)
		return nomem(err);
	for (size_t i = 0; r == 0 && i < m.nr_layers; i++) {
		blob_name(m.layers[i].digest, path);
		members[i] = arena_strdup(&l->arena, path);
		if (members[i] == NULL)
			r = nomem(err);
	}
	return r < 0 ? r : read_image(l, f, members, m.nr_layers, &m, err);
}

/* Of several for this kind of machine, the first that asks for no newer processor; the first, if all do */
static size_t choose(const struct img_index *index)
{
	static const char *const plain[] = { "", "v1", "v8" }; /* v1 of amd64, v8 of arm64 */
	size_t any = index->n;

	for (size_t i = index->n; i-- > 0;)
		if (index->v[i].usable)
			any = i;
	for (size_t i = any; i < index->n; i++)
		for (size_t k = 0; index->v[i].usable && k < sizeof(plain) / sizeof(*plain); k++)
			if (strcmp(index->v[i].variant, plain[k]) == 0)
				return i;
	return any;
}

/* @name: of the entry that led here.  Of an index inside an index one image is taken. */
static int read_index(struct load *l, const char *file, const char *digest, const char *name,
		      int depth, struct err *err)
{
	struct img_index index;
	size_t usable = 0, one = 0;
	const char *text = NULL;
	size_t len = 0;
	int r = depth > DEPTH_MAX ? err_msg(err, -EINVAL, "indexes are nested over %d deep",
					    DEPTH_MAX)
				  : read_file(l, file, digest, &text, &len, err);

	if (r == 0)
		r = img_index_parse(depth == 0 ? "index.json" : "index", &l->arena, text, len,
				    &index, err);
	if (r == 0)
		one = choose(&index);
	for (size_t i = 0; r == 0 && i < index.n; i++) {
		const struct img_index_entry *e = &index.v[i];
		const char *called = e->name != NULL ? e->name : name;
		char path[96];

		if (!e->usable || (depth > 0 && i != one))
			continue;
		usable++;
		blob_name(e->d.digest, path);
		r = e->is_index ? read_index(l, path, e->d.digest, called, depth + 1, err)
				: read_oci_image(l, &e->d, called, err);
	}
	if (r == 0 && usable == 0)
		r = err_msg(err, -EINVAL, index.n == 0
						  ? "the archive has no image"
						  : "the archive has no image for this machine");
	return r;
}

static int read_images(struct load *l, struct err *err)
{
	int r;

	if (img_archive_is_layout(l->archive))
		return read_index(l, "index.json", "", NULL, 0, err);
	r = read_docker(l, err);
	if (r != -ENOENT || l->nr_images > 0)
		return r;
	return err_msg(err, -EINVAL, "the archive has neither 'manifest.json' nor 'index.json': "
				     "a root file system is read by 'cleave import'");
}

/* Docker's format has no manifest, so make one. */
static int make_manifest(struct load *l, struct found *f, struct err *err)
{
	struct img_descriptor config = { .media_type = IMG_MEDIA_CONFIG, .size = f->config_len };
	_cleanup_free_ struct img_descriptor *layers = calloc(f->nr_layers + 1, sizeof(*layers));
	_cleanup_(str_fini) struct str text = { 0 };

	if (layers == NULL)
		return nomem(err);
	for (size_t i = 0; i < f->nr_layers; i++) {
		const struct img_stream_sum *sum = &l->fetches[f->layers[i]].sum;

		layers[i].media_type = sum->media_type;
		layers[i].size = sum->blob_size;
		memcpy(layers[i].digest, sum->blob, sizeof(layers[i].digest));
	}
	(void) snprintf(config.digest, sizeof(config.digest), "sha256:%s", f->id);
	img_manifest_format(&config, layers, f->nr_layers, &text);
	f->manifest = text.failed ? NULL : arena_strndup(&l->arena, text.p, text.len);
	f->manifest_len = text.len;
	if (f->manifest == NULL)
		return nomem(err);
	memcpy(f->manifest_digest, "sha256:", 7);
	sha256_hex(f->manifest, f->manifest_len, f->manifest_digest + 7);
	return 0;
}

static int put_texts(struct load *l, struct found *f, struct err *err)
{
	char digest[72];
	int r = f->manifest == NULL ? make_manifest(l, f, err) : 0;

	f->new.image.manifest = f->manifest_digest;
	f->new.image.manifest_size = (int64_t) f->manifest_len;
	for (size_t i = 0; i < f->nr_layers; i++)
		f->new.image.size += (int64_t) l->fetches[f->layers[i]].content;
	if (r == 0)
		r = img_work_put(l->store, &l->work, f->config, f->config_len, digest, err);
	return r < 0 ? r
		     : img_work_put(l->store, &l->work, f->manifest, f->manifest_len, digest, err);
}

/* What becomes visible before it is on disk */
static int note(struct load *l, struct img_settle *ret, struct err *err)
{
	struct img_new_layer *layers = arena_alloc(&l->arena, l->n + 1, sizeof(*layers));
	const char **ids = arena_alloc(&l->arena, l->nr_images + 1, sizeof(*ids));
	size_t n = 0, nr_ids = 0;

	if (layers == NULL || ids == NULL)
		return nomem(err);
	for (size_t i = 0; i < l->n; i++)
		if (l->fetches[i].stored)
			layers[n++] = (struct img_new_layer) { l->fetches[i].chain,
							       l->fetches[i].diff_id,
							       l->fetches[i].sum.blob };
	for (const struct found *f = l->images; f != NULL; f = f->next)
		ids[nr_ids++] = f->id;
	return img_settle_note(l->store, &l->work, layers, n, ids, nr_ids, ret, err);
}

static int publish(struct load *l, struct err *err)
{
	struct img_settle settle = { .fd = -EBADF };
	_cleanup_free_ const struct img_new **list = calloc(l->nr_images + 1, sizeof(*list));
	size_t n = 0;
	int r = list != NULL ? 0 : nomem(err);

	for (struct found *f = l->images; r == 0 && f != NULL; f = f->next) {
		r = put_texts(l, f, err);
		list[n++] = &f->new;
	}
	if (r == 0)
		r = note(l, &settle, err);
	if (r == 0)
		r = img_fetch_publish(l->store, &l->work, l->fetches, l->n, err);
	if (r == 0)
		r = img_store_add_all(l->store, list, n, err);
	img_settle_later(l->store, &settle);
	return r;
}

/* Return: 1 an image was there in another packing, and stays in that; 0; -errno with a message. */
static int has_spare(struct load *l, struct err *err)
{
	int r = 0;

	for (const struct found *f = l->images; r == 0 && f != NULL; f = f->next) {
		_cleanup_(db_rows_freep) struct db_rows *rows = NULL;

		r = db_query(l->store->db, &rows, err, "SELECT 1 FROM image WHERE id = ? AND manifest <> ?", "ss", f->id,
			     f->manifest_digest);
		if (r == 0)
			r = db_next(rows, err);
	}
	return r;
}

static void tell(const struct load *l, void (*loaded)(void *data, const char *name, const char *id),
		 void *data)
{
	for (const struct found *f = l->images; f != NULL; f = f->next) {
		if (f->new.nr_refs == 0)
			loaded(data, NULL, f->id);
		for (size_t i = 0; i < f->new.nr_refs; i++) {
			_cleanup_(str_fini) struct str name = { 0 };

			str_printf(&name, "%s:%s", f->new.refs[i].repository, f->new.refs[i].tag);
			loaded(data, name.failed ? NULL : name.p, f->id);
		}
	}
}

static int load(struct img_store *store, int fd, const struct img_remote *remote,
		void (*loaded)(void *data, const char *name, const char *id), void *data,
		struct err *err)
{
	struct load l = { .store = store };
	int r = img_work_begin(store, &l.work, err);

	if (r < 0)
		return r;
	r = remote != NULL ? img_archive_remote(remote, &l.archive, err)
			   : img_archive_open(fd, &l.work, &l.archive, err);
	if (r == 0)
		r = read_images(&l, err);
	if (r == 0 && l.nr_images == 0)
		r = err_msg(err, -EINVAL, "the archive has no image");
	if (r == 0)
		r = img_fetch_all(store, &l.work, l.archive, l.fetches, l.n, err);
	if (r == 0)
		r = publish(&l, err);
	if (r == 0 && remote == NULL) /* who pulls looks itself */
		r = has_spare(&l, err);
	if (r >= 0)
		tell(&l, loaded, data);
	img_archive_free(l.archive);
	img_work_end(&l.work);
	arena_fini(&l.arena);
	free(l.fetches);
	return r;
}

int img_load(struct img_store *store, int fd,
	     void (*loaded)(void *data, const char *name, const char *id), void *data,
	     struct err *err)
{
	return load(store, fd, NULL, loaded, data, err);
}

int img_load_remote(struct img_store *store, const struct img_remote *remote,
		    void (*loaded)(void *data, const char *name, const char *id), void *data,
		    struct err *err)
{
	return load(store, -EBADF, remote, loaded, data, err);
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: pulling
 *
 * The manifest for the wanted platform is found first.  The rest is a load from an image layout (image/load.c)
 * whose index has this one manifest, whose small files are asked for when they are read, and whose layers
 * are files that grow (download.c).
 */
#include "registry/pull.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/str.h"
#include "image/archive.h"
#include "image/load.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "image/store.h"
#include "registry/download.h"
#include "registry/manifests.h"
#include "registry/place.h"
#include "registry/session.h"
#include "registry/settings.h"
#include "registry/verify.h"
#include "registry/watch.h"

#define BLOBS "blobs/sha256/"

struct pull {
	struct reg_pull *p;
	struct img_reference ref;
	const struct reg_place *place; /* that is asked; may be a mirror of p->place */
	struct reg_session *session;
	bool fetched; /* something was not here yet */
};

/* One image on its way */
struct one {
	struct pull *pull;
	struct reg_downloads *downloads;
	const char *name; /* that it gets, NULL for none */
	struct reg_text top, manifest; /* as asked for, and for the platform */
	char id[65];
	struct arena arena;
};

static void say(const struct pull *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct pull *p, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	(void) vsnprintf(line, sizeof(line), fmt, ap); /* names are shorter */
	va_end(ap);
	p->p->watch->line(p->p->watch->data, line);
}

static void write_index(const struct one *o, struct str *ret)
{
	json_open(ret, NULL, '{');
	json_open(ret, "manifests", '[');
	json_open(ret, NULL, '{');
	json_text(ret, "mediaType", IMG_MEDIA_MANIFEST);
	json_text(ret, "digest", o->manifest.digest);
	json_uint(ret, "size", o->manifest.len);
	if (o->name != NULL) {
		json_open(ret, "annotations", '{');
		json_text(ret, "org.opencontainers.image.ref.name", o->name);
		json_close(ret, '}');
	}
	json_close(ret, '}');
	json_close(ret, ']');
	json_close(ret, '}');
}

static int remote_text(void *data, const char *name, struct str *ret, struct err *err)
{
	struct one *o = data;
	struct reg_text blob;
	char digest[80];
	int r;

	if (strcmp(name, "index.json") == 0) {
		write_index(o, ret);
	} else if (strcmp(name + strlen(BLOBS), o->manifest.digest + 7) == 0) {
		str_add(ret, o->manifest.p, o->manifest.len);
	} else {
		(void) snprintf(digest, sizeof(digest), "sha256:%s", name + strlen(BLOBS)); /* 64 digits */
		r = reg_blob_get(o->pull->session, digest, &o->arena, &blob, err);
		if (r < 0)
			return r;
		str_add(ret, blob.p, blob.len);
	}
	return ret->failed ? err_set(err, -ENOMEM, "read '%s'", name) : 0;
}

static int remote_begin(void *data, const struct img_fetch *list, size_t n, struct err *err)
{
	return reg_downloads_begin(((struct one *) data)->downloads, list, n, err);
}

static void member_digest(const char *name, char ret[80])
{
	(void) snprintf(ret, 80, "sha256:%.64s", name + strlen(BLOBS)); /* fits */
}

static int remote_open(void *data, const char *name, struct img_member *ret, struct err *err)
{
	char digest[80];

	member_digest(name, digest);
	return reg_downloads_open(((struct one *) data)->downloads, digest, ret, err);
}

static void remote_done(void *data, const char *name, int r)
{
	char digest[80];

	member_digest(name, digest);
	reg_downloads_done(((struct one *) data)->downloads, digest, r);
}

static void note_id(void *data, const char *name, const char *id)
{
	struct one *o = data;

	(void) name; /* the one it was given */
	memcpy(o->id, id, sizeof(o->id) - 1);
}

/* @reuse: files that layers of the store have, too */
static int load(struct one *o, bool reuse, bool *ret_resumed, struct err *err)
{
	const struct img_remote remote = { o, remote_text, remote_begin, remote_open, remote_done };
	const struct reg_pull *p = o->pull->p;
	int r = reg_downloads_new(p->store, o->pull->session, p->watch, &o->downloads, err);

	if (r == 0 && reuse)
		reg_downloads_reuse(o->downloads, o->pull->ref.repository, o->manifest.p, o->manifest.len);
	if (r == 0)
		r = img_load_remote(p->store, &remote, note_id, o, err);
	if (r == 0)
		reg_downloads_keep(o->downloads);
	*ret_resumed = o->downloads != NULL && reg_downloads_resumed(o->downloads);
	reg_downloads_free(o->downloads);
	o->downloads = NULL;
	return r;
}

/* An image that is in no index says in its configuration what it is for */
static int check_platform(struct one *o, struct err *err)
{
	const char *os = NULL, *arch = NULL, *variant = NULL;
	struct img_manifest m;
	struct reg_text config;
	struct json_in in;
	int r = img_manifest_parse("manifest", &o->arena, o->manifest.p, o->manifest.len, &m, err);

	if (r == 0)
		r = reg_blob_get(o->pull->session, m.config.digest, &o->arena, &config, err);
	if (r < 0)
		return r;
	r = json_parse(&in, "image configuration", &o->arena, config.p, config.len, err);
	if (r == 0 && json_to_object(&in, in.root)) {
		os = json_get_str(&in, in.root, "os");
		arch = json_get_str(&in, in.root, "architecture");
		variant = json_get_str(&in, in.root, "variant");
	}
	if (r == 0)
		r = in.code;
	json_fini(&in);
	return r < 0 ? r : reg_platform_check(o->pull->p->platform, os != NULL ? os : "", arch != NULL ? arch : "",
					      variant != NULL ? variant : "", err);
}

/* The manifest for the platform, in up to two indexes */
static int find_manifest(struct one *o, struct err *err)
{
	struct reg_session *s = o->pull->session;
	struct img_index index;
	int r = 0, at;

	o->manifest = o->top;
	for (int depth = 0; r == 0 && o->manifest.index; depth++) {
		if (depth == 2)
			return err_msg(err, -EINVAL, "indexes are nested over %d deep", depth);
		r = img_index_parse("index", &o->arena, o->manifest.p, o->manifest.len, &index, err);
		at = r == 0 ? reg_choose(&index, o->pull->p->platform, err) : r;
		r = at < 0 ? at : reg_manifest_get(s, index.v[at].d.digest, &o->arena, &o->manifest, err);
	}
	if (r == 0 && o->pull->p->platform != NULL && !o->top.index)
		r = check_platform(o, err);
	return r;
}

/* True when the store has it; then it has the name, too */
static bool at_home(struct one *o)
{
	const struct reg_pull *p = o->pull->p;
	struct img_reference ref = o->pull->ref;
	_cleanup_(str_fini) struct str name = { 0 };
	struct img_image image;

	memcpy(ref.digest, o->manifest.digest, sizeof(ref.digest));
	img_reference_format(&ref, &name);
	if (name.failed || img_store_find(p->store, name.p, &o->arena, &image, NULL) < 0)
		return false;
	memcpy(o->id, image.id, sizeof(o->id) - 1);
	if (o->name == NULL)
		return true;
	return img_reference_parse(o->name, &ref, NULL) == 0 &&
	       img_store_tag(p->store, image.id, &ref, NULL) == 0;
}

/* The digests that this image is known by.  Of several manifests of one image the store keeps the first. */
static int note_digests(struct one *o, struct err *err)
{
	struct reg_pull *p = o->pull->p;
	const char *repository = o->pull->ref.repository;
	struct img_image image;
	int r = img_store_pulled(p->store, repository, o->top.digest, o->id, err);

	if (r == 0)
		r = img_store_pulled(p->store, repository, o->manifest.digest, o->id, err);
	if (r == 0)
		r = img_store_find(p->store, o->id, &o->arena, &image, err);
	if (r == 0 && strcmp(image.manifest, o->manifest.digest) != 0)
		p->leftover = true;
	return r;
}

static int verify(const struct one *o, const char *what, struct err *err)
{
	const struct pull *pull = o->pull;
	char mark[IMG_TAG_MAX + 80];
	const struct reg_subject subject = { .name = pull->place->name, .mark = mark,
					     .digests = { o->top.digest, o->manifest.digest } };

	(void) snprintf(mark, sizeof(mark), "%s%s", strchr(what, ':') != NULL ? "@" : ":", what); /* fits */
	return reg_verify(pull->p->policy, pull->session, &subject, err);
}

static int get_one(struct one *o, const char *what, struct err *err)
{
	struct pull *pull = o->pull;
	bool resumed = false;
	int r = reg_manifest_get(pull->session, what, &o->arena, &o->top, err);

	if (r < 0)
		return r;
	say(pull, "%s: Pulling from %s", what, pull->p->place.path);
	r = find_manifest(o, err);
	if (r == 0)
		r = verify(o, what, err);
	if (r < 0)
		return r;
	if (!at_home(o)) {
		pull->fetched = true;
		r = load(o, true, &resumed, err);
		if (reg_is_damage(r) && resumed) /* what was here was not the same, and is gone now */
			r = load(o, false, &resumed, err);
	}
	if (r == 0)
		r = note_digests(o, err);
	if (r == 0)
		say(pull, "Digest: %s", o->top.digest);
	return r;
}

static int pull_tag(struct pull *pull, const char *tag, struct err *err)
{
	struct one o = { .pull = pull };
	const char *name = arena_printf(&o.arena, "%s:%s", pull->ref.repository, tag);
	struct img_image before;
	int r;

	o.name = name;
	if (name == NULL)
		return err_set(err, -ENOMEM, "pull an image");
	if (img_store_find(pull->p->store, name, &o.arena, &before, NULL) < 0)
		before.id = "";
	r = get_one(&o, tag, err);
	if (r == 0) {
		pull->fetched = pull->fetched || strcmp(before.id, o.id) != 0;
		pull->p->pulled(pull->p->data, name, o.id);
	}
	arena_fini(&o.arena);
	return r;
}

static int pull_digest(struct pull *pull, struct err *err)
{
	struct one o = { .pull = pull };
	int r = get_one(&o, pull->ref.digest, err);

	if (r == 0) {
		const char *name = arena_printf(&o.arena, "%s@%s", pull->ref.repository, pull->ref.digest);

		pull->p->pulled(pull->p->data, name != NULL ? name : pull->ref.repository, o.id);
	}
	arena_fini(&o.arena);
	return r;
}

static int pull_all(struct pull *pull, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_words tags = { 0 };
	int r = reg_tags_get(pull->session, &arena, &tags, err);

	for (size_t i = 0; r == 0 && i < tags.n; i++) {
		struct img_reference ref;
		const char *name = arena_printf(&arena, "%s:%s", pull->ref.repository, tags.v[i]);

		if (name == NULL)
			return err_set(err, -ENOMEM, "pull an image");
		r = img_reference_parse(name, &ref, err); /* the registry's word goes into the store */
		if (r == 0 && (strcmp(ref.repository, pull->ref.repository) != 0 || strcmp(ref.tag, tags.v[i]) != 0))
			r = err_msg(err, -EBADMSG, "the registry says that '%.200s' is a tag", tags.v[i]);
		if (r == 0)
			r = pull_tag(pull, tags.v[i], err);
	}
	return r;
}

static int pull_from(struct pull *pull, struct err *err)
{
	const struct reg_want want = { .settings = pull->p->settings, .place = pull->place,
				       .access = pull->p->access, .actions = "pull" };
	int r = reg_session_open(&want, &pull->session, err);

	if (r == 0)
		r = pull->p->all_tags		    ? pull_all(pull, err)
		    : pull->ref.digest[0] != '\0' ? pull_digest(pull, err)
						    : pull_tag(pull, pull->ref.tag, err);
	reg_session_free(pull->session);
	pull->session = NULL;
	return r;
}

/* "debian:latest", "debian@sha256:..."; of all tags the repository alone */
static void tell(const struct pull *pull)
{
	const struct img_reference *ref = &pull->ref;
	bool digest = ref->digest[0] != '\0';
	const char *mark = pull->p->all_tags ? "" : digest ? "@" : ":";
	const char *what = pull->p->all_tags ? "" : digest ? ref->digest : ref->tag;

	say(pull, "Status: %s for %s%s%s",
	    pull->fetched ? "Downloaded newer image" : "Image is up to date", ref->repository, mark, what);
}

static int check(struct pull *pull, const char *name, struct err *err)
{
	int r = img_reference_parse(name, &pull->ref, err);

	if (r == 0 && pull->p->all_tags && strpbrk(basename(name), ":@") != NULL)
		return err_msg(err, -EINVAL, "tag can't be used with --all-tags/-a");
	return r;
}

/* One after the other; a mirror does not say what is wrong, what it mirrors does. */
static int pull_places(struct pull *pull, const struct reg_place *list, int n, struct err *err)
{
	int r = -ENOENT, real = 0, asked = 0;

	for (int i = 0; r < 0 && r != -ECANCELED && i < n; i++) {
		for (real = i; list[real].mirror; real++)
			;
		pull->p->place = list[real];
		pull->place = &list[i];
		r = pull_from(pull, i == real ? err : NULL);
		asked += i == real;
	}
	return r < 0 && asked > 1 ? err_wrap(err, r, "%s", pull->p->place.host) : r;
}

static int explain(const struct pull *pull, int r, struct err *err)
{
	const struct img_reference *ref = &pull->ref;

	if (r == -EACCES)
		return err_wrap(err, r, "pull access denied for %s, repository does not exist or may require "
					"'cleave login'", ref->repository);
	return err_wrap(err, r, "pull '%s%s%s'", ref->repository, ref->digest[0] != '\0' ? "@" : ":",
			ref->digest[0] != '\0' ? ref->digest : ref->tag);
}

int reg_pull(struct reg_pull *p, const char *name, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct pull pull = { .p = p };
	struct reg_place *list;
	int r = check(&pull, name, err), n;

	if (r < 0)
		return r;
	n = reg_places(p->settings, &pull.ref, &arena, &list, err);
	if (n < 0)
		return explain(&pull, n, err);
	if (!p->all_tags && strpbrk(basename(name), ":@") == NULL)
		say(&pull, "Using default tag: latest");
	r = pull_places(&pull, list, n, err);
	if (r < 0)
		return explain(&pull, r, err);
	tell(&pull);
	return 0;
}

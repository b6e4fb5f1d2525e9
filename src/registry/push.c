/* SPDX-License-Identifier: MIT */
/**
 * DOC: pushing
 *
 * Threads see to the blobs, layers first and the configuration last; when the registry has all of them it gets the
 * manifest, byte for byte.
 */
#include "registry/push.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "image/config.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "image/store.h"
#include "registry/manifests.h"
#include "registry/mount.h"
#include "registry/place.h"
#include "registry/session.h"
#include "registry/settings.h"
#include "registry/sign.h"
#include "registry/upload.h"
#include "registry/watch.h"

struct push {
	struct reg_push *p;
	struct reg_session *session;
	struct arena arena;
	struct reg_part *parts; /* one more than @n: the configuration, which is not shown */
	size_t n, total, next;
	atomic_bool stop;
	pthread_mutex_t mutex; /* of @next and what follows */
	int code;
	struct err err;
};

static void say(const struct push *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct push *p, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	(void) vsnprintf(line, sizeof(line), fmt, ap); /* names are shorter */
	va_end(ap);
	p->p->watch->line(p->p->watch->data, line);
}

static void set_stage(struct push *p, struct reg_part *part, enum reg_stage stage)
{
	(void) pthread_mutex_lock(&p->mutex); /* fails for a bad mutex only */
	atomic_store(&part->stage, stage);
	if (part < p->parts + p->n)
		p->p->watch->changed(p->p->watch->data, part);
	(void) pthread_mutex_unlock(&p->mutex); /* as above */
}

static int send_part(struct push *p, struct reg_part *part, struct err *err)
{
	struct reg_upload u = { .digest = part->digest, .size = part->total, .sent = &part->done,
				.from = part->from, .cancel = &p->stop };
	char path[IMG_BLOB_PATH_SIZE];
	int r;

	img_blob_path(part->digest, path);
	_cleanup_close_ int fd = openat(img_store_root_fd(p->p->store), path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "open blob '%.19s' (see 'cleave system check')", part->digest);
	u.fd = fd;
	set_stage(p, part, REG_STAGE_MOVING);
	r = reg_upload(p->session, &u, err);
	if (r < 0)
		return r;
	if (r != REG_UPLOAD_MOUNTED)
		part->from = NULL;
	set_stage(p, part,
		  r == REG_UPLOAD_SENT	    ? REG_STAGE_DONE
		  : r == REG_UPLOAD_MOUNTED ? REG_STAGE_MOUNTED
					    : REG_STAGE_EXISTS);
	return 0;
}

static void *work_off(void *data)
{
	struct push *p = data;

	for (;;) {
		struct reg_part *part;
		struct err err = { 0 };
		int r;

		(void) pthread_mutex_lock(&p->mutex); /* fails for a bad mutex only */
		part = p->next < p->total && !atomic_load(&p->stop) ? &p->parts[p->next++] : NULL;
		(void) pthread_mutex_unlock(&p->mutex); /* as above */
		if (part == NULL)
			return NULL;
		r = send_part(p, part, &err);
		if (r == 0)
			continue;
		(void) pthread_mutex_lock(&p->mutex); /* as above */
		if (p->code == 0) {
			p->code = r;
			p->err = err;
		}
		atomic_store(&p->stop, true);
		(void) pthread_mutex_unlock(&p->mutex); /* as above */
	}
}

static int send_parts(struct push *p, struct err *err)
{
	uint64_t want = reg_session_settings(p->session)->downloads;
	pthread_t threads[REG_DOWNLOADS_MAX];
	size_t n = 0;

	p->p->watch->begin(p->p->watch->data, p->parts, p->n);
	while (n + 1 < want && n + 1 < p->total && pthread_create(&threads[n], NULL, work_off, p) == 0)
		n++;
	(void) work_off(p); /* this one works, too */
	for (size_t i = 0; i < n; i++)
		(void) pthread_join(threads[i], NULL); /* fails for a bad thread only */
	p->p->watch->end(p->p->watch->data);
	return p->code < 0 ? err_msg(err, p->code, "%s", p->err.text) : 0;
}

static int add_part(struct push *p, const char *digest, struct err *err)
{
	struct reg_part *part = &p->parts[p->total];
	char path[IMG_BLOB_PATH_SIZE];
	struct stat st;

	for (size_t i = 0; i < p->total; i++)
		if (strcmp(p->parts[i].digest, digest) == 0)
			return 0;
	img_blob_path(digest, path);
	if (fstatat(img_store_root_fd(p->p->store), path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, -errno, "find blob '%.19s' (see 'cleave system check')", digest);
	memcpy(part->digest, digest, sizeof(part->digest));
	part->total = (uint64_t) st.st_size;
	p->total++;
	return 0;
}

/* Where blobs are mounted from must be allowed to be read */
static void find_mounts(struct push *p)
{
	reg_mounts(p->p->store, p->p->settings, &p->p->place, p->parts, p->total, &p->arena);
	for (size_t i = 0; i < p->total; i++) {
		const char *from = p->parts[i].from;
		const char *scope = from != NULL ? arena_printf(&p->arena, "repository:%s:pull", from) : NULL;

		if (scope != NULL)
			reg_session_scope(p->session, scope);
	}
}

static int prepare(struct push *p, const struct img_manifest *m, struct err *err)
{
	int r = 0;

	p->n = p->total = p->next = 0;
	p->parts = arena_alloc(&p->arena, m->nr_layers + 1, sizeof(*p->parts));
	if (p->parts == NULL)
		return err_set(err, -ENOMEM, "push an image");
	for (size_t i = 0; r == 0 && i < m->nr_layers; i++)
		r = add_part(p, m->layers[i].digest, err);
	p->n = p->total;
	if (r == 0)
		r = add_part(p, m->config.digest, err);
	if (r == 0)
		find_mounts(p);
	return r;
}

/* A manifest that does not say what it is, is as its configuration is */
static const char *type_of(const struct img_manifest *m)
{
	if (m->media_type != NULL && *m->media_type != '\0')
		return m->media_type;
	return strstr(m->config.media_type, "docker") != NULL
		       ? "application/vnd.docker.distribution.manifest.v2+json"
		       : IMG_MEDIA_MANIFEST;
}

static int sign(const struct push *p, const char *digest, const char *tag, struct err *err)
{
	char name[sizeof(p->p->place.name) + IMG_TAG_MAX + 2];

	(void) snprintf(name, sizeof(name), "%s:%s", p->p->place.name, tag); /* fits */
	return p->p->key != NULL ? reg_sign(p->session, p->p->key, name, digest, err) : 0;
}

static int push_one(struct push *p, const struct img_image *image, const char *repository,
		    const char *tag, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	struct img_manifest m;
	char path[IMG_BLOB_PATH_SIZE];
	int r;

	img_blob_path(image->manifest, path);
	r = file_read(img_store_root_fd(p->p->store), path, IMG_CONFIG_SIZE_MAX, &text);
	if (r < 0)
		return err_set(err, r, "read the manifest of image %.12s", image->id);
	r = img_manifest_parse("manifest", &p->arena, text.p, text.len, &m, err);
	if (r == 0 && p->p->signer != NULL) /* without its key nothing is sent */
		r = reg_sign_gpg(p->p->signer, p->p->place.name, tag, image->manifest, err);
	if (r == 0)
		r = prepare(p, &m, err);
	if (r == 0)
		r = send_parts(p, err);
	if (r == 0)
		r = reg_manifest_put(p->session, tag, type_of(&m), text.p, text.len, err);
	if (r == 0)
		r = sign(p, image->manifest, tag, err);
	if (r == 0)
		r = img_store_pulled(p->p->store, repository, image->manifest, image->id, err);
	if (r < 0)
		return r;
	(void) snprintf(p->p->digest, sizeof(p->p->digest), "%s", image->manifest); /* fits */
	say(p, "%s: digest: %s size: %zu", tag, image->manifest, text.len);
	return 0;
}

static int push_all(struct push *p, const char *repository, struct err *err)
{
	struct img_image *list;
	bool any = false;
	int n = img_store_list(p->p->store, &p->arena, &list, err), r = n < 0 ? n : 0;

	for (int i = 0; r == 0 && i < n; i++)
		if (strcmp(list[i].repository, repository) == 0) {
			any = true;
			r = push_one(p, &list[i], repository, list[i].tag, err);
		}
	return r == 0 && !any ? err_msg(err, -ENOENT, "no image has the name '%s'", repository) : r;
}

int reg_push(struct reg_push *o, const char *name, const char *to, struct err *err)
{
	struct push p = { .p = o, .mutex = PTHREAD_MUTEX_INITIALIZER };
	const struct reg_want want = { .settings = o->settings, .place = &o->place, .access = o->access,
				       .actions = "pull,push" };
	struct img_image image;
	struct img_reference ref;
	int r = img_reference_parse(to != NULL ? to : name, &ref, err);

	if (r == 0 && *ref.digest != '\0')
		r = err_msg(err, -EINVAL, "cannot push a digest reference: name a tag");
	if (r == 0)
		r = reg_place_of(o->settings, &ref, &o->place, err);
	if (r < 0)
		return r;
	say(&p, "The push refers to repository [%s/%s]", o->place.host, o->place.path);
	if (!o->all_tags) /* before anybody is asked */
		r = img_store_find(o->store, name, &p.arena, &image, err);
	if (r == 0)
		r = reg_session_open(&want, &p.session, err);
	if (r == 0)
		r = o->all_tags ? push_all(&p, ref.repository, err) : push_one(&p, &image, ref.repository, ref.tag, err);
	reg_session_free(p.session);
	arena_fini(&p.arena);
	return r < 0 ? err_wrap(err, r, "push '%s'", ref.repository) : 0;
}

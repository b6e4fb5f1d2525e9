/* SPDX-License-Identifier: MIT */
/**
 * DOC: saving
 *
 * Blobs are copied as they are in the store, each once, so all digests stay the same.  Docker's
 * manifest.json refers to the blobs of the layout, as Docker itself writes it since version 25.
 */
#include "image/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/str.h"
#include "image/internal.h"
#include "image/manifest.h"
#include "image/meter.h"
#include "image/parts.h"
#include "image/reference.h"
#include "image/sink.h"
#include "image/store.h"
#include "image/tar.h"
#include "image/tar_write.h"

#define BLOBS "blobs/sha256/"

/* An image and the names it is saved under */
struct part {
	struct img_image image;
	struct img_manifest manifest;
	struct img_words names;
	struct part *next;
};

struct save {
	struct img_store *store;
	struct arena arena;
	struct part *parts;
	struct img_image *images; /* all of the store, @nr_images */
	int nr_images;
	const char **blobs; /* digests already written */
	size_t nr_blobs, room;
	int dir; /* or -EBADF */
	struct img_sink *sink; /* or NULL */
};

static int nomem(struct err *err)
{
	return err_set(err, -ENOMEM, "save the image");
}

static int open_blob(struct save *s, const char *digest, struct err *err)
{
	char path[IMG_BLOB_PATH_SIZE];
	int fd;

	img_blob_path(digest, path);
	fd = openat(s->store->root, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(err, -errno, "open blob '%s'", digest) : fd;
}

/* "docker.io/library/debian:12": as programs want it that know several registries */
static const char *full_name(struct arena *a, const char *name)
{
	const char *slash = strchr(name, '/');
	size_t host = slash != NULL ? (size_t) (slash - name) : 0;

	if (host == 0)
		return arena_printf(a, "docker.io/library/%s", name);
	if (memchr(name, '.', host) != NULL || memchr(name, ':', host) != NULL ||
	    (host == 9 && strncmp(name, "localhost", 9) == 0))
		return name;
	return arena_printf(a, "docker.io/%s", name);
}

static int add_name(struct save *s, struct part *p, const char *name, size_t max, struct err *err)
{
	struct img_reference ref;
	char *text;

	if (str_starts(name, "sha256:") || img_reference_parse(name, &ref, NULL) < 0 ||
	    ref.digest[0] != '\0' || strcmp(ref.repository, p->image.repository) != 0 ||
	    strcmp(ref.tag, p->image.tag) != 0)
		return 0; /* it was an id */
	text = arena_printf(&s->arena, "%s:%s", ref.repository, ref.tag);
	if (p->names.v == NULL)
		p->names.v = arena_alloc(&s->arena, max + 1, sizeof(*p->names.v));
	if (text == NULL || p->names.v == NULL)
		return nomem(err);
	for (size_t i = 0; i < p->names.n; i++)
		if (strcmp(p->names.v[i], text) == 0)
			return 0;
	p->names.v[p->names.n++] = text;
	return 0;
}

static int add_part(struct save *s, const char *name, size_t max, struct err *err)
{
	struct part **end = &s->parts;
	struct img_image image;
	int r = img_store_find(s->store, name, &s->arena, &image, err);

	if (r < 0)
		return r;
	while (*end != NULL && strcmp((*end)->image.id, image.id) != 0)
		end = &(*end)->next;
	if (*end == NULL) {
		*end = arena_alloc(&s->arena, 1, sizeof(**end));
		if (*end == NULL)
			return nomem(err);
		(*end)->image = image;
		r = img_manifest_read(s->store, &(*end)->image, &s->arena, &(*end)->manifest, err);
	}
	(*end)->image.repository = image.repository;
	(*end)->image.tag = image.tag;
	return r < 0 ? r : add_name(s, *end, name, max, err);
}

/* Every name of a repository.  Return: how many; -errno. */
static int add_repository(struct save *s, const char *repository, size_t max, struct err *err)
{
	int found = 0, r = 0;

	for (int i = 0; r == 0 && i < s->nr_images; i++) {
		const char *name;

		if (strcmp(s->images[i].repository, repository) != 0)
			continue;
		name = arena_printf(&s->arena, "%s:%s", repository, s->images[i].tag);
		r = name != NULL ? add_part(s, name, max, err) : nomem(err);
		found++;
	}
	return r < 0 ? r : found;
}

/* A name without a tag stands for all tags, as for Docker. */
static int add_parts(struct save *s, const char *const *names, size_t n, struct err *err)
{
	int r = img_store_list(s->store, &s->arena, &s->images, err);
	size_t max = n + (r > 0 ? (size_t) r : 0);

	s->nr_images = r;
	for (size_t i = 0; r >= 0 && i < n; i++) {
		const char *slash = strrchr(names[i], '/');
		struct img_reference ref;

		r = 0;
		if (strpbrk(slash != NULL ? slash : names[i], ":@") == NULL &&
		    img_reference_parse(names[i], &ref, NULL) == 0)
			r = add_repository(s, ref.repository, max, err);
		if (r == 0)
			r = add_part(s, names[i], max, err);
	}
	return r < 0 ? r : 0;
}

static int put_text(struct save *s, const char *name, const struct str *text, struct err *err)
{
	int r;

	if (text->failed)
		return nomem(err);
	if (s->sink != NULL)
		return img_tar_put_data(s->sink, name, text->p, text->len, err);
	r = file_replace(s->dir, name, text->p, text->len, 0644);
	return r < 0 ? err_set(err, r, "write '%s'", name) : 0;
}

static int put_file(struct save *s, const char *name, int from, uint64_t size, struct err *err)
{
	const struct img_tar_entry e = { .path = name, .link = "", .mode = S_IFREG | 0644,
					 .size = size };
	_cleanup_(img_sink_freep) struct img_sink *file = NULL;
	int r;

	if (s->sink != NULL) {
		r = img_tar_put(s->sink, &e, err);
		if (r == 0)
			r = img_sink_copy(s->sink, from, 0, size, err);
		return r < 0 ? r : img_tar_pad(s->sink, size, err);
	}
	_cleanup_close_ int to = openat(s->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
					0644);
	if (to < 0)
		return err_set(err, -errno, "create '%s'", name);
	r = img_sink_open(to, false, false, &file, err);
	if (r == 0)
		img_sink_meter(file, s->store->meter);
	if (r == 0)
		r = img_sink_copy(file, from, 0, size, err);
	return r < 0 ? r : img_sink_finish(file, NULL, err);
}

static int put_blob(struct save *s, const char *digest, struct err *err)
{
	char name[96];
	struct stat st;

	for (size_t i = 0; i < s->nr_blobs; i++)
		if (strcmp(s->blobs[i], digest) == 0)
			return 0;
	if (s->nr_blobs == s->room) {
		const char **more = reallocarray(s->blobs, s->room * 2 + 64, sizeof(*more));

		if (more == NULL)
			return nomem(err);
		s->blobs = more;
		s->room = s->room * 2 + 64;
	}
	s->blobs[s->nr_blobs++] = digest;
	_cleanup_close_ int fd = open_blob(s, digest, err);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "read blob '%s'", digest);
	(void) snprintf(name, sizeof(name), BLOBS "%s", digest + strlen("sha256:"));
	return put_file(s, name, fd, (uint64_t) st.st_size, err);
}

static void index_entry(struct save *s, const struct part *p, const char *name, struct str *text)
{
	json_open(text, NULL, '{');
	json_text(text, "mediaType",
		  p->manifest.media_type != NULL ? p->manifest.media_type : IMG_MEDIA_MANIFEST);
	json_text(text, "digest", p->image.manifest);
	json_int(text, "size", p->image.manifest_size);
	if (name != NULL) {
		const char *full = full_name(&s->arena, name);

		json_open(text, "annotations", '{');
		json_text(text, "io.containerd.image.name", full);
		json_text(text, "org.opencontainers.image.ref.name", full);
		json_close(text, '}');
	}
	json_close(text, '}');
}

static int put_index(struct save *s, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };

	json_open(&text, NULL, '{');
	json_int(&text, "schemaVersion", 2);
	json_text(&text, "mediaType", IMG_MEDIA_INDEX);
	json_open(&text, "manifests", '[');
	for (const struct part *p = s->parts; p != NULL; p = p->next) {
		if (p->names.n == 0)
			index_entry(s, p, NULL, &text);
		for (size_t i = 0; i < p->names.n; i++)
			index_entry(s, p, p->names.v[i], &text);
	}
	json_close(&text, ']');
	json_close(&text, '}');
	return put_text(s, "index.json", &text, err);
}

static int put_manifest_json(struct save *s, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };

	json_open(&text, NULL, '[');
	for (const struct part *p = s->parts; p != NULL; p = p->next) {
		char name[96];

		json_open(&text, NULL, '{');
		(void) snprintf(name, sizeof(name), BLOBS "%s", p->image.id); /* fits */
		json_text(&text, "Config", name);
		if (p->names.n > 0)
			json_texts(&text, "RepoTags", p->names.v, p->names.n);
		else
			json_text(&text, "RepoTags", NULL);
		json_open(&text, "Layers", '[');
		for (size_t i = 0; i < p->manifest.nr_layers; i++) {
			(void) snprintf(name, sizeof(name), BLOBS "%s",
					p->manifest.layers[i].digest + strlen("sha256:"));
			json_text(&text, NULL, name);
		}
		json_close(&text, ']');
		json_close(&text, '}');
	}
	json_close(&text, ']');
	return put_text(s, "manifest.json", &text, err);
}

static int put_directories(struct save *s, struct err *err)
{
	static const char *const names[] = { "blobs", "blobs/sha256" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(names); i++) {
		char name[32];
		struct img_tar_entry e = { .path = name, .link = "", .mode = S_IFDIR | 0755 };

		(void) snprintf(name, sizeof(name), "%s/", names[i]); /* fits */
		if (s->sink != NULL)
			r = img_tar_put(s->sink, &e, err);
		else if (mkdirat(s->dir, names[i], 0755) < 0 && errno != EEXIST)
			r = err_set(err, -errno, "create directory '%s'", names[i]);
	}
	return r;
}

/* Small files first: who reads the archive in order knows what to expect. */
static int put_all(struct save *s, enum img_save_format format, struct err *err)
{
	_cleanup_(str_fini) struct str layout = { 0 };
	int r;

	str_puts(&layout, "{\"imageLayoutVersion\":\"1.0.0\"}");
	r = put_text(s, "oci-layout", &layout, err);
	if (r == 0 && format == IMG_SAVE_DOCKER)
		r = put_manifest_json(s, err);
	if (r == 0)
		r = put_directories(s, err);
	for (const struct part *p = s->parts; r == 0 && p != NULL; p = p->next) {
		r = put_blob(s, p->image.manifest, err);
		if (r == 0)
			r = put_blob(s, p->manifest.config.digest, err);
		for (size_t i = 0; r == 0 && i < p->manifest.nr_layers; i++)
			r = put_blob(s, p->manifest.layers[i].digest, err);
	}
	return r < 0 ? r : put_index(s, err); /* last: it says that the layout is complete */
}

int img_save(struct img_store *store, const char *const *names, size_t n,
	     enum img_save_format format, int fd, struct err *err)
{
	struct save s = { .store = store, .dir = -EBADF };
	int r = add_parts(&s, names, n, err);

	if (r == 0 && format == IMG_SAVE_OCI_DIR)
		s.dir = fd;
	else if (r == 0)
		r = img_sink_open(fd, false, false, &s.sink, err);
	if (r == 0 && s.sink != NULL)
		img_sink_meter(s.sink, store->meter);
	for (const struct part *p = s.parts; p != NULL; p = p->next)
		for (size_t i = 0; i < p->manifest.nr_layers; i++)
			img_meter_expect(store->meter, p->manifest.layers[i].size);
	if (r == 0)
		r = put_all(&s, format, err);
	if (r == 0 && s.sink != NULL)
		r = img_tar_end(s.sink, err);
	if (r == 0 && s.sink != NULL)
		r = img_sink_finish(s.sink, NULL, err);
	img_sink_free(s.sink);
	arena_fini(&s.arena);
	free(s.blobs);
	return r;
}

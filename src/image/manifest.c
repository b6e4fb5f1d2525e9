/* SPDX-License-Identifier: MIT */
#include "image/manifest.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "image/store.h"
#include "sys/machine.h"

#define NAMES_MAX 4096 /* of one image */

static bool read_descriptor(struct json_in *in, const struct json *obj, struct img_descriptor *ret)
{
	const char *digest;

	if (!json_to_object(in, obj) || !json_need(in, obj, "digest"))
		return false;
	ret->media_type = json_get_str(in, obj, "mediaType");
	if (ret->media_type == NULL)
		ret->media_type = "";
	digest = json_get_str(in, obj, "digest");
	if (digest == NULL)
		return false;
	if (!str_starts(digest, "sha256:") || strlen(digest) != 71 ||
	    strspn(digest + 7, "0123456789abcdef") != 64)
		return json_fail(in, obj, "digest",
				 "'%.80s' is no SHA-256 digest (sha256: and 64 digits)", digest);
	memcpy(ret->digest, digest, sizeof(ret->digest));
	(void) json_get_u64(in, obj, "size", INT64_MAX, &ret->size); /* Docker leaves it out at times */
	return in->code == 0;
}

static bool known_layer(const char *type)
{
	return *type == '\0' || (strstr(type, "+encrypted") == NULL &&
				 (strstr(type, ".tar") != NULL || strstr(type, ".layer.") != NULL));
}

static void read_manifest(struct json_in *in, struct img_manifest *m)
{
	const struct json *config, *layers, *it;

	if (!json_to_object(in, in->root) || !json_need(in, in->root, "config"))
		return;
	m->media_type = json_get_str(in, in->root, "mediaType");
	config = json_get_object(in, in->root, "config");
	if (config == NULL || !read_descriptor(in, config, &m->config))
		return;
	if (*m->config.media_type != '\0' && strstr(m->config.media_type, "image") == NULL) {
		(void) json_fail(in, config, "mediaType", "'%.100s' is not that of an image",
				 m->config.media_type);
		return;
	}
	layers = json_get_array(in, in->root, "layers", IMG_LAYERS_MAX - 1);
	if (layers == NULL)
		return;
	m->layers = arena_alloc(in->strings, layers->len, sizeof(*m->layers));
	if (m->layers == NULL) {
		(void) json_nomem(in); /* remembered in in->code */
		return;
	}
	for (it = layers->first; it != NULL; it = it->next) {
		struct img_descriptor *d = &m->layers[m->nr_layers++];

		if (!read_descriptor(in, it, d))
			return;
		if (!known_layer(d->media_type)) {
			(void) json_fail(in, it, "mediaType",
					 "'%.100s' is no layer that can be unpacked",
					 d->media_type);
			return;
		}
	}
}

int img_manifest_parse(const char *name, struct arena *arena, const char *text, size_t len,
		       struct img_manifest *ret, struct err *err)
{
	struct img_manifest m = { 0 };
	struct json_in in;
	int r = json_parse(&in, name, arena, text, len, err);

	if (r == 0) {
		read_manifest(&in, &m);
		r = in.code;
	}
	json_fini(&in);
	if (r == 0)
		*ret = m;
	return r;
}

/* Go's name of this machine's kind */
static const char *machine(struct utsname *u)
{
	return uname(u) < 0 ? "amd64" : machine_arch(u);
}

static const char *platform_text(struct json_in *in, const struct json *platform, const char *key)
{
	const char *text = platform != NULL ? json_get_str(in, platform, key) : NULL;

	return text != NULL ? text : "";
}

/*
 * @full is the better one, and @ref the same, or its end.  A tool that knows only @ref gives a new image another one, and
 * keeps @full of the image that it was made of.
 */
static const char *name_of(const char *full, const char *ref)
{
	size_t n = full != NULL ? strlen(full) : 0, k = ref != NULL ? strlen(ref) : 0;

	if (full == NULL || ref == NULL)
		return full != NULL ? full : ref;
	if (k > n || strcmp(full + n - k, ref) != 0)
		return ref;
	return k == n || k == 0 || full[n - k - 1] == ':' || full[n - k - 1] == '/' ? full : ref;
}

static void read_entry(struct json_in *in, const struct json *obj, const char *arch,
		       struct img_index_entry *e)
{
	const struct json *platform, *notes;

	if (!read_descriptor(in, obj, &e->d))
		return;
	e->is_index = strstr(e->d.media_type, "index") != NULL ||
		      strstr(e->d.media_type, "manifest.list") != NULL;
	platform = json_get_object(in, obj, "platform");
	e->arch = platform_text(in, platform, "architecture");
	e->os = platform_text(in, platform, "os");
	e->variant = platform_text(in, platform, "variant");
	e->usable = (*e->arch == '\0' || strcmp(e->arch, arch) == 0) &&
		    (*e->os == '\0' || strcmp(e->os, "linux") == 0);
	notes = json_get_object(in, obj, "annotations");
	if (notes == NULL)
		return;
	e->name = name_of(json_get_str(in, notes, "io.containerd.image.name"), json_get_str(in, notes, "org.opencontainers.image.ref.name"));
}

int img_index_parse(const char *name, struct arena *arena, const char *text, size_t len,
		    struct img_index *ret, struct err *err)
{
	struct img_index index = { 0 };
	struct utsname u;
	struct json_in in;
	int r = json_parse(&in, name, arena, text, len, err);
	const struct json *list = r == 0 && json_to_object(&in, in.root)
					  ? json_get_array(&in, in.root, "manifests", IMG_INDEX_MAX)
					  : NULL;

	if (list != NULL)
		index.v = arena_alloc(arena, list->len, sizeof(*index.v));
	if (list != NULL && index.v == NULL)
		(void) json_nomem(&in); /* remembered in in.code */
	else if (list != NULL)
		for (const struct json *it = list->first; it != NULL; it = it->next)
			read_entry(&in, it, machine(&u), &index.v[index.n++]);
	if (r == 0)
		r = in.code;
	json_fini(&in);
	if (r == 0)
		*ret = index;
	return r;
}

static void read_names(struct json_in *in, const struct json *obj, const char *key, size_t max,
		       struct img_words *ret)
{
	const struct json *list = json_get_array(in, obj, key, max);

	ret->v = arena_alloc(in->strings, (list != NULL ? list->len : 0) + 1, sizeof(*ret->v));
	if (ret->v == NULL) {
		(void) json_nomem(in); /* remembered in in->code */
		return;
	}
	for (const struct json *it = list != NULL ? list->first : NULL; it != NULL; it = it->next)
		ret->v[ret->n++] = json_to_str(in, it);
}

int img_saved_parse(struct arena *arena, const char *text, size_t len, struct img_saved **ret,
		    struct err *err)
{
	struct img_saved *v = NULL;
	struct json_in in;
	int r = json_parse(&in, "manifest.json", arena, text, len, err), n = 0;

	if (r == 0 && in.root->kind != JSON_KIND_ARRAY)
		(void) json_fail(&in, in.root, NULL, "expected a list"); /* kept in in.code */
	else if (r == 0 && in.root->len > IMG_INDEX_MAX)
		(void) json_fail(&in, in.root, NULL, "%u images are over the limit %d",
				 in.root->len, IMG_INDEX_MAX); /* as above */
	else if (r == 0 && (v = arena_alloc(arena, in.root->len + 1, sizeof(*v))) == NULL)
		(void) json_nomem(&in); /* as above */
	for (const struct json *it = v != NULL ? in.root->first : NULL; it != NULL; it = it->next) {
		struct img_saved *s = &v[n++];

		if (!json_to_object(&in, it) || !json_need(&in, it, "Config"))
			break;
		s->config = json_get_str(&in, it, "Config");
		read_names(&in, it, "RepoTags", NAMES_MAX, &s->tags);
		read_names(&in, it, "Layers", IMG_LAYERS_MAX - 1, &s->layers);
	}
	if (r == 0)
		r = in.code;
	json_fini(&in);
	if (r < 0)
		return r;
	*ret = v;
	return n;
}

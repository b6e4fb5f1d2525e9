/* SPDX-License-Identifier: MIT */
#include "registry/manifests.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/str.h"
#include "image/manifest.h"
#include "registry/session.h"
#include "sys/machine.h"

#define DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define TAGS_AT_ONCE 1000

static int get(struct reg_session *s, const char *folder, const char *what, const char *accept,
	       struct http_answer *ret, struct err *err)
{
	struct http_request q = { .method = "GET", .accept = accept, .file = -1 };
	_cleanup_(str_fini) struct str url = { 0 };

	reg_path(s, &url, folder);
	str_puts(&url, what);
	if (url.failed)
		return err_set(err, -ENOMEM, "ask the registry");
	q.url = url.p;
	return reg_send(s, &q, ret, err);
}

/* Keep an answer; @want: the digest that it must have, NULL for none */
static int keep(const struct http_answer *a, const char *want, struct arena *arena,
		struct reg_text *ret, struct err *err)
{
	struct reg_text t = { .len = a->text.len };
	size_t type = strcspn(a->type, "; ");

	t.p = arena_strndup(arena, a->text.p != NULL ? a->text.p : "", t.len);
	t.media_type = arena_strndup(arena, a->type, type);
	if (t.p == NULL || t.media_type == NULL)
		return err_set(err, -ENOMEM, "ask the registry");
	memcpy(t.digest, "sha256:", 7);
	sha256_hex(t.p, t.len, t.digest + 7);
	if (want != NULL && strcmp(want, t.digest) != 0)
		return err_msg(err, -EBADMSG, "the registry was asked for %s and sent %s", want, t.digest);
	*ret = t;
	return 0;
}

int reg_manifest_get(struct reg_session *s, const char *what, struct arena *arena,
		     struct reg_text *ret, struct err *err)
{
	static const char accept[] = IMG_MEDIA_INDEX ", " DOCKER_LIST ", " IMG_MEDIA_MANIFEST
						     ", " DOCKER_MANIFEST;
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	bool digest = strchr(what, ':') != NULL;
	int r = get(s, "manifests/", what, accept, &a, err);

	if (r < 0)
		return r;
	if (a.status != 200)
		return reg_refused(&a, what, err);
	if (strstr(a.type, "docker.distribution.manifest.v1") != NULL)
		return err_msg(err, -EOPNOTSUPP,
			       "'%s' has a manifest of version 1, which is not supported: push it again "
			       "with a newer program", what);
	r = keep(&a, digest ? what : NULL, arena, ret, err);
	if (r == 0 && str_starts(a.digest, "sha256:") && strcmp(a.digest, ret->digest) != 0)
		r = err_msg(err, -EBADMSG, "the registry says that the manifest is %s and sent %s", a.digest,
			    ret->digest);
	return r;
}

int reg_blob_get(struct reg_session *s, const char *digest, struct arena *arena,
		 struct reg_text *ret, struct err *err)
{
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	int r = get(s, "blobs/", digest, NULL, &a, err);

	if (r < 0)
		return r;
	return a.status == 200 ? keep(&a, digest, arena, ret, err) : reg_refused(&a, digest, err);
}

int reg_manifest_put(struct reg_session *s, const char *what, const char *media_type, const char *text,
		     size_t len, struct err *err)
{
	struct http_request q = { .method = "PUT", .content_type = media_type, .body = text, .body_len = len,
				  .file = -1 };
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	_cleanup_(str_fini) struct str url = { 0 };
	int r;

	reg_path(s, &url, "manifests/");
	str_puts(&url, what);
	if (url.failed)
		return err_set(err, -ENOMEM, "send a manifest");
	q.url = url.p;
	r = reg_send(s, &q, &a, err);
	return r < 0 ? r : a.status == 201 ? 0 : reg_refused(&a, "manifest", err);
}

/* The header says it, or the text */
int reg_is_index(const struct reg_text *text)
{
	return strcmp(text->media_type, IMG_MEDIA_INDEX) == 0 || strcmp(text->media_type, DOCKER_LIST) == 0 ||
	       (strstr(text->media_type, "manifest.v2") == NULL &&
		strstr(text->media_type, "image.manifest") == NULL &&
		memmem(text->p, text->len, "\"manifests\"", 11) != NULL);
}

struct platform {
	char os[32], arch[32], variant[32];
};

/* Several names of one thing; @variant has 32 bytes */
static const char *plain_arch(const char *arch, char *variant)
{
	if (strcmp(arch, "x86_64") == 0)
		arch = "amd64";
	else if (strcmp(arch, "aarch64") == 0)
		arch = "arm64";
	if ((strcmp(arch, "arm64") == 0 && strcmp(variant, "v8") == 0) ||
	    (strcmp(arch, "amd64") == 0 && strcmp(variant, "v1") == 0))
		*variant = '\0';
	else if (strcmp(arch, "arm") == 0 && *variant == '\0')
		memcpy(variant, "v7", 3);
	return arch;
}

static int read_platform(const char *text, struct platform *ret, struct err *err)
{
	struct platform p = { .os = "linux" };
	size_t n = strcspn(text, "/");
	struct utsname u;
	char arch[32] = "";
	int fields, end = 0;

	if (text[n] == '\0' && strcmp(text, "linux") != 0)
		fields = sscanf(text, "%31[a-z0-9_]%n", arch, &end) + 1;
	else
		fields = sscanf(text, "%31[a-z0-9]%n/%31[a-z0-9_]%n/%31[a-z0-9]%n", p.os, &end, arch, &end,
				p.variant, &end);
	if (fields < 1 || text[end] != '\0' || end == 0)
		return err_msg(err, -EINVAL, "--platform '%.100s' is not OS, OS/ARCH or OS/ARCH/VARIANT",
			       text);
	if (*arch == '\0')
		(void) snprintf(arch, sizeof(arch), "%s",
				uname(&u) == 0 ? machine_arch(&u) : "amd64"); /* short names */
	(void) snprintf(p.arch, sizeof(p.arch), "%s", plain_arch(arch, p.variant)); /* fits */
	*ret = p;
	return 0;
}

/*
 * How well an entry suits: 0 not at all, then more and more.  Processors of a variant run what is for a lower one; what
 * does not say for which it is is for all.
 */
static int suits(const struct img_index_entry *e, const struct platform *p)
{
	char variant[32];
	const char *arch;

	if (*e->arch == '\0' || strcmp(*e->os != '\0' ? e->os : "linux", p->os) != 0)
		return 0;
	(void) snprintf(variant, sizeof(variant), "%s", e->variant); /* a longer one is none */
	arch = plain_arch(e->arch, variant);
	if (strcmp(arch, p->arch) != 0)
		return 0;
	if (strcmp(variant, p->variant) == 0)
		return 100;
	if (*variant == '\0')
		return 1;
	return *p->variant == 'v' && *variant == 'v' && strcmp(variant, p->variant) < 0 ? variant[1] - '0' + 1 : 0;
}

int reg_platform_check(const char *platform, const char *os, const char *arch, const char *variant,
		       struct err *err)
{
	const struct img_index_entry e = { .os = os, .arch = arch, .variant = variant };
	struct platform p;
	int r = read_platform(platform, &p, err);

	if (r < 0 || suits(&e, &p) > 0)
		return r;
	return err_msg(err, -ENOENT, "the image is for %.30s/%.30s%s%.30s, not for %s", os, arch,
		       *variant != '\0' ? "/" : "", variant, platform);
}

int reg_choose(const struct img_index *index, const char *platform, struct err *err)
{
	struct platform p;
	int r = read_platform(platform != NULL ? platform : "linux", &p, err), best = 0, at = -1;

	for (size_t i = 0; r == 0 && i < index->n; i++) {
		int n = suits(&index->v[i], &p);

		if (n > best) {
			best = n;
			at = (int) i;
		}
	}
	/* what does not say what it is for may be for this machine */
	for (size_t i = 0; r == 0 && at < 0 && platform == NULL && i < index->n; i++)
		if (index->v[i].usable && *index->v[i].arch == '\0')
			at = (int) i;
	if (r < 0 || at >= 0)
		return r < 0 ? r : at;
	return err_msg(err, -ENOENT, "no matching manifest for %s/%s%s%s in the manifest list entries", p.os,
		       p.arch, *p.variant != '\0' ? "/" : "", p.variant);
}

static int add_tags(const struct http_answer *a, struct arena *arena, struct img_words *ret,
		    struct err *err)
{
	struct json_in in;
	const struct json *list = NULL;
	int r = json_parse(&in, "tags", arena, a->text.p != NULL ? a->text.p : "", a->text.len, err);

	if (r == 0 && json_to_object(&in, in.root))
		list = json_get_array(&in, in.root, "tags", REG_TAGS_MAX - ret->n);
	if (list != NULL) {
		const char **v = arena_alloc(arena, ret->n + list->len + 1, sizeof(*v));

		if (v == NULL)
			(void) json_nomem(&in); /* kept in in.code */
		else if (ret->n > 0)
			memcpy(v, ret->v, ret->n * sizeof(*v));
		ret->v = v;
		for (const struct json *it = list->first; v != NULL && it != NULL; it = it->next)
			v[ret->n++] = json_to_str(&in, it);
	}
	if (r == 0)
		r = in.code;
	json_fini(&in);
	return r;
}

/* '</v2/a/tags/list?last=x>; rel="next"' */
void reg_next_page(const struct http_answer *a, char *ret, size_t size)
{
	const char *from = strchr(a->link, '<'), *query = from != NULL ? strchr(from, '?') : NULL,
		   *end = query != NULL ? strchr(query, '>') : NULL;

	*ret = '\0';
	if (end != NULL && strstr(end, "next") != NULL && (size_t) (end - query) < size)
		(void) snprintf(ret, size, "%.*s", (int) (end - query), query); /* fits */
}

int reg_tags_get(struct reg_session *s, struct arena *arena, struct img_words *ret, struct err *err)
{
	char what[2100], page[2048];
	struct img_words tags = { 0 };
	size_t before;

	(void) snprintf(page, sizeof(page), "?n=%d", TAGS_AT_ONCE); /* fits */
	do {
		_cleanup_(http_answer_fini) struct http_answer a = { 0 };
		int r;

		before = tags.n;
		(void) snprintf(what, sizeof(what), "list%s", page); /* fits */
		r = get(s, "tags/", what, NULL, &a, err);
		if (r == 0 && a.status != 200)
			r = reg_refused(&a, "list of tags", err);
		if (r == 0)
			r = add_tags(&a, arena, &tags, err);
		if (r < 0)
			return r;
		reg_next_page(&a, page, sizeof(page));
	} while (*page != '\0' && tags.n > before && tags.n < REG_TAGS_MAX);
	*ret = tags;
	return 0;
}

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

static int read_platform(const char *text, struct platform *ret, struct err *err)
{
	struct platform p = { .os = "linux" };
	size_t n = strcspn(text, "/");
	struct utsname u;
	int fields;

	if (text[n] == '\0' && strcmp(text, "linux") != 0)
		fields = sscanf(text, "%31[a-z0-9_]", p.arch) + 1;
	else
		fields = sscanf(text, "%31[a-z0-9]/%31[a-z0-9_]/%31[a-z0-9]", p.os, p.arch, p.variant);
	if (fields < 1 || (strchr(text, '/') != NULL && fields < 2))
		return err_msg(err, -EINVAL, "--platform '%.100s' is not OS, OS/ARCH or OS/ARCH/VARIANT",
			       text);
	if (strcmp(p.arch, "x86_64") == 0)
		memcpy(p.arch, "amd64", sizeof("amd64"));
	else if (strcmp(p.arch, "aarch64") == 0)
		memcpy(p.arch, "arm64", sizeof("arm64"));
	else if (*p.arch == '\0')
		(void) snprintf(p.arch, sizeof(p.arch), "%s",
				uname(&u) == 0 ? machine_arch(&u) : "amd64"); /* short names */
	*ret = p;
	return 0;
}

int reg_choose(const struct img_index *index, const char *platform, struct err *err)
{
	struct platform p = { 0 };
	int r = platform != NULL ? read_platform(platform, &p, err) : 0;

	for (size_t i = 0; r == 0 && i < index->n; i++) {
		const struct img_index_entry *e = &index->v[i];

		if (platform == NULL ? e->usable
				     : (strcmp(e->os, p.os) == 0 && strcmp(e->arch, p.arch) == 0 &&
					(*p.variant == '\0' || strcmp(e->variant, p.variant) == 0)))
			return (int) i;
	}
	return r < 0 ? r
		     : err_msg(err, -ENOENT,
			       "no matching manifest for %s%s%s%s%s in the manifest list entries",
			       platform != NULL ? p.os : "this machine", platform != NULL ? "/" : "", p.arch,
			       *p.variant != '\0' ? "/" : "", p.variant);
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

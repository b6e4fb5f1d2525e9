/* SPDX-License-Identifier: MIT */
#include "registry/referrers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "image/manifest.h"
#include "registry/manifests.h"
#include "registry/session.h"

#define PAGES_MAX 1000

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

int reg_referrers_parse(const char *text, size_t len, const char *type, struct arena *arena,
			struct reg_referrer *v, size_t *n, struct err *err)
{
	const struct json *list = NULL;
	struct json_in in;
	int r = json_parse(&in, "referrers", arena, text, len, err);

	if (r == 0 && json_to_object(&in, in.root))
		list = json_get_array(&in, in.root, "manifests", REG_REFERRERS_MAX - *n);
	for (const struct json *it = list != NULL ? list->first : NULL; it != NULL && in.code == 0; it = it->next) {
		struct reg_referrer f = { 0 };

		if (!json_to_object(&in, it) || !json_need(&in, it, "digest"))
			break;
		f.digest = or_empty(json_get_str(&in, it, "digest"));
		f.type = or_empty(json_get_str(&in, it, "artifactType"));
		(void) json_get_u64(&in, it, "size", INT64_MAX, &f.size); /* or 0 */
		if (type == NULL || strcmp(type, f.type) == 0) /* registries need not filter */
			v[(*n)++] = f;
	}
	if (r == 0)
		r = in.code;
	json_fini(&in);
	return r;
}

/* The list under a tag; none is fine */
static int get_tagged(struct reg_session *s, const char *digest, const char *type, struct arena *arena,
		      struct reg_referrer *v, size_t *n, struct err *err)
{
	struct reg_text text;
	char tag[80];
	int r;

	(void) snprintf(tag, sizeof(tag), "sha256-%.64s", digest + strlen("sha256:")); /* fits */
	r = reg_manifest_get(s, tag, arena, &text, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return reg_referrers_parse(text.p, text.len, type, arena, v, n, err);
}

/* A page of the list.  Return: 0; 1 the registry has no such list; -errno with a message. */
static int get_page(struct reg_session *s, const char *url, const char *type, struct arena *arena,
		    struct reg_referrer *v, size_t *n, char *page, size_t page_size, struct err *err)
{
	struct http_request q = { .method = "GET", .url = url, .accept = IMG_MEDIA_INDEX, .file = -1 };
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	int r = reg_send(s, &q, &a, err);

	if (r < 0)
		return r;
	if (a.status == 404 || strncmp(a.type, IMG_MEDIA_INDEX, strlen(IMG_MEDIA_INDEX)) != 0)
		return a.status == 404 || a.status == 200 ? 1 : reg_refused(&a, "list of referrers", err);
	if (a.status != 200)
		return reg_refused(&a, "list of referrers", err);
	reg_next_page(&a, page, page_size);
	return reg_referrers_parse(a.text.p != NULL ? a.text.p : "", a.text.len, type, arena, v, n, err);
}

int reg_referrers_get(struct reg_session *s, const char *digest, const char *type, struct arena *arena,
		      struct reg_referrer **ret, struct err *err)
{
	struct reg_referrer *v = arena_alloc(arena, REG_REFERRERS_MAX, sizeof(*v));
	char page[2048] = "";
	int r, pages = 0;
	size_t n = 0;

	if (v == NULL)
		return err_set(err, -ENOMEM, "list referrers");
	do {
		_cleanup_(str_fini) struct str url = { 0 };

		reg_path(s, &url, "referrers/");
		str_printf(&url, "%s%s", digest, page);
		if (url.failed)
			return err_set(err, -ENOMEM, "list referrers");
		r = get_page(s, url.p, type, arena, v, &n, page, sizeof(page), err);
	} while (r == 0 && *page != '\0' && ++pages < PAGES_MAX && n < REG_REFERRERS_MAX);
	if (r == 1)
		r = get_tagged(s, digest, type, arena, v, &n, err);
	if (r < 0)
		return r;
	*ret = v;
	return (int) n;
}

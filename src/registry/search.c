/* SPDX-License-Identifier: MIT */
#include "registry/search.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "registry/http.h"
#include "registry/manifests.h"
#include "registry/place.h"
#include "registry/session.h"

#define CATALOG_AT_ONCE 1000
#define PAGES_MAX 1000
#define HUB_SEARCH "https://index.docker.io"

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

int reg_search_parse(const char *text, size_t len, struct arena *arena, struct reg_found **ret,
		     struct err *err)
{
	struct reg_found *v = NULL;
	struct json_in in;
	const struct json *list = NULL;
	int r = json_parse(&in, "search", arena, text, len, err), n = 0;

	if (r == 0 && json_to_object(&in, in.root))
		list = json_get_array(&in, in.root, "results", 10 * REG_FOUND_MAX);
	if (list != NULL && (v = arena_alloc(arena, list->len, sizeof(*v))) == NULL)
		(void) json_nomem(&in); /* kept in in.code */
	for (const struct json *it = v != NULL ? list->first : NULL; it != NULL; it = it->next) {
		struct reg_found *f = &v[n++];

		if (!json_to_object(&in, it))
			break;
		f->name = or_empty(json_get_str(&in, it, "name"));
		f->description = or_empty(json_get_str(&in, it, "description"));
		f->official = json_get_bool(&in, it, "is_official", false);
		f->automated = json_get_bool(&in, it, "is_automated", false);
		(void) json_get_i64(&in, it, "star_count", 0, INT64_MAX, &f->stars); /* or 0 */
	}
	if (r == 0)
		r = in.code;
	json_fini(&in);
	if (r < 0)
		return r;
	*ret = v;
	return n;
}

/* Those of a piece of the list that have the word in them */
static int parse_catalog(const struct http_answer *a, const char *word, uint64_t limit,
			 struct arena *arena, struct reg_found *v, int *n, struct err *err)
{
	const struct json *list = NULL;
	struct json_in in;
	int r = json_parse(&in, "catalog", arena, a->text.p != NULL ? a->text.p : "", a->text.len, err);

	if (r == 0 && json_to_object(&in, in.root))
		list = json_get_array(&in, in.root, "repositories", CATALOG_AT_ONCE);
	for (const struct json *it = list != NULL ? list->first : NULL;
	     it != NULL && (uint64_t) *n < limit; it = it->next) {
		const char *name = json_to_str(&in, it);

		if (name != NULL && strstr(name, word) != NULL)
			v[(*n)++] = (struct reg_found) { .name = name, .description = "" };
	}
	if (r == 0)
		r = in.code;
	json_fini(&in);
	return r;
}

static int list_all(struct reg_session *s, const char *word, uint64_t limit, struct arena *arena,
		    struct reg_found **ret, struct err *err)
{
	struct reg_found *v = arena_alloc(arena, limit, sizeof(*v));
	char page[2048], url[2100];
	int n = 0;

	(void) snprintf(page, sizeof(page), "?n=%d", CATALOG_AT_ONCE); /* fits */
	for (int pages = 0; v != NULL && *page != '\0' && (uint64_t) n < limit; pages++) {
		_cleanup_(http_answer_fini) struct http_answer a = { 0 };
		struct http_request q = { .method = "GET", .url = url, .file = -1 };
		int r;

		if (pages == PAGES_MAX)
			return err_msg(err, -EFBIG, "the registry has more than %d repositories",
				       PAGES_MAX * CATALOG_AT_ONCE);
		(void) snprintf(url, sizeof(url), "/v2/_catalog%s", page); /* fits */
		r = reg_send(s, &q, &a, err);
		if (r == 0 && a.status != 200)
			r = reg_refused(&a, "search", err);
		if (r == 0)
			r = parse_catalog(&a, word, limit, arena, v, &n, err);
		if (r < 0)
			return r;
		reg_next_page(&a, page, sizeof(page));
	}
	*ret = v;
	return v != NULL ? n : err_set(err, -ENOMEM, "search the registry");
}

static int ask(struct reg_session *s, const char *base, const char *word, uint64_t limit,
	       struct http_answer *ret, struct err *err)
{
	_cleanup_(str_fini) struct str url = { 0 };
	struct http_request q = { .method = "GET", .file = -1 };

	str_printf(&url, "%s/v1/search?n=%llu&q=", base, (unsigned long long) limit);
	for (const char *p = word; *p != '\0'; p++) {
		if (isalnum((unsigned char) *p) || strchr("-_.~/", *p) != NULL)
			str_add(&url, p, 1);
		else
			str_printf(&url, "%%%02X", (unsigned char) *p);
	}
	if (url.failed)
		return err_set(err, -ENOMEM, "search the registry");
	q.url = url.p;
	return reg_send(s, &q, ret, err);
}

int reg_search(const struct reg_settings *settings, const struct reg_access *access, const char *term,
	       uint64_t limit, struct arena *arena, struct reg_found **ret, struct err *err)
{
	const char *slash = strchr(term, '/'), *word = term;
	_cleanup_(reg_session_freep) struct reg_session *s = NULL;
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	struct reg_place place;
	const struct reg_want want = { .settings = settings, .place = &place, .access = access };
	char host[IMG_NAME_MAX + 1] = "";
	bool hub;
	int r;

	if (slash != NULL && strcspn(term, ".:") < (size_t) (slash - term)) {
		(void) snprintf(host, sizeof(host), "%.*s", (int) (slash - term), term); /* longer: refused */
		word = slash + 1;
	}
	r = reg_place_host(settings, host, &place, err);
	if (r == 0)
		r = reg_session_open(&want, &s, err);
	if (r < 0)
		return r;
	hub = strcmp(place.host, REG_HUB) == 0;
	r = ask(s, hub ? HUB_SEARCH : "", word, limit, &a, err);
	if (r == 0 && a.status == 404 && !hub)
		return list_all(s, word, limit, arena, ret, err);
	if (r == 0 && a.status != 200)
		r = reg_refused(&a, "search", err);
	return r < 0 ? r : reg_search_parse(a.text.p != NULL ? a.text.p : "", a.text.len, arena, ret, err);
}

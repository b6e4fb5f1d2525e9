/* SPDX-License-Identifier: MIT */
/**
 * DOC: what registries, and files about them, say
 *
 * Every input is given to every reader of such a text.  Whatever is refused is refused with a reason.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "fuzz.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "registry/base64.h"
#include "registry/challenge.h"
#include "registry/creds.h"
#include "registry/http.h"
#include "registry/lookaside.h"
#include "registry/manifests.h"
#include "registry/place.h"
#include "registry/policy.h"
#include "registry/referrers.h"
#include "registry/search.h"
#include "registry/settings.h"
#include "registry/signature.h"
#include "registry/toc.h"
#include "registry/token.h"

static void check(int r, const struct err *err)
{
	if (r < 0 && r != -ENOMEM && err->text[0] == '\0')
		abort(); /* a failure without a reason */
}

static void try_index(const char *text, size_t len)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_index index;
	struct err err = { 0 };

	check(reg_kind(text, len, &err), &err);
	if (img_index_parse("index", &arena, text, len, &index, NULL) < 0)
		return;
	check(reg_choose(&index, NULL, &err), &err);
	check(reg_choose(&index, "linux/arm/v7", &err), &err);
}

static void try_dockercfg(const char *text, size_t len)
{
	const struct reg_creds creds = { .user = "u", .password = "p" };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(str_fini) struct str edited = { 0 };
	struct reg_dockercfg c;
	struct err err = { 0 };
	bool found;

	check(reg_dockercfg_parse("config.json", text, len, "docker.io", "library/a", &arena, &c, &err), &err);
	if (reg_dockercfg_edit("config.json", text, len, "a:5000", &creds, &edited, &found, NULL) < 0)
		return;
	if (reg_dockercfg_parse("written", edited.p, edited.len, "a:5000", "", &arena, &c, &err) < 0) {
		if (strstr(err.text, "auths") != NULL)
			abort(); /* what was written can be read */
	} else if (c.helper == NULL && (c.creds.user == NULL || strcmp(c.creds.user, "u") != 0)) {
		abort();
	}
}

/* The chunks of a table are in order, and within the layer */
static void try_table(const char *text, size_t len)
{
	const struct reg_toc t = { .layer = "sha256:0", .at = 1000 };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_free_ struct reg_chunk *v = NULL;
	struct reg_toc *list;
	struct err err = { 0 };
	size_t n = 0;
	int r = reg_toc_parse(&t, text, len, &v, &n, &err);

	check(r, &err);
	for (size_t i = 0; i < n; i++)
		if (v[i].size == 0 || v[i].at + v[i].size > t.at || (i > 0 && v[i].at < v[i - 1].at + v[i - 1].size))
			abort();
	(void) reg_tocs_find(text, len, &arena, &list);
}

static void try_lookaside(const char *text, size_t len)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct reg_lookaside best = { 0 };
	struct err err = { 0 };
	char *copy = arena_strndup(&arena, text, len);

	if (copy != NULL)
		check(reg_lookaside_parse("file", copy, "q.io/a", ":1", &arena, &best, &err), &err);
}

static void try_settings(const char *text, size_t len)
{
	static const char *const names[] = { "a", "a/b", "docker.io/a", "r.example/a/b" };
	_cleanup_(reg_settings_fini) struct reg_settings s = { 0 };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_reference ref;
	struct reg_place place, *list;
	struct err err = { 0 };
	int r = reg_settings_parse("registries.json", text, len, &s, &err);

	check(r, &err);
	if (r < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (img_reference_parse(names[i], &ref, NULL) < 0)
			abort();
		check(reg_place_of(&s, &ref, &place, &err), &err);
		check(reg_places(&s, &ref, &arena, &list, &err), &err);
	}
	check(reg_place_host(&s, "", &place, &err), &err);
}

static void try_answers(const char *text, size_t len)
{
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct reg_found *found;
	struct err err = { 0 };
	const char *token;
	char page[64];

	check(reg_token_parse(text, len, &arena, &token, &err), &err);
	check(reg_search_parse(text, len, &arena, &found, &err), &err);
	for (size_t at = 0, n; at < len; at += n + 1) {
		const char *end = memchr(text + at, '\n', len - at);

		n = end != NULL ? (size_t) (end - text) - at : len - at;
		http_header(&a, text + at, n);
	}
	reg_next_page(&a, page, sizeof(page));
}

static void try_policy(const char *text, size_t len)
{
	_cleanup_(reg_policy_fini) struct reg_policy p = { 0 };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct reg_referrer *referrers = arena_alloc(&arena, REG_REFERRERS_MAX, sizeof(*referrers));
	struct reg_payload payload;
	struct err err = { 0 };
	size_t n = 0;
	int r = reg_policy_parse("policy.json", text, len, &p, &err);

	if (referrers == NULL)
		abort();
	check(r, &err);
	check(reg_payload_parse(REG_PAYLOAD_COSIGN, text, len, &arena, &payload, &err), &err);
	check(reg_referrers_parse(text, len, NULL, &arena, referrers, &n, &err), &err);
	if (n > REG_REFERRERS_MAX)
		abort();
	if (r < 0)
		return;
	const struct reg_rules *rules = reg_policy_of(&p, "r.example/a/b", ":1");
	if (rules->n == 0)
		abort(); /* nothing would be required */
	for (size_t i = 0; i < rules->n; i++)
		(void) reg_identity_fits(&rules->v[i], "r.example/a/b", ":1", "r.example/a/b:1"); /* any answer will do */
}

static void try_words(const char *text)
{
	_cleanup_(str_fini) struct str plain = { 0 };
	struct reg_challenge c;
	struct err err = { 0 };
	int r = reg_challenge_parse(text, &c, &err);

	check(r, &err);
	if (r == 0 && c.scheme == REG_SCHEME_BEARER && c.realm[0] == '\0')
		abort();
	(void) base64_decode(text, &plain); /* any answer will do */
	(void) reg_place_loopback(text); /* the same */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	try_index(text, size);
	try_dockercfg(text, size);
	try_settings(text, size);
	try_answers(text, size);
	try_policy(text, size);
	try_table(text, size);
	try_lookaside(text, size);
	try_words(text);
	free(text);
	return 0;
}

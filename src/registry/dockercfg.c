/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/str.h"
#include "registry/base64.h"
#include "registry/creds.h"
#include "registry/place.h"

#define HUB_KEY "https://index.docker.io/v1/"

const char *reg_dockercfg_key(const char *host)
{
	return strcmp(host, REG_HUB) == 0 ? HUB_KEY : host;
}

/* Docker Hub has several names */
static bool is_host(const char *p, size_t n, const char *host)
{
	static const char *const hub[] = { "index.docker.io", "registry-1.docker.io" };

	for (size_t i = 0; i < ARRAY_LEN(hub) && strcmp(host, REG_HUB) == 0; i++)
		if (strlen(hub[i]) == n && memcmp(p, hub[i], n) == 0)
			return true;
	return strlen(host) == n && memcmp(p, host, n) == 0;
}

/* How much of a repository's name a key has, 1 for the registry as a whole; 0: it is for others */
static size_t covers(const char *key, const char *host, const char *path)
{
	const char *scheme = strstr(key, "://"), *p = scheme != NULL ? scheme + 3 : key;
	size_t n = strcspn(p, "/");

	if (!is_host(p, n, host))
		return 0;
	if (scheme != NULL || p[n] == '\0' || p[n + 1] == '\0') /* the path of such an address says nothing */
		return 1;
	p += n + 1;
	n = strlen(p);
	return strncmp(path, p, n) == 0 && (path[n] == '\0' || path[n] == '/') ? 1 + n : 0;
}

static const struct json *find_member(const struct json *obj, const char *host, const char *path)
{
	const struct json *found = NULL;
	size_t best = 0;

	for (const struct json *it = obj != NULL ? obj->first : NULL; it != NULL; it = it->next) {
		size_t n = covers(it->key, host, path);

		if (n > best || (n > 0 && n == best && strcmp(it->key, host) == 0)) {
			found = it;
			best = n;
		}
	}
	return found;
}

/* "dXNlcjpwYXNz": user and password, split at the first colon */
static bool read_auth(struct json_in *in, const struct json *entry, struct reg_creds *c)
{
	_cleanup_(str_fini) struct str plain = { 0 };
	const char *auth = json_get_str(in, entry, "auth"), *colon;
	int r;

	c->user = json_get_str(in, entry, "username");
	c->password = json_get_str(in, entry, "password");
	c->token = json_get_str(in, entry, "identitytoken");
	if (auth == NULL || *auth == '\0')
		return in->code == 0;
	r = base64_decode(auth, &plain);
	colon = r == 0 && plain.p != NULL ? memchr(plain.p, ':', plain.len) : NULL;
	if (r == -ENOMEM)
		return json_nomem(in);
	if (colon == NULL || strlen(plain.p) != plain.len)
		return json_fail(in, entry, "auth", "it is not USER:PASSWORD in base 64");
	c->user = arena_strndup(in->strings, plain.p, (size_t) (colon - plain.p));
	c->password = arena_strdup(in->strings, colon + 1);
	return c->user != NULL && c->password != NULL ? true : json_nomem(in);
}

static void look_up(struct json_in *in, const char *host, const char *path, struct reg_dockercfg *ret)
{
	const struct json *helper = find_member(json_get_object(in, in->root, "credHelpers"), host, path);
	const struct json *entry = find_member(json_get_object(in, in->root, "auths"), host, path);

	ret->helper = helper != NULL ? json_to_str(in, helper)
				     : json_get_str(in, in->root, "credsStore");
	if (ret->helper != NULL && *ret->helper == '\0')
		ret->helper = NULL;
	if (ret->helper != NULL && strchr(ret->helper, '/') != NULL)
		(void) json_fail(in, in->root, helper != NULL ? "credHelpers" : "credsStore",
				 "'%.100s' is no name of a helper", ret->helper); /* kept in in->code */
	if (entry == NULL)
		return;
	ret->key = json_to_key(in, entry);
	if (ret->helper == NULL && json_to_object(in, entry))
		(void) read_auth(in, entry, &ret->creds); /* as above */
}

int reg_dockercfg_parse(const char *name, const char *text, size_t len, const char *host, const char *path,
			struct arena *arena, struct reg_dockercfg *ret, struct err *err)
{
	struct reg_dockercfg found = { 0 };
	struct json_in in;
	int r = json_parse(&in, name, arena, text, len, err);

	if (r == 0 && json_to_object(&in, in.root))
		look_up(&in, host, path, &found);
	if (r == 0)
		r = in.code;
	json_fini(&in);
	if (r < 0)
		return r;
	if (found.key == NULL)
		found.key = reg_dockercfg_key(host);
	*ret = found;
	return 0;
}

static void write_entry(struct str *s, const char *key, const struct reg_creds *c)
{
	_cleanup_(str_fini) struct str plain = { 0 }, auth = { 0 };

	json_open(s, key, '{');
	str_printf(&plain, "%s:%s", c->user, c->token == NULL ? c->password : "");
	base64_add(&auth, plain.p != NULL ? plain.p : "", plain.len);
	json_text(s, "auth", auth.p);
	if (c->token != NULL)
		json_text(s, "identitytoken", c->token);
	json_close(s, '}');
}

static void write_auths(struct str *s, const struct json *old, const char *key,
			const struct reg_creds *creds, bool *found)
{
	const char *scheme = strstr(key, "://");
	char host[512];

	(void) snprintf(host, sizeof(host), "%s", scheme != NULL ? REG_HUB : key);
	json_open(s, "auths", '{');
	for (const struct json *it = old != NULL ? old->first : NULL; it != NULL; it = it->next) {
		if (covers(it->key, host, "") == 0)
			json_node(s, it->key, it);
		else
			*found = true;
	}
	if (creds != NULL)
		write_entry(s, key, creds);
	json_close(s, '}');
}

int reg_dockercfg_edit(const char *name, const char *text, size_t len, const char *key,
		       const struct reg_creds *creds, struct str *ret, bool *ret_found,
		       struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct json *auths = NULL;
	struct json_in in;
	int r = json_parse(&in, name, &arena, text, len, err);

	*ret_found = false;
	if (r == 0 && json_to_object(&in, in.root))
		auths = json_get_object(&in, in.root, "auths");
	if (r == 0)
		r = in.code;
	if (r == 0) {
		json_open(ret, NULL, '{');
		write_auths(ret, auths, key, creds, ret_found);
		for (const struct json *it = in.root->first; it != NULL; it = it->next)
			if (strcmp(it->key, "auths") != 0)
				json_node(ret, it->key, it);
		json_close(ret, '}');
		str_puts(ret, "\n");
	}
	json_fini(&in);
	return r < 0 ? r : ret->failed ? err_set(err, -ENOMEM, "write '%s'", name) : 0;
}

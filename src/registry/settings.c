/* SPDX-License-Identifier: MIT */
#include "registry/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"

#define ENTRIES_MAX 4096 /* registries, aliases */

static void read_number(struct json_in *in, const char *key, uint64_t max, uint64_t *ret)
{
	uint64_t v = *ret;

	if (json_get_u64(in, in->root, key, max, &v) && v == 0)
		(void) json_fail(in, in->root, key, "0 is too small"); /* kept in in->code */
	*ret = v;
}

/* An object's members, counted; NULL when there are none */
static const struct json *members(struct json_in *in, const char *key)
{
	const struct json *o = json_get_object(in, in->root, key);

	if (o != NULL && o->len > ENTRIES_MAX)
		(void) json_fail(in, o, NULL, "%u entries are over the limit %d", o->len,
				 ENTRIES_MAX); /* kept in in->code */
	return in->code == 0 && o != NULL && o->len > 0 ? o : NULL;
}

static void read_aliases(struct json_in *in, struct reg_settings *s)
{
	const struct json *o = members(in, "aliases");

	if (o == NULL)
		return;
	s->aliases = arena_alloc(&s->arena, o->len, sizeof(*s->aliases));
	if (s->aliases == NULL) {
		(void) json_nomem(in); /* kept in in->code */
		return;
	}
	for (const struct json *it = o->first; it != NULL && in->code == 0; it = it->next) {
		s->aliases[s->nr_aliases][0] = json_to_key(in, it);
		s->aliases[s->nr_aliases++][1] = json_to_str(in, it);
	}
}

static void read_mirrors(struct json_in *in, const struct json *o, struct reg_registry *r,
			 struct arena *arena)
{
	const struct json *list = json_get_array(in, o, "mirrors", REG_MIRRORS_MAX);

	if (list == NULL)
		return;
	r->mirrors.v = arena_alloc(arena, list->len, sizeof(*r->mirrors.v));
	if (r->mirrors.v == NULL) {
		(void) json_nomem(in); /* kept in in->code */
		return;
	}
	for (const struct json *it = list->first; it != NULL && in->code == 0; it = it->next) {
		const char *url = json_to_str(in, it);

		if (url != NULL && !str_starts(url, "http://") && !str_starts(url, "https://"))
			(void) json_fail(in, it, NULL, "'%.100s' is no http:// or https:// address",
					 url); /* as above */
		r->mirrors.v[r->mirrors.n++] = url;
	}
}

static void read_registries(struct json_in *in, struct reg_settings *s)
{
	const struct json *o = members(in, "registries");

	if (o == NULL)
		return;
	s->v = arena_alloc(&s->arena, o->len, sizeof(*s->v));
	if (s->v == NULL) {
		(void) json_nomem(in); /* kept in in->code */
		return;
	}
	for (const struct json *it = o->first; it != NULL && in->code == 0; it = it->next) {
		struct reg_registry *r = &s->v[s->n];

		r->host = json_to_key(in, it);
		if (!json_to_object(in, it))
			return;
		r->insecure = json_get_bool(in, it, "insecure", false);
		r->blocked = json_get_bool(in, it, "blocked", false);
		read_mirrors(in, it, r, &s->arena);
		s->n++;
	}
}

int reg_settings_parse(const char *name, const char *text, size_t len, struct reg_settings *ret,
		       struct err *err)
{
	struct reg_settings s = { .fallback = "docker.io", .stall = 30, .attempts = 5, .wait = 250,
				  .downloads = 3 };
	struct json_in in;
	int r = json_parse(&in, name, &s.arena, text, len, err);
	const char *fallback;

	if (r == 0 && json_to_object(&in, in.root)) {
		fallback = json_get_str(&in, in.root, "default");
		s.fallback = fallback != NULL ? fallback : s.fallback;
		read_number(&in, "stall", 3600, &s.stall);
		read_number(&in, "attempts", REG_ATTEMPTS_MAX, &s.attempts);
		read_number(&in, "wait", 60000, &s.wait);
		read_number(&in, "downloads", REG_DOWNLOADS_MAX, &s.downloads);
		read_aliases(&in, &s);
		read_registries(&in, &s);
	}
	if (r == 0)
		r = in.code;
	json_fini(&in);
	if (r == 0)
		*ret = s;
	else
		reg_settings_fini(&s);
	return r;
}

/* The first of the places that has one; "" for none */
static void find_file(char *ret, size_t size)
{
	const char *given = getenv("CLEAVE_REGISTRIES"), *config = getenv("XDG_CONFIG_HOME"),
		   *home = getenv("HOME");

	*ret = '\0';
	if (given != NULL && *given != '\0') {
		(void) snprintf(ret, size, "%s", given); /* a longer one is not found */
		return;
	}
	if (geteuid() != 0 && config != NULL && *config == '/')
		(void) snprintf(ret, size, "%s/cleave/registries.json", config); /* as above */
	else if (geteuid() != 0 && home != NULL)
		(void) snprintf(ret, size, "%s/.config/cleave/registries.json", home); /* as above */
	if (*ret == '\0' || access(ret, F_OK) < 0)
		(void) snprintf(ret, size, "/etc/cleave/registries.json"); /* fits */
	if (access(ret, F_OK) < 0)
		*ret = '\0';
}

int reg_settings_read(struct reg_settings *ret, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[4096];
	int r = 0;

	find_file(path, sizeof(path));
	if (*path != '\0')
		r = file_read(AT_FDCWD, path, REG_SETTINGS_MAX, &text);
	if (r < 0)
		return err_set(err, r, "read '%s'", path);
	return text.p != NULL ? reg_settings_parse(path, text.p, text.len, ret, err)
			      : reg_settings_parse("registries.json", "{}", 2, ret, err);
}

const struct reg_registry *reg_settings_of(const struct reg_settings *s, const char *host)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].host, host) == 0)
			return &s->v[i];
	return NULL;
}

void reg_settings_fini(struct reg_settings *s)
{
	arena_fini(&s->arena);
}

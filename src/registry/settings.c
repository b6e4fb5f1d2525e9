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
#include "registry/place.h"

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

/* "HOST[:PORT][/PATH]"; with @schemes it may have http:// or https:// in front */
static const char *read_location(struct json_in *in, const struct json *node, bool schemes)
{
	const char *text = json_to_str(in, node), *p = text;

	if (p == NULL)
		return NULL;
	if (schemes && (str_starts(p, "http://") || str_starts(p, "https://")))
		p = strstr(p, "://") + 3;
	if (!reg_place_valid(p))
		(void) json_fail(in, node, NULL, "'%.100s' is no HOST[:PORT][/PATH]%s", text,
				 schemes ? " or http:// or https:// address" : ""); /* kept in in->code */
	return text;
}

static void read_locations(struct json_in *in, const struct json *list, bool schemes, struct arena *arena,
			   struct img_words *ret)
{
	if (list == NULL)
		return;
	ret->v = arena_alloc(arena, list->len, sizeof(*ret->v));
	if (ret->v == NULL) {
		(void) json_nomem(in); /* kept in in->code */
		return;
	}
	for (const struct json *it = list->first; it != NULL && in->code == 0; it = it->next)
		ret->v[ret->n++] = read_location(in, it, schemes);
}

/* One registry, or a list of them, or none: then it is Docker Hub */
static void read_searched(struct json_in *in, struct reg_settings *s)
{
	const struct json *node = json_get(in, in->root, "default");

	if (node != NULL && node->kind == JSON_KIND_ARRAY) {
		read_locations(in, json_get_array(in, in->root, "default", REG_SEARCHED_MAX), false, &s->arena,
			       &s->searched);
		if (s->searched.n == 0)
			(void) json_fail(in, node, NULL, "the list is empty"); /* kept in in->code */
		return;
	}
	s->searched.v = arena_alloc(&s->arena, 1, sizeof(*s->searched.v));
	if (s->searched.v == NULL)
		(void) json_nomem(in); /* as above */
	else
		s->searched.v[s->searched.n++] = node != NULL ? read_location(in, node, false) : REG_HUB;
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

		const struct json *location;

		r->prefix = json_to_key(in, it);
		if (!json_to_object(in, it))
			return;
		location = json_get(in, it, "location");
		r->location = location != NULL ? read_location(in, location, false) : NULL;
		r->insecure = json_get_bool(in, it, "insecure", false);
		r->blocked = json_get_bool(in, it, "blocked", false);
		read_locations(in, json_get_array(in, it, "mirrors", REG_MIRRORS_MAX), true, &s->arena,
			       &r->mirrors);
		s->n++;
	}
}

int reg_settings_parse(const char *name, const char *text, size_t len, struct reg_settings *ret,
		       struct err *err)
{
	struct reg_settings s = { .stall = 30, .attempts = 5, .wait = 250, .downloads = 3 };
	struct json_in in;
	int r = json_parse(&in, name, &s.arena, text, len, err);

	if (r == 0 && json_to_object(&in, in.root)) {
		read_searched(&in, &s);
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

/* "*.example.org" is for hosts, anything else for names that go on with a new component */
static bool is_prefix(const char *prefix, const char *name)
{
	size_t n = strlen(prefix), host = strcspn(name, "/");

	if (prefix[0] == '*')
		return n > 1 && host >= n && memcmp(name + host - (n - 1), prefix + 1, n - 1) == 0;
	return strncmp(name, prefix, n) == 0 && (name[n] == '\0' || name[n] == '/');
}

const struct reg_registry *reg_settings_of(const struct reg_settings *s, const char *name)
{
	const struct reg_registry *best = NULL;

	for (size_t i = 0; i < s->n; i++)
		if (is_prefix(s->v[i].prefix, name) &&
		    (best == NULL || strlen(s->v[i].prefix) > strlen(best->prefix)))
			best = &s->v[i];
	return best;
}

void reg_settings_fini(struct reg_settings *s)
{
	arena_fini(&s->arena);
}

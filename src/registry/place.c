/* SPDX-License-Identifier: MIT */
/**
 * DOC: places
 *
 * A name becomes "HOST/PATH": by an alias, by the host in it, or by one of the registries that are searched.  What
 * is said about the longest beginning of that then says where it really is, and which mirrors it has.
 */
#include "registry/place.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "registry/settings.h"

#define HUB_ADDRESS "registry-1.docker.io"

bool reg_place_loopback(const char *address)
{
	const char *p = address;
	size_t n = strcspn(address, ":");

	if (str_starts(address, "[::1]"))
		return address[5] == '\0' || address[5] == ':';
	if (n == 9 && strncmp(address, "localhost", n) == 0)
		return true;
	for (size_t dots = 0; p < address + n; p++) /* a name that begins with 127. is none */
		if (*p == '.' ? ++dots > 3 : *p < '0' || *p > '9')
			return false;
	return str_starts(address, "127.");
}

static bool is_host(const char *p, size_t n)
{
	return memchr(p, '.', n) != NULL || memchr(p, ':', n) != NULL ||
	       (n == 9 && memcmp(p, "localhost", 9) == 0);
}

bool reg_place_valid(const char *text)
{
	size_t n = strcspn(text, "/");

	if (n == 0 || strlen(text) > IMG_NAME_MAX || *text == '.' || *text == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char) text[i]) && strchr(".-:[]", text[i]) == NULL)
			return false;
	for (const char *p = text + n; *p == '/' && p[1] != '\0'; p += 1 + n) {
		n = strcspn(p + 1, "/");
		if (n == 0 || p[1] == '.' || strspn(p + 1, "abcdefghijklmnopqrstuvwxyz0123456789._-") < n)
			return false;
	}
	return true;
}

/* The beginning of a name, as it was read, and the rest of it */
static int join(struct reg_place *p, const char *location, const char *rest, struct err *err)
{
	size_t host = strcspn(location, "/"), dir = strlen(location + host);
	const char *path = location + host + (dir > 0);

	dir -= dir > 0; /* the slash behind the host */
	dir -= dir > 0 && path[dir - 1] == '/';
	rest += *rest == '/';
	if (snprintf(p->path, sizeof(p->path), "%.*s%s%s", (int) dir, path, dir > 0 && *rest != '\0' ? "/" : "",
		     rest) >= (int) sizeof(p->path))
		return err_msg(err, -ENAMETOOLONG, "'%.200s/%.200s' is over %zu bytes", location, rest,
			       sizeof(p->path) - 1);
	memcpy(p->host, location, host); /* lengths of both were checked */
	p->host[host] = '\0';
	return 0;
}

static void finish(const struct reg_settings *s, struct reg_place *p)
{
	const struct reg_registry *said;

	if (strcmp(p->host, "index.docker.io") == 0 || strcmp(p->host, HUB_ADDRESS) == 0)
		memcpy(p->host, REG_HUB, sizeof(REG_HUB));
	memcpy(p->address, p->host, sizeof(p->address));
	if (strcmp(p->host, REG_HUB) == 0)
		memcpy(p->address, HUB_ADDRESS, sizeof(HUB_ADDRESS));
	said = reg_settings_of(s, p->host);
	p->insecure = reg_place_loopback(p->address) || (said != NULL && said->insecure);
}

/* "http://host:5000/path", or without what is before the host */
static int mirror_of(const struct reg_settings *s, const char *mirror, const struct reg_place *of,
		     struct reg_place *ret, struct err *err)
{
	const char *scheme = strstr(mirror, "://");
	int r = join(ret, scheme != NULL ? scheme + 3 : mirror, of->path, err);

	if (r < 0)
		return r;
	finish(s, ret);
	memcpy(ret->name, of->name, sizeof(ret->name));
	ret->mirror = true;
	if (scheme != NULL)
		ret->scheme = str_starts(mirror, "https:") ? "https" : "http";
	return 0;
}

/*
 * A name on a registry, its mirrors first; @name: "HOST/PATH"; @ret has room.
 * Return: number of places; -errno with a message.
 */
static int add_places(const struct reg_settings *s, const char *name, bool mirrors, struct reg_place *ret,
		      struct err *err)
{
	const struct reg_registry *said = reg_settings_of(s, name);
	size_t n = said != NULL && mirrors ? said->mirrors.n : 0, skip = 0;
	struct reg_place real = { 0 };
	int r;

	if (said != NULL && said->blocked)
		return err_msg(err, -EPERM, "registry '%s' is blocked in registries.json", said->prefix);
	if (said != NULL && said->location != NULL)
		skip = said->prefix[0] == '*' ? strcspn(name, "/") : strlen(said->prefix);
	r = skip > 0 ? join(&real, said->location, name + skip, err) : join(&real, name, "", err);
	if (r < 0)
		return r;
	if (*real.path == '\0')
		return err_msg(err, -EINVAL, "registries.json: what replaces '%.200s' leaves no name", name);
	finish(s, &real);
	(void) snprintf(real.name, sizeof(real.name), "%s", name); /* fits */
	real.insecure = real.insecure || (said != NULL && said->insecure);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = mirror_of(s, said->mirrors.v[i], &real, &ret[i], err);
	ret[n] = real;
	return r < 0 ? r : (int) n + 1;
}

/* @registry: in front of a name that has none */
static int add_searched(const struct reg_settings *s, const char *registry, const char *path, bool mirrors,
			struct reg_place *ret, struct err *err)
{
	bool official = strcmp(registry, REG_HUB) == 0 && strchr(path, '/') == NULL;
	char name[2 * IMG_NAME_MAX + 16];

	(void) snprintf(name, sizeof(name), "%s/%s%s", registry, official ? "library/" : "", path); /* fits */
	return add_places(s, name, mirrors, ret, err);
}

/* An alias is a name like any other, but not the alias of another one */
static int resolve(const struct reg_settings *s, const struct img_reference *ref, struct img_reference *ret,
		   struct err *err)
{
	for (size_t i = 0; !ref->hub && i < s->nr_aliases; i++) {
		if (strcmp(s->aliases[i][0], ref->repository) != 0)
			continue;
		int r = img_reference_parse(s->aliases[i][1], ret, err);
		return r < 0 ? err_wrap(err, r, "registries.json: alias of '%s'", ref->repository) : 0;
	}
	*ret = *ref;
	return 0;
}

static int places(const struct reg_settings *s, const struct img_reference *ref, bool mirrors,
		  size_t searched, struct reg_place *ret, struct err *err)
{
	struct img_reference real;
	const char *slash;
	int r = resolve(s, ref, &real, err), n = 0;

	if (r < 0)
		return r;
	slash = strchr(real.repository, '/');
	if (real.hub)
		return add_searched(s, REG_HUB, real.repository, mirrors, ret, err);
	if (slash != NULL && is_host(real.repository, (size_t) (slash - real.repository)))
		return add_places(s, real.repository, mirrors, ret, err);
	for (size_t i = 0; i < searched; i++, n += r) {
		r = add_searched(s, s->searched.v[i], real.repository, mirrors, ret + n, err);
		if (r < 0)
			return r;
	}
	return n;
}

int reg_places(const struct reg_settings *s, const struct img_reference *ref, struct arena *arena,
	       struct reg_place **ret, struct err *err)
{
	struct reg_place *v = arena_alloc(arena, s->searched.n * (REG_MIRRORS_MAX + 1), sizeof(*v));
	int n = v != NULL ? places(s, ref, true, s->searched.n, v, err)
			  : err_set(err, -ENOMEM, "look an image up");

	if (n > 0)
		*ret = v;
	return n;
}

int reg_place_of(const struct reg_settings *s, const struct img_reference *ref, struct reg_place *ret,
		 struct err *err)
{
	struct reg_place p = { 0 };
	int r = places(s, ref, false, 1, &p, err);

	if (r < 0)
		return r;
	*ret = p;
	return 0;
}

int reg_place_host(const struct reg_settings *s, const char *name, struct reg_place *ret,
		   struct err *err)
{
	const char *scheme = strstr(name, "://"), *host = scheme != NULL ? scheme + 3 : name;
	const struct reg_registry *said;
	struct reg_place p = { 0 };

	if (*name == '\0')
		host = s->searched.v[0];
	if (!reg_place_valid(host))
		return err_msg(err, -EINVAL, "'%.200s' is no registry", name);
	memcpy(p.host, host, strcspn(host, "/"));
	finish(s, &p);
	said = reg_settings_of(s, p.host);
	if (said != NULL && said->blocked)
		return err_msg(err, -EPERM, "registry '%s' is blocked in registries.json", p.host);
	*ret = p;
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "registry/place.h"

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

static int finish(const struct reg_settings *s, struct reg_place *p, struct err *err)
{
	const struct reg_registry *said;

	if (strcmp(p->host, "index.docker.io") == 0 || strcmp(p->host, HUB_ADDRESS) == 0)
		memcpy(p->host, REG_HUB, sizeof(REG_HUB));
	memcpy(p->address, p->host, sizeof(p->address));
	if (strcmp(p->host, REG_HUB) == 0)
		memcpy(p->address, HUB_ADDRESS, sizeof(HUB_ADDRESS));
	said = reg_settings_of(s, p->host);
	if (said != NULL && said->blocked)
		return err_msg(err, -EPERM, "registry '%s' is blocked in registries.json", p->host);
	p->insecure = reg_place_loopback(p->address) || (said != NULL && said->insecure);
	return 0;
}

static const char *alias_of(const struct reg_settings *s, const char *repository)
{
	for (size_t i = 0; i < s->nr_aliases; i++)
		if (strcmp(s->aliases[i][0], repository) == 0)
			return s->aliases[i][1];
	return repository;
}

int reg_place_of(const struct reg_settings *s, const char *repository, struct reg_place *ret,
		 struct err *err)
{
	const char *name = alias_of(s, repository), *slash, *path;
	struct reg_place p = { 0 };
	struct img_reference ref;
	bool given;
	int r;

	if (name != repository) {
		r = img_reference_parse(name, &ref, err);
		if (r < 0)
			return err_wrap(err, r, "registries.json: alias of '%s'", repository);
		given = str_starts(name, REG_HUB "/");
		name = ref.repository;
	} else {
		given = false;
	}
	slash = strchr(name, '/');
	if (slash != NULL && is_host(name, (size_t) (slash - name))) {
		(void) snprintf(p.host, sizeof(p.host), "%.*s", (int) (slash - name), name);
		path = slash + 1;
	} else {
		(void) snprintf(p.host, sizeof(p.host), "%s", given ? REG_HUB : s->fallback);
		path = name;
	}
	(void) snprintf(p.path, sizeof(p.path), "%s%s", /* fits */
			strcmp(p.host, REG_HUB) == 0 && strchr(path, '/') == NULL ? "library/" : "",
			path);
	r = finish(s, &p, err);
	if (r == 0)
		*ret = p;
	return r;
}

int reg_place_host(const struct reg_settings *s, const char *name, struct reg_place *ret,
		   struct err *err)
{
	const char *scheme = strstr(name, "://"), *host = scheme != NULL ? scheme + 3 : name;
	size_t n = strcspn(host, "/");
	struct reg_place p = { 0 };
	int r;

	if (*name == '\0') {
		host = s->fallback;
		n = strlen(host);
	}
	if (n == 0 || n > IMG_NAME_MAX)
		return err_msg(err, -EINVAL, "'%.200s' is no registry", name);
	memcpy(p.host, host, n);
	r = finish(s, &p, err);
	if (r == 0)
		*ret = p;
	return r;
}

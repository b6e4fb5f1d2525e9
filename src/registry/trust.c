/* SPDX-License-Identifier: MIT */
#include "registry/trust.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "registry/http.h"

static bool ends(const char *name, const char *with)
{
	size_t n = strlen(name), k = strlen(with);

	return n > k && strcmp(name + n - k, with) == 0;
}

static const char *find_dir(const char *host, struct arena *arena)
{
	static const char *const places[] = { "/etc/cleave/certs.d", "/etc/containers/certs.d",
					      "/etc/docker/certs.d" };
	const char *home = getenv("HOME"), *path;

	if (home != NULL) {
		path = arena_printf(arena, "%s/.config/containers/certs.d/%s", home, host);
		if (path != NULL && access(path, F_OK) == 0)
			return path;
	}
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		path = arena_printf(arena, "%s/%s", places[i], host);
		if (path != NULL && access(path, F_OK) == 0)
			return path;
	}
	return NULL;
}

/* "x.cert" and "x.key" belong together; of several pairs the first one by name counts */
static void keep_pair(const char *dir, const char *name, struct arena *arena, struct http_tls *tls)
{
	const char *cert = arena_printf(arena, "%s/%s", dir, name);

	if (cert == NULL || (tls->cert != NULL && strcmp(tls->cert, cert) <= 0))
		return;
	tls->cert = cert;
	tls->key = arena_printf(arena, "%s/%.*s.key", dir, (int) (strlen(name) - strlen(".cert")), name);
}

int reg_trust_read(const char *dir, const char *host, struct arena *arena, struct http_tls *ret,
		   struct err *err)
{
	_cleanup_(str_fini) struct str ca = { 0 };
	bool given = dir != NULL;
	struct dirent *e;
	int r = 0;

	dir = given ? dir : find_dir(host, arena);
	if (dir == NULL)
		return 0;
	_cleanup_closedir_ DIR *d = opendir(dir);
	if (d == NULL)
		return err_set(err, -errno, "read directory '%s'", dir);
	while (r == 0 && (e = readdir(d)) != NULL) {
		if (ends(e->d_name, ".crt")) {
			r = file_read(dirfd(d), e->d_name, REG_CA_MAX, &ca);
			str_puts(&ca, "\n");
		} else if (ends(e->d_name, ".cert")) {
			keep_pair(dir, e->d_name, arena, ret);
		}
		if (r < 0 || ca.failed || ca.len > REG_CA_MAX)
			return err_set(err, r < 0 ? r : -EFBIG, "read '%s/%s'", dir, e->d_name);
	}
	if (ca.len > 0)
		ret->ca = arena_strndup(arena, ca.p, ca.len);
	return ca.len > 0 && ret->ca == NULL ? err_set(err, -ENOMEM, "read '%s'", dir) : 0;
}

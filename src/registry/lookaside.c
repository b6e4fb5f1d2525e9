/* SPDX-License-Identifier: MIT */
#include "registry/lookaside.h"

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
#include "registry/signature.h"

#define STALL 30 /* seconds */

enum section { SECTION_NONE, SECTION_DEFAULT, SECTION_DOCKER, SECTION_OTHER };

/* A line of YAML, of the part of that which such files need */
struct line {
	size_t indent;
	char *key, *value; /* "" for none */
};

/* The end of what is not a comment, without blanks */
static void cut_end(char *text)
{
	size_t n = 0;

	for (size_t i = 0; text[i] != '\0' && !(text[i] == '#' && (i == 0 || text[i - 1] == ' ')); i++)
		if (text[i] != ' ' && text[i] != '\r')
			n = i + 1;
	text[n] = '\0';
}

/* Return: false when quotes do not fit */
static bool unquote(char **text)
{
	size_t n = strlen(*text);
	char quote = **text;

	if (quote != '"' && quote != '\'')
		return true;
	if (n < 2 || (*text)[n - 1] != quote || memchr(*text + 1, quote, n - 2) != NULL || strchr(*text, '\\') != NULL)
		return false;
	(*text)[n - 1] = '\0';
	(*text)++;
	return true;
}

/* Return: 1 there is something in it; 0; -EINVAL. */
static int read_line(char *text, struct line *ret)
{
	char *colon;

	cut_end(text);
	ret->indent = strspn(text, " ");
	ret->key = text + ret->indent;
	if (*ret->key == '\0' || strcmp(text, "---") == 0)
		return 0;
	colon = strstr(ret->key, ": ");
	if (colon == NULL)
		colon = ret->key + strlen(ret->key) - 1;
	if (*colon != ':' || colon == ret->key || strpbrk(ret->key, "\t{}[]") != NULL)
		return -EINVAL;
	*colon = '\0';
	ret->value = colon + 1 + strspn(colon + 1, " ");
	return unquote(&ret->key) && unquote(&ret->value) ? 1 : -EINVAL;
}

/* Bytes + 1 of a name that an image is of; 0: it is not */
static size_t nearness(const char *of, const char *name, const char *mark)
{
	size_t n = strlen(of), whole = strlen(name);

	if (n == whole + strlen(mark) && memcmp(of, name, whole) == 0 && strcmp(of + whole, mark) == 0)
		return n + 1;
	return n <= whole && memcmp(of, name, n) == 0 && (name[n] == '\0' || name[n] == '/') ? n + 1 : 0;
}

static enum section section_of(const char *key)
{
	return strcmp(key, "default-docker") == 0 ? SECTION_DEFAULT : strcmp(key, "docker") == 0 ? SECTION_DOCKER : SECTION_OTHER;
}

/* "sigstore" is the name of before */
static int take(const struct line *l, size_t near, struct arena *arena, struct reg_lookaside *ret)
{
	bool plain = strcmp(l->key, "lookaside") == 0 || strcmp(l->key, "sigstore") == 0;
	bool staged = ret->staging && (strcmp(l->key, "lookaside-staging") == 0 || strcmp(l->key, "sigstore-staging") == 0);

	if (!plain && !staged)
		return 0;
	if (near < ret->near || (near == ret->near && (near == 0 || !staged || ret->staged)))
		return 0;
	if (!str_starts(l->value, "file://") && !str_starts(l->value, "https://") && !str_starts(l->value, "http://"))
		return -EINVAL;
	ret->url = arena_strdup(arena, l->value);
	ret->near = near;
	ret->staged = staged;
	return ret->url != NULL ? 0 : -ENOMEM;
}

int reg_lookaside_parse(const char *file, char *text, const char *name, const char *mark, struct arena *arena,
			struct reg_lookaside *ret, struct err *err)
{
	enum section section = SECTION_NONE;
	size_t near = 0, indent = 0; /* of the name that the line belongs to */
	unsigned number = 0;

	for (char *next = text, *p; (p = strsep(&next, "\n")) != NULL;) {
		struct line l;
		int r = read_line(p, &l);

		number++;
		if (r == 0)
			continue;
		if (r > 0 && l.indent == 0) {
			section = section_of(l.key);
			near = section == SECTION_DEFAULT;
			indent = 0;
			r = *l.value == '\0' ? 0 : -EINVAL;
		} else if (r > 0 && section == SECTION_DOCKER && (indent == 0 || l.indent <= indent)) {
			indent = l.indent;
			near = nearness(l.key, name, mark);
			r = *l.value == '\0' ? 0 : -EINVAL;
		} else if (r > 0) {
			r = section == SECTION_NONE ? -EINVAL : section == SECTION_OTHER ? 0 : take(&l, near, arena, ret);
		}
		if (r < 0)
			return r == -EINVAL ? err_msg(err, r, "%s: line %u: not understood", file, number)
					    : err_set(err, r, "read '%s'", file);
	}
	return 0;
}

static int is_yaml(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 5 && strcmp(e->d_name + n - 5, ".yaml") == 0;
}

static int read_dir(const char *dir, const char *name, const char *mark, struct arena *arena, struct reg_lookaside *best,
		    struct err *err)
{
	struct dirent **list = NULL;
	int n = scandir(dir, &list, is_yaml, alphasort), r = n < 0 && errno != ENOENT ? err_set(err, -errno, "read directory '%s'", dir) : 0;

	for (int i = 0; i < n; i++) {
		_cleanup_(str_fini) struct str text = { 0 };
		const char *path = arena_printf(arena, "%s/%s", dir, list[i]->d_name);

		if (r == 0)
			r = path != NULL ? file_read(AT_FDCWD, path, REG_LOOKASIDE_MAX, &text) : -ENOMEM;
		if (r < 0 && path != NULL && text.p == NULL)
			r = err_set(err, r, "read '%s'", path);
		if (r == 0 && text.p != NULL)
			r = reg_lookaside_parse(path, text.p, name, mark, arena, best, err);
		free(list[i]);
	}
	free(list);
	return r;
}

int reg_lookaside_find(const char *name, const char *mark, bool staging, struct arena *arena, const char **ret, struct err *err)
{
	const char *home = getenv("HOME"), *dir = home != NULL ? arena_printf(arena, "%s/.config/containers/registries.d", home) : NULL;
	struct reg_lookaside best = { .staging = staging };
	int r = read_dir(dir != NULL && access(dir, F_OK) == 0 ? dir : "/etc/containers/registries.d", name, mark, arena, &best, err);

	if (r == 0 && best.url == NULL)
		best.url = geteuid() == 0 || home == NULL ? "file:///var/lib/containers/sigstore"
						 : arena_printf(arena, "file://%s/.local/share/containers/sigstore", home);
	*ret = best.url;
	return r == 0 && best.url == NULL ? err_set(err, -ENOMEM, "look for signatures") : r;
}

static int get_file(const char *path, struct str *ret, struct err *err)
{
	int r = file_read(AT_FDCWD, path, REG_SIGNATURE_MAX, ret);

	return r < 0 && r != -ENOENT ? err_set(err, r, "read '%s'", path) : r;
}

static int get_http(const char *url, struct str *ret, struct err *err)
{
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	const struct http_request q = { .method = "GET", .url = url, .file = -1, .stall = STALL };
	struct http *h = http_new();
	int r = h != NULL ? http_send(h, &q, &a, err) : err_set(err, -ENOMEM, "look for signatures");

	http_free(h);
	if (r < 0)
		return r;
	if (a.status == 404)
		return -ENOENT;
	if (a.status != 200 || a.text.len > REG_SIGNATURE_MAX)
		return err_msg(err, -ECOMM, "%.300s: status %ld, %zu bytes", url, a.status, a.text.len);
	str_add(ret, a.text.p, a.text.len);
	return ret->failed ? err_set(err, -ENOMEM, "look for signatures") : 0;
}

int reg_lookaside_get(const char *url, const char *path, const char *digest, unsigned n, struct str *ret, struct err *err)
{
	_cleanup_(str_fini) struct str full = { 0 };

	str_printf(&full, "%s/%s@sha256=%s/signature-%u", url, path, digest + strlen("sha256:"), n);
	if (full.failed)
		return err_set(err, -ENOMEM, "look for signatures");
	return str_starts(full.p, "file://") ? get_file(full.p + strlen("file://"), ret, err) : get_http(full.p, ret, err);
}

int reg_lookaside_put(const char *url, const char *path, const char *digest, unsigned n, const struct str *signature,
		      struct err *err)
{
	_cleanup_(str_fini) struct str folder = { 0 };
	char name[32];
	int r;

	if (!str_starts(url, "file://"))
		return err_msg(err, -EOPNOTSUPP, "signatures cannot be put to '%.200s': name a directory in registries.d, lookaside-staging: file://...",
			       url);
	str_printf(&folder, "%s/%s@sha256=%s", url + strlen("file://"), path, digest + strlen("sha256:"));
	if (folder.failed)
		return err_set(err, -ENOMEM, "keep a signature");
	(void) snprintf(name, sizeof(name), "signature-%u", n);
	r = dir_make_all(folder.p, 0755);
	_cleanup_close_ int fd = r == 0 ? open(folder.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -EBADF;
	if (r == 0)
		r = fd < 0 ? -errno : file_replace(fd, name, signature->p, signature->len, 0644);
	return r < 0 ? err_set(err, r, "write '%s/%s'", folder.p, name) : 0;
}

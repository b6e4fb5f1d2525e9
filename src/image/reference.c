/* SPDX-License-Identifier: MIT */
#include "image/reference.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/sha256.h"
#include "base/str.h"

static bool is_alnum(char c)
{
	return islower((unsigned char) c) || isdigit((unsigned char) c);
}

/* alpha-numeric runs joined by ".", "_", "__" or any number of "-" */
static bool component_ok(const char *p, size_t n)
{
	size_t i = 0;

	for (;;) {
		size_t run = i, sep;

		while (i < n && is_alnum(p[i]))
			i++;
		if (i == run)
			return false;
		if (i == n)
			return true;
		sep = i;
		while (i < n && !is_alnum(p[i]))
			i++;
		if (strspn(p + sep, "-") < i - sep &&
		    !(i - sep == 1 && (p[sep] == '.' || p[sep] == '_')) &&
		    !(i - sep == 2 && p[sep] == '_' && p[sep + 1] == '_'))
			return false;
	}
}

/* NAME, NAME:PORT or [IPV6]:PORT */
static bool host_ok(const char *p, size_t n)
{
	const char *colon = memrchr(p, ':', n);
	size_t name = n;

	if (colon != NULL && memchr(colon, ']', n - (size_t) (colon - p)) == NULL) {
		name = (size_t) (colon - p);
		for (size_t i = name + 1; i < n; i++)
			if (!isdigit((unsigned char) p[i]))
				return false;
	}
	for (size_t i = 0; i < name; i++)
		if (!isalnum((unsigned char) p[i]) &&
		    strchr(p[0] == '[' ? ":[]" : ".-", p[i]) == NULL)
			return false;
	return name > 0 && name + 1 != n && p[0] != '.' && p[0] != '-';
}

/* The first component is a host when it looks like one, as Docker decides. */
static bool is_host(const char *p, size_t n)
{
	return memchr(p, '.', n) != NULL || memchr(p, ':', n) != NULL ||
	       (n == 9 && memcmp(p, "localhost", 9) == 0);
}

static int check_repository(const char *name, const char *text, struct err *err)
{
	const char *p = name, *slash = strchr(name, '/');

	if (slash != NULL && is_host(name, (size_t) (slash - name))) {
		if (!host_ok(name, (size_t) (slash - name)))
			return err_msg(err, -EINVAL, "image name '%s': '%.*s' is not a host name",
				       text, (int) (slash - name), name);
		p = slash + 1;
	}
	while (p != NULL) {
		size_t n = strcspn(p, "/");

		if (!component_ok(p, n))
			return err_msg(
				err, -EINVAL,
				"image name '%s': '%.*s' must be lower case letters and digits, "
				"separated by '.', '_', '__' or '-'",
				text, (int) n, p);
		p = p[n] == '/' ? p + n + 1 : NULL;
	}
	return 0;
}

static int parse_digest(const char *digest, const char *text, struct img_reference *ret,
			struct err *err)
{
	if (!str_starts(digest, "sha256:") || strlen(digest) != 7 + SHA256_HEX_LEN ||
	    strspn(digest + 7, "0123456789abcdef") != SHA256_HEX_LEN)
		return err_msg(err, -EINVAL,
			       "image name '%s': '%s' is not sha256: and 64 hexadecimal digits",
			       text, digest);
	memcpy(ret->digest, digest, strlen(digest) + 1);
	return 0;
}

static int parse_tag(const char *tag, size_t n, const char *text, struct img_reference *ret,
		     struct err *err)
{
	bool ok = n > 0 && n <= IMG_TAG_MAX && tag[0] != '.' && tag[0] != '-';

	for (size_t i = 0; ok && i < n; i++)
		ok = isalnum((unsigned char) tag[i]) || strchr("_.-", tag[i]) != NULL;
	if (!ok)
		return err_msg(
			err, -EINVAL,
			"image name '%s': tag '%.*s' must be 1 to %d letters, digits, '_', '.', '-'",
			text, (int) n, tag, IMG_TAG_MAX);
	memcpy(ret->tag, tag, n);
	return 0;
}

int img_reference_parse(const char *text, struct img_reference *ret, struct err *err)
{
	struct img_reference ref = { 0 };
	const char *at = strchr(text, '@'), *name = text, *colon, *p;
	size_t n = at != NULL ? (size_t) (at - text) : strlen(text);
	int r = 0;

	if (at != NULL)
		r = parse_digest(at + 1, text, &ref, err);
	if (r < 0)
		return r;
	colon = memrchr(text, ':', n);
	if (colon != NULL && memchr(colon, '/', n - (size_t) (colon - text)) == NULL) {
		r = parse_tag(colon + 1, n - (size_t) (colon - text) - 1, text, &ref, err);
		n = (size_t) (colon - text);
	} else if (at == NULL)
		memcpy(ref.tag, "latest", sizeof("latest"));
	if (r < 0)
		return r;
	if (n == 0 || n > IMG_NAME_MAX)
		return err_msg(err, -EINVAL,
			       "image name '%.300s': the name must have 1 to %d characters", text,
			       IMG_NAME_MAX);
	memcpy(ref.repository, name, n);
	r = check_repository(ref.repository, text, err);
	if (r < 0)
		return r;
	for (p = ref.repository; str_starts(p, "docker.io/") || str_starts(p, "index.docker.io/");) {
		p = strchr(p, '/') + 1;
		ref.hub = true;
	}
	if (str_starts(p, "library/") && strchr(p + 8, '/') == NULL)
		p += 8;
	memmove(ref.repository, p, strlen(p) + 1);
	*ret = ref;
	return 0;
}

void img_reference_format(const struct img_reference *ref, struct str *ret)
{
	str_puts(ret, ref->repository);
	if (ref->tag[0] != '\0')
		str_printf(ret, ":%s", ref->tag);
	if (ref->digest[0] != '\0')
		str_printf(ret, "@%s", ref->digest);
}

/* SPDX-License-Identifier: MIT */
#include "registry/remove.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "image/reference.h"
#include "registry/manifests.h"
#include "registry/session.h"

/* @folder: "manifests/" or "blobs/" */
static int ask(struct reg_session *s, const char *folder, const char *what, struct http_answer *ret, struct err *err)
{
	struct http_request q = { .method = "DELETE", .file = -1 };
	_cleanup_(str_fini) struct str url = { 0 };

	reg_path(s, &url, folder);
	str_puts(&url, what);
	if (url.failed)
		return err_set(err, -ENOMEM, "remove '%s'", what);
	q.url = url.p;
	return reg_send(s, &q, ret, err);
}

/* Some take a tag for a bad digest */
static bool is_unsupported(const struct http_answer *a, const char *what)
{
	return a->status == 405 || a->status == 501 || (a->status == 400 && strchr(what, ':') == NULL);
}

/* Return: 0; 1 the registry does not do this; -errno with a message. */
static int remove_one(struct reg_session *s, const char *folder, const char *what, struct err *err)
{
	_cleanup_(http_answer_fini) struct http_answer a = { 0 };
	int r = ask(s, folder, what, &a, err);

	if (r < 0)
		return r;
	if (is_unsupported(&a, what))
		return 1;
	return a.status == 202 || a.status == 200 || a.status == 204 ? 0 : reg_refused(&a, what, err);
}

static int unsupported(struct err *err)
{
	return err_msg(err, -EOPNOTSUPP, "the registry does not remove anything");
}

static int remove_digest(struct reg_session *s, const struct reg_removal *o, const char *digest, struct err *err)
{
	char what[80];
	int r = remove_one(s, "manifests/", digest, err);

	if (r == -ENOENT)
		r = remove_one(s, "blobs/", digest, err);
	if (r != 0)
		return r < 0 ? r : unsupported(err);
	(void) snprintf(what, sizeof(what), "@%.72s", digest); /* fits */
	o->gone(o->data, what);
	return 0;
}

/* -EBUSY: another tag has this digest, too */
static int check_tags(struct reg_session *s, const char *tag, const char *digest, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_words tags;
	int r = reg_tags_get(s, &arena, &tags, err);

	if (r == 0 && tags.n > REG_TAGS_COMPARED_MAX)
		return err_msg(err, -EBUSY, "the repository has more than %d tags that may be for the same: use --force",
			       REG_TAGS_COMPARED_MAX);
	for (size_t i = 0; r == 0 && i < tags.n; i++) {
		struct reg_text other;

		if (strcmp(tags.v[i], tag) == 0)
			continue;
		r = reg_manifest_get(s, tags.v[i], &arena, &other, err);
		if (r == 0 && strcmp(other.digest, digest) == 0)
			return err_msg(err, -EBUSY, "the registry cannot remove a tag alone, and '%.128s' is for the same "
						    "manifest: use --force to remove both", tags.v[i]);
		r = r == -ENOENT ? 0 : r;
	}
	return r;
}

static int remove_tag(struct reg_session *s, const struct reg_removal *o, const char *tag, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	char what[IMG_TAG_MAX + 2];
	struct reg_text text;
	int r = reg_manifest_get(s, tag, &arena, &text, err); /* says so when there is none */

	if (r == 0)
		r = remove_one(s, "manifests/", tag, err);
	if (r < 0)
		return r;
	if (r == 0) {
		(void) snprintf(what, sizeof(what), ":%s", tag); /* fits */
		o->gone(o->data, what);
		return 0;
	}
	r = o->force ? 0 : check_tags(s, tag, text.digest, err);
	return r < 0 ? r : remove_digest(s, o, text.digest, err);
}

int reg_remove(struct reg_session *s, const struct reg_removal *what, struct err *err)
{
	const struct img_reference *ref = what->ref;

	return ref->digest[0] != '\0' ? remove_digest(s, what, ref->digest, err) : remove_tag(s, what, ref->tag, err);
}

/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cli/format/listing.h"
#include "cli/registry/reach.h"
#include "cli/registry/verbs.h"
#include "image/reference.h"
#include "registry/manifests.h"
#include "registry/place.h"
#include "registry/referrers.h"
#include "registry/remove.h"

/* A repository that is asked about */
struct remote {
	struct reach reach;
	struct img_reference ref;
	struct reg_place place;
	struct reg_session *session;
};

static void remote_fini(struct remote *m)
{
	reg_session_free(m->session);
	reach_end(&m->reach);
}

/* @actions: that must be allowed */
static int ask(struct remote *m, const struct reach_opts *o, const char *name, const char *actions,
	       struct err *err)
{
	const struct reg_want want = { .settings = &m->reach.settings, .place = &m->place,
				       .access = &m->reach.access, .actions = actions };
	int r = reach_begin(&m->reach, o, NULL, err);

	if (r == 0)
		r = img_reference_parse(reach_name(name), &m->ref, err);
	if (r == 0)
		r = reg_place_of(&m->reach.settings, &m->ref, &m->place, err);
	return r == 0 ? reg_session_open(&want, &m->session, err) : r;
}

static void tell(void *data, const char *what)
{
	const struct remote *m = data;

	printf("%s: %s/%s%s\n", *what == ':' ? "Untagged" : "Deleted", m->place.host, m->place.path, what);
}

int registry_rm(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	const struct registry_rm_opts *o = opts;
	int r = 0;

	(void) cli; /* the store is not touched */
	for (int i = 0; r == 0 && i < argc; i++) {
		_cleanup_(remote_fini) struct remote m = { 0 };
		const struct reg_removal what = { .ref = &m.ref, .force = o->force, .gone = tell, .data = &m };

		r = ask(&m, &o->reach, argv[i], "pull,delete", err);
		if (r == 0)
			r = reg_remove(m.session, &what, err);
		if (r < 0)
			r = err_wrap(err, r, "remove '%s'", argv[i]);
	}
	return r;
}

int registry_tags(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(remote_fini) struct remote m = { 0 };
	struct img_words tags;
	int r = ask(&m, opts, argv[0], "pull", err);

	(void) cli; /* as above */
	(void) argc;
	if (r == 0)
		r = reg_tags_get(m.session, &m.reach.arena, &tags, err);
	if (r < 0)
		return err_wrap(err, r, "list the tags of '%s'", argv[0]);
	for (size_t i = 0; i < tags.n; i++) {
		char *tag = arena_strdup(&m.reach.arena, tags.v[i]);

		if (tag == NULL)
			return err_set(err, -ENOMEM, "list the tags of '%s'", argv[0]);
		str_plain(tag, '?');
		puts(tag);
	}
	return 0;
}

static const struct listing_column columns[] = {
	{ "Digest", "DIGEST", true },
	{ "ArtifactType", "TYPE", true },
	{ "Size", "SIZE", true },
};

static int print_row(struct listing *l, const struct reg_referrer *f, struct arena *arena, struct err *err)
{
	char *digest = arena_strdup(arena, f->digest), *type = arena_strdup(arena, f->type), size[32];
	_cleanup_(str_fini) struct str row = { 0 };

	if (digest == NULL || type == NULL)
		return err_set(err, -ENOMEM, "list referrers");
	str_plain(digest, '?');
	str_plain(type, '?');
	(void) snprintf(size, sizeof(size), "%" PRIu64, f->size); /* fits */
	json_open(&row, NULL, '{');
	json_text(&row, "Digest", digest);
	json_text(&row, "ArtifactType", type);
	json_text(&row, "Size", size);
	json_close(&row, '}');
	return row.failed ? err_set(err, -ENOMEM, "list referrers") : listing_row(l, row.p, err);
}

int registry_referrers(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(listing_fini) struct listing l = { .columns = columns, .nr = ARRAY_LEN(columns) };
	const struct registry_referrers_opts *o = opts;
	_cleanup_(remote_fini) struct remote m = { 0 };
	struct reg_referrer *list = NULL;
	struct reg_text text;
	const char *digest = m.ref.digest;
	int r = listing_begin(&l, o->format, err), n;

	(void) cli; /* as above */
	(void) argc;
	if (r == 0)
		r = ask(&m, &o->reach, argv[0], "pull", err);
	if (r == 0 && *digest == '\0') {
		r = reg_manifest_get(m.session, m.ref.tag, &m.reach.arena, &text, err);
		digest = text.digest;
	}
	n = r < 0 ? r : reg_referrers_get(m.session, digest, o->type, &m.reach.arena, &list, err);
	r = n < 0 ? n : 0;
	for (int i = 0; r == 0 && i < n; i++)
		r = print_row(&l, &list[i], &m.reach.arena, err);
	if (r < 0)
		return err_wrap(err, r, "list what belongs to '%s'", argv[0]);
	listing_end(&l);
	return 0;
}

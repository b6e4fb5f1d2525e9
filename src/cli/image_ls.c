/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/filter.h"
#include "cli/format/listing.h"
#include "cli/when.h"
#include "engine/engine.h"
#include "image/config.h"
#include "image/reference.h"
#include "image/store.h"

struct ls_opts {
	bool all, digests, quiet, no_trunc, no_heading;
	const char *format, *sort;
	struct opt_strings filter;
};

#define FIELD(name) offsetof(struct ls_opts, name)

#define FILTERS "before, dangling, label, reference, since, until"

static const struct opt ls_table[] = {
	{ "all", 'a', OPT_BOOL, FIELD(all), NULL, NULL }, /* there are no intermediate images here */
	{ "digests", 0, OPT_BOOL, FIELD(digests), NULL, "show digests" },
	{ "filter", 'f', OPT_STRINGS, FIELD(filter), "NAME=VALUE",
	  "only those that match: " FILTERS },
	{ "format", 0, OPT_STRING, FIELD(format), "FORMAT", "table, json, or a Go template" },
	{ "no-trunc", 0, OPT_BOOL, FIELD(no_trunc), NULL, "print whole ids" },
	{ "noheading", 'n', OPT_BOOL, FIELD(no_heading), NULL, "print no headings" },
	{ "quiet", 'q', OPT_BOOL, FIELD(quiet), NULL, "print ids only" },
	{ "sort", 0, OPT_STRING, FIELD(sort), "FIELD",
	  "order: created, id, repository, size or tag (default: by name)" },
	{ 0 },
};

static const struct listing_column columns[] = {
	{ "Repository", "REPOSITORY", true },
	{ "Tag", "TAG", true },
	{ "ID", "IMAGE ID", true },
	{ "CreatedSince", "CREATED", true },
	{ "Size", "SIZE", true },
	{ "CreatedAt", "CREATED AT", false },
	{ "Digest", "DIGEST", false },
	{ "Containers", "CONTAINERS", false },
	{ "SharedSize", "SHARED SIZE", false },
	{ "UniqueSize", "UNIQUE SIZE", false },
	{ "VirtualSize", "SIZE", false },
};

static const struct listing_column columns_digests[] = {
	{ "Repository", "REPOSITORY", true },
	{ "Tag", "TAG", true },
	{ "Digest", "DIGEST", true },
	{ "ID", "IMAGE ID", true },
	{ "CreatedSince", "CREATED", true },
	{ "Size", "SIZE", true },
	{ "CreatedAt", "CREATED AT", false },
};

struct ls {
	struct engine *e;
	const struct ls_opts *o;
	const struct img_image *image;
	struct img_image limits[2]; /* of "before" and "since" */
};

static int has_label(const struct ls *l, const char *value, struct err *err)
{
	struct img_config config;
	int r = img_store_config(l->e->images, l->image, &config, err);

	if (r < 0)
		return r;
	r = filter_label(&config.labels, value);
	img_config_fini(&config);
	return r;
}

/* A shell pattern for "repository" or "repository:tag" */
static int matches_reference(const struct img_image *image, const char *pattern)
{
	_cleanup_(str_fini) struct str full = { 0 };

	str_printf(&full, "%s:%s", image->repository, image->tag);
	return full.p != NULL && (fnmatch(pattern, full.p, FNM_PATHNAME) == 0 ||
				  fnmatch(pattern, image->repository, FNM_PATHNAME) == 0);
}

static int test(const void *what, const char *name, const char *value, struct err *err)
{
	const struct ls *l = what;
	int64_t until;
	bool yes;
	int r;

	if (strcmp(name, "dangling") == 0) {
		r = filter_flag(name, value, &yes, err);
		return r < 0 ? r : (l->image->repository[0] == '<') == yes;
	}
	if (str_starts(name, "label")) {
		r = has_label(l, value, err);
		return r < 0 ? r : r == (name[5] == '\0');
	}
	if (strcmp(name, "reference") == 0)
		return matches_reference(l->image, value);
	if (strcmp(name, "before") == 0)
		return l->image->created < l->limits[0].created;
	if (strcmp(name, "since") == 0)
		return l->image->created > l->limits[1].created;
	r = cli_when("--filter until", value, &until, err);
	return r < 0 ? r : l->image->created < until;
}

static int find_limits(struct ls *l, struct arena *arena, struct err *err)
{
	int r = filter_check(&l->o->filter, FILTERS, err);

	for (size_t n = 0; r == 0 && n < l->o->filter.n; n++) {
		const char *f = l->o->filter.v[n];

		if (str_starts(f, "before="))
			r = img_store_find(l->e->images, f + 7, arena, &l->limits[0], err);
		else if (str_starts(f, "since="))
			r = img_store_find(l->e->images, f + 6, arena, &l->limits[1], err);
	}
	return r;
}

static void row_json(const struct ls *l, struct str *s)
{
	const struct img_image *image = l->image;
	char created[TIME_TEXT_MAX], age[TIME_TEXT_MAX], ago[TIME_TEXT_MAX + 8], size[32], id[80];

	time_local(image->created, created);
	time_span(time_now_ns() - image->created, age);
	(void) snprintf(ago, sizeof(ago), "%s ago", age);
	(void) snprintf(id, sizeof(id), l->o->no_trunc ? "sha256:%.64s" : "%.12s", image->id);
	cli_size(image->size, size);
	json_open(s, NULL, '{');
	json_text(s, "Containers", "N/A");
	json_text(s, "CreatedAt", created);
	json_text(s, "CreatedSince", ago);
	json_text(s, "Digest", image->manifest);
	json_text(s, "ID", id);
	json_text(s, "Repository", image->repository);
	json_text(s, "SharedSize", "N/A");
	json_text(s, "Size", size);
	json_text(s, "Tag", image->tag);
	json_text(s, "UniqueSize", "N/A");
	json_text(s, "VirtualSize", size);
	json_close(s, '}');
}

static int print_one(const struct ls *l, struct listing *listing, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };

	if (l->o->quiet) {
		printf(l->o->no_trunc ? "sha256:%.64s\n" : "%.12s\n", l->image->id);
		return 0;
	}
	row_json(l, &s);
	return s.failed ? err_set(err, -ENOMEM, "print") : listing_row(listing, s.p, err);
}

static int compare(const void *a, const void *b, void *field)
{
	const struct img_image *x = a, *y = b;

	switch (*(const char *) field) {
	case 'c': /* the newest first, the largest first */
		return (x->created < y->created) - (x->created > y->created);
	case 's':
		return (x->size < y->size) - (x->size > y->size);
	case 'i':
		return strcmp(x->id, y->id);
	case 't':
		return strcmp(x->tag, y->tag);
	default:
		return strcmp(x->repository, y->repository);
	}
}

static int sort_list(struct img_image *list, int n, const char *field, struct err *err)
{
	static const char *const fields[] = { "created", "id", "repository", "size", "tag" };

	for (size_t i = 0; field != NULL && i < ARRAY_LEN(fields); i++)
		if (strcmp(fields[i], field) == 0) {
			qsort_r(list, (size_t) n, sizeof(*list), compare, (void *) field);
			return 0;
		}
	return field == NULL ? 0
			     : err_msg(err, -EINVAL,
				       "--sort '%.32s': created, id, repository, size and tag are known",
				       field);
}

/* @name: an operand, as a filter */
static int is_named(const struct img_image *image, const char *name)
{
	struct img_reference ref;

	if (img_reference_parse(name, &ref, NULL) < 0)
		return 0;
	return strcmp(ref.repository, image->repository) == 0 &&
	       (strchr(name, ':') == NULL || strcmp(ref.tag, image->tag) == 0);
}

static int ls_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	const struct ls_opts *o = opts;
	_cleanup_(listing_fini) struct listing listing = {
		.columns = o->digests ? columns_digests : columns,
		.nr = o->digests ? ARRAY_LEN(columns_digests) : ARRAY_LEN(columns),
		.no_headings = o->no_heading,
	};
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct ls l = { .o = o };
	struct img_image *list = NULL;
	int r = listing_begin(&listing, o->format, err), n;

	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r < 0)
		return r;
	l.e = e;
	n = img_store_list(e->images, &arena, &list, err);
	r = n < 0 ? n : find_limits(&l, &arena, err);
	if (r >= 0)
		r = sort_list(list, n, o->sort, err);
	for (int i = 0; r >= 0 && i < n; i++) {
		l.image = &list[i];
		if (argc > 0 && !is_named(l.image, argv[0]))
			continue;
		r = filter_match(&o->filter, test, &l, err);
		if (r == 1)
			r = print_one(&l, &listing, err);
	}
	if (r >= 0 && !o->quiet)
		listing_end(&listing);
	return r < 0 ? r : 0;
}

CLI_VERB_TWICE(image_ls_verb, "image ls", "images",
	.args = "[REPOSITORY[:TAG]]",
	.summary = "List images",
	.max_args = 1,
	.opts = ls_table,
	.opts_size = sizeof(struct ls_opts),
	.interspersed = true,
	.run = ls_run);

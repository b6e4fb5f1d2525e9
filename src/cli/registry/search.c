/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/format/listing.h"
#include "cli/registry/reach.h"
#include "cli/registry/verbs.h"
#include "registry/search.h"

#define DESCRIPTION_MAX 45 /* bytes that are shown */

static const struct listing_column columns[] = {
	{ "Name", "NAME", true },
	{ "Description", "DESCRIPTION", true },
	{ "StarCount", "STARS", true },
	{ "IsOfficial", "OFFICIAL", true },
	{ "IsAutomated", "AUTOMATED", false },
};

struct limits {
	uint64_t stars;
	int official; /* -1: any */
};

static int read_filters(const struct opt_strings *filters, struct limits *ret, struct err *err)
{
	*ret = (struct limits) { 0, -1 };
	for (size_t i = 0; i < filters->n; i++) {
		const char *f = filters->v[i];

		if (strcmp(f, "is-official=true") == 0 || strcmp(f, "is-official=false") == 0)
			ret->official = f[12] == 't';
		else if (!str_starts(f, "stars=") || str_to_u64(f + 6, &ret->stars) < 0)
			return err_msg(err, -EINVAL, "--filter '%.100s': filters are stars=N and is-official=true "
						     "or false", f);
	}
	return 0;
}

/* One line, not longer than fits; bytes of one character stay together */
static void shorten(char *text, bool whole)
{
	size_t n = DESCRIPTION_MAX - 3;

	str_plain(text, ' ');
	if (whole || strlen(text) <= DESCRIPTION_MAX)
		return;
	while (n > 0 && ((unsigned char) text[n] & 0xc0) == 0x80)
		n--;
	memcpy(text + n, "...", 4);
}

static int print_row(struct listing *l, const struct search_opts *o, const struct reg_found *f,
		     struct arena *arena, struct err *err)
{
	char *description = arena_strdup(arena, f->description), *name = arena_strdup(arena, f->name), stars[32];
	_cleanup_(str_fini) struct str row = { 0 };
	bool table = !l->json;

	if (description == NULL || name == NULL)
		return err_set(err, -ENOMEM, "print what was found");
	str_plain(name, '?');
	shorten(description, o->no_trunc);
	(void) snprintf(stars, sizeof(stars), "%" PRId64, f->stars); /* fits */
	json_open(&row, NULL, '{');
	json_text(&row, "Name", name);
	json_text(&row, "Description", description);
	json_text(&row, "StarCount", stars);
	json_text(&row, "IsOfficial", f->official ? (table ? "[OK]" : "true") : table ? "" : "false");
	json_text(&row, "IsAutomated", f->automated ? (table ? "[OK]" : "true") : table ? "" : "false");
	json_close(&row, '}');
	return row.failed ? err_set(err, -ENOMEM, "print what was found") : listing_row(l, row.p, err);
}

int registry_search(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(listing_fini) struct listing l = { .columns = columns, .nr = ARRAY_LEN(columns) };
	_cleanup_(reach_end) struct reach reach = { 0 };
	const struct search_opts *o = opts;
	uint64_t limit = o->limit != 0 ? o->limit : 25;
	struct reg_found *found = NULL;
	struct limits limits;
	int n, r = read_filters(&o->filter, &limits, err);

	(void) cli; /* the store is not touched */
	(void) argc;
	if (limit > REG_FOUND_MAX)
		return err_msg(err, -EINVAL, "--limit %" PRIu64 " is over %d", limit, REG_FOUND_MAX);
	if (r == 0)
		r = listing_begin(&l, o->format, err);
	if (r == 0)
		r = reach_begin(&reach, &o->reach, NULL, err);
	n = r == 0 ? reg_search(&reach.settings, &reach.access, argv[0], limit, &reach.arena, &found, err) : r;
	for (int i = 0; i < n && r == 0; i++)
		if (found[i].stars >= (int64_t) limits.stars &&
		    (limits.official < 0 || found[i].official == (limits.official == 1)))
			r = print_row(&l, o, &found[i], &reach.arena, err);
	if (n < 0 || r < 0)
		return n < 0 ? n : r;
	listing_end(&l);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/format/listing.h"
#include "engine/engine.h"
#include "engine/log_time.h"
#include "image/remove.h"
#include "image/store.h"

#define HISTORY_MAX 4096
#define CREATED_BY_WIDTH 45 /* characters */

struct history_opts {
	bool raw, no_trunc, quiet;
	const char *format;
};

static const struct opt history_table[] = {
	{ "format", 0, OPT_STRING, offsetof(struct history_opts, format), "FORMAT",
	  "table, json, or a Go template" },
	{ "human", 'H', OPT_OFF, offsetof(struct history_opts, raw), NULL,
	  "sizes and ages for people, not bytes and times (default: true)" },
	{ "no-trunc", 0, OPT_BOOL, offsetof(struct history_opts, no_trunc), NULL,
	  "print whole ids and commands" },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct history_opts, quiet), NULL, "print ids only" },
	{ 0 },
};

static const struct listing_column columns[] = {
	{ "ID", "IMAGE", true },
	{ "CreatedSince", "CREATED", true },
	{ "CreatedBy", "CREATED BY", true },
	{ "Size", "SIZE", true },
	{ "Comment", "COMMENT", true },
	{ "CreatedAt", "CREATED AT", false },
};

struct history {
	struct engine *e;
	const struct history_opts *o;
	struct img_image image;
	struct listing listing;
	const char *chain; /* of the layers below the one under way, its end */
};

/* The unpacked size of the top layer of what is left of the chain, which is taken off */
static uint64_t take_layer(struct history *h, struct arena *arena)
{
	const char *space = strrchr(h->chain, ' '), *name = space != NULL ? space + 1 : h->chain;
	uint64_t bytes = *name != '\0' ? img_layer_bytes(h->e->images, name) : 0;

	h->chain = arena_strndup(arena, h->chain, space != NULL ? (size_t) (space - h->chain) : 0);
	if (h->chain == NULL)
		h->chain = "";
	return bytes;
}

static void created_json(struct str *s, const char *text, bool raw)
{
	char span[TIME_TEXT_MAX], ago[TIME_TEXT_MAX + 8] = "N/A";
	int64_t ns = 0;

	if (text != NULL && eng_log_time_rfc3339(text, strlen(text), &ns) == 0 && ns > 0) {
		time_span(time_now_ns() - ns, span);
		(void) snprintf(ago, sizeof(ago), "%s ago", span);
	}
	json_text(s, "CreatedAt", text != NULL ? text : "");
	json_text(s, "CreatedSince", raw && text != NULL ? text : ago);
}

static int print_step(struct history *h, struct json_in *in, const struct json *step, bool first,
		      struct arena *arena, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };
	const char *by = json_get_str(in, step, "created_by");
	const char *comment = json_get_str(in, step, "comment");
	bool empty = json_get_bool(in, step, "empty_layer", false);
	char id[80] = "<missing>", size[32];
	uint64_t bytes;

	if (first)
		(void) snprintf(id, sizeof(id), h->o->no_trunc ? "sha256:%.64s" : "%.12s",
				h->image.id);
	if (h->o->quiet) {
		puts(id);
		return 0;
	}
	by = by != NULL ? by : "";
	if (!h->o->no_trunc && strlen(by) > CREATED_BY_WIDTH)
		by = arena_printf(arena, "%.*s\u2026", CREATED_BY_WIDTH - 1, by);
	bytes = empty ? 0 : take_layer(h, arena);
	if (h->o->raw)
		(void) snprintf(size, sizeof(size), "%" PRIu64, bytes);
	else
		cli_size((int64_t) bytes, size);
	json_open(&s, NULL, '{');
	json_text(&s, "Comment", comment != NULL ? comment : "");
	created_json(&s, json_get_str(in, step, "created"), h->o->raw);
	json_text(&s, "CreatedBy", by);
	json_text(&s, "ID", id);
	json_text(&s, "Size", size);
	json_close(&s, '}');
	return s.failed ? err_set(err, -ENOMEM, "print") : listing_row(&h->listing, s.p, err);
}

/* The newest first */
static int print_steps(struct history *h, struct json_in *in, struct arena *arena, struct err *err)
{
	const struct json *list = json_get_array(in, in->root, "history", HISTORY_MAX);
	const struct json **steps;
	size_t n = 0;
	int r = in->code;

	if (list == NULL)
		return r;
	steps = arena_alloc(arena, list->len, sizeof(*steps));
	if (steps == NULL)
		return err_set(err, -ENOMEM, "read the history");
	for (const struct json *m = list->first; m != NULL; m = m->next)
		steps[n++] = m;
	for (size_t i = n; r == 0 && i-- > 0;)
		r = json_to_object(in, steps[i])
			    ? print_step(h, in, steps[i], i + 1 == n, arena, err)
			    : in->code;
	return r;
}

static int history_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(str_fini) struct str text = { 0 };
	struct history h = { .o = opts,
			     .listing = { .columns = columns, .nr = ARRAY_LEN(columns) } };
	struct json_in in;
	int r = listing_begin(&h.listing, h.o->format, err);

	(void) argc;
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = img_store_find(e->images, argv[0], &arena, &h.image, err);
	if (r == 0)
		r = img_store_config_text(e->images, &h.image, &text, err);
	if (r == 0) {
		h.e = e;
		h.chain = h.image.chain;
		r = json_parse(&in, "image configuration", &arena, text.p, text.len, err);
		if (r == 0 && json_to_object(&in, in.root))
			r = print_steps(&h, &in, &arena, err);
		json_fini(&in);
	}
	if (r == 0 && !h.o->quiet)
		listing_end(&h.listing);
	listing_fini(&h.listing);
	return r;
}

CLI_VERB_TWICE(image_history_verb, "image history", "history",
	.args = "IMAGE",
	.summary = "Show how an image was made",
	.min_args = 1,
	.max_args = 1,
	.opts = history_table,
	.opts_size = sizeof(struct history_opts),
	.interspersed = true,
	.run = history_run);

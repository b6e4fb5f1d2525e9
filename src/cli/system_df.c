/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/format/listing.h"
#include "cli/system_df.h"
#include "engine/disk.h"
#include "engine/engine.h"

struct df_opts {
	bool verbose;
	const char *format;
};

static const struct opt df_table[] = {
	{ "format", 0, OPT_STRING, offsetof(struct df_opts, format), "FORMAT",
	  "table, json, or a Go template" },
	{ "verbose", 'v', OPT_BOOL, offsetof(struct df_opts, verbose), NULL,
	  "every image, instance and volume" },
	{ 0 },
};

static const struct listing_column columns[] = {
	{ "Type", "TYPE", true },
	{ "TotalCount", "TOTAL", true },
	{ "Active", "ACTIVE", true },
	{ "Size", "SIZE", true },
	{ "Reclaimable", "RECLAIMABLE", true },
};

/* struct row - a line of the summary; @free: bytes that nobody uses */
struct row {
	const char *type;
	size_t total, active;
	uint64_t bytes, free;
};

static int print_row(struct listing *l, const struct row *row, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };
	char size[32], free[32], share[16] = "", text[64];

	cli_size((int64_t) row->bytes, size);
	cli_size((int64_t) row->free, free);
	if (row->bytes > 0)
		(void) snprintf(share, sizeof(share), " (%d%%)",
				(int) ((__uint128_t) row->free * 100 / row->bytes));
	json_open(&s, NULL, '{');
	json_text(&s, "Type", row->type);
	(void) snprintf(text, sizeof(text), "%zu", row->total);
	json_text(&s, "TotalCount", text);
	(void) snprintf(text, sizeof(text), "%zu", row->active);
	json_text(&s, "Active", text);
	json_text(&s, "Size", size);
	(void) snprintf(text, sizeof(text), "%s%s", free, share);
	json_text(&s, "Reclaimable", text);
	json_close(&s, '}');
	return s.failed ? err_set(err, -ENOMEM, "print") : listing_row(l, s.p, err);
}

static int print_summary(const struct eng_disk *d, struct listing *l, struct err *err)
{
	struct row rows[] = {
		{ .type = "Images", .total = d->nr_images, .bytes = d->image_bytes,
		  .free = d->image_bytes - d->image_used },
		{ .type = "Containers", .total = d->nr_instances },
		{ .type = "Local Volumes", .total = d->nr_volumes },
		{ .type = "Build Cache" },
	};
	int r = 0;

	for (size_t i = 0; i < d->nr_images; i++)
		rows[0].active += d->images[i].instances > 0;
	for (size_t i = 0; i < d->nr_instances; i++) {
		enum eng_state s = d->instances[i].i.state;
		bool active = s == ENG_STATE_RUNNING || s == ENG_STATE_RESTARTING;

		rows[1].active += active;
		rows[1].bytes += d->instances[i].bytes;
		rows[1].free += active ? 0 : d->instances[i].bytes;
	}
	for (size_t i = 0; i < d->nr_volumes; i++) {
		rows[2].active += d->volumes[i].v.users > 0;
		rows[2].bytes += d->volumes[i].bytes;
		rows[2].free += d->volumes[i].v.users > 0 ? 0 : d->volumes[i].bytes;
	}
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(rows); i++)
		r = print_row(l, &rows[i], err);
	return r;
}

static int df_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(listing_fini) struct listing l = { .columns = columns, .nr = ARRAY_LEN(columns) };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct df_opts *o = opts;
	struct eng_disk d;
	int r = o->verbose ? 0 : listing_begin(&l, o->format, err);

	(void) argc;
	(void) argv;
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_disk_read(e, &arena, &d, err);
	if (r < 0)
		return r;
	if (o->verbose)
		return df_verbose(e, &d, o->format, err);
	r = print_summary(&d, &l, err);
	if (r == 0)
		listing_end(&l);
	return r;
}

CLI_VERB(system_df_verb) = {
	.name = "system df",
	.args = "",
	.summary = "Show what uses how much of the disk",
	.opts = df_table,
	.opts_size = sizeof(struct df_opts),
	.run = df_run,
};

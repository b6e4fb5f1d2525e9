/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cli/format/listing.h"
#include "cli/format/table.h"
#include "cli/instance_text.h"
#include "cli/system_df.h"
#include "engine/config.h"
#include "engine/disk.h"

static const struct listing_column image_columns[] = {
	{ "Repository", "REPOSITORY", true }, { "Tag", "TAG", true },
	{ "ID", "IMAGE ID", true },	      { "CreatedSince", "CREATED", true },
	{ "Size", "SIZE", true },	      { "SharedSize", "SHARED SIZE", true },
	{ "UniqueSize", "UNIQUE SIZE", true }, { "Containers", "CONTAINERS", true },
};

static const struct listing_column instance_columns[] = {
	{ "ID", "CONTAINER ID", true },	      { "Image", "IMAGE", true },
	{ "Command", "COMMAND", true },	      { "LocalVolumes", "LOCAL VOLUMES", true },
	{ "Size", "SIZE", true },	      { "RunningFor", "CREATED", true },
	{ "Status", "STATUS", true },	      { "Names", "NAMES", true },
};

static const struct listing_column volume_columns[] = {
	{ "Name", "VOLUME NAME", true },
	{ "Links", "LINKS", true },
	{ "Size", "SIZE", true },
};

static const struct listing_column cache_columns[] = {
	{ "ID", "CACHE ID", true },	    { "CacheType", "CACHE TYPE", true },
	{ "Size", "SIZE", true },	    { "CreatedSince", "CREATED", true },
	{ "LastUsedSince", "LAST USED", true }, { "UsageCount", "USAGE", true },
	{ "Shared", "SHARED", true },
};

static void add_size(struct str *s, const char *key, uint64_t bytes)
{
	char text[32];

	cli_size((int64_t) bytes, text);
	json_text(s, key, text);
}

static void add_count(struct str *s, const char *key, uint64_t n)
{
	char text[32];

	(void) snprintf(text, sizeof(text), "%llu", (unsigned long long) n);
	json_text(s, key, text);
}

static void add_ago(struct str *s, const char *key, int64_t when)
{
	char span[TIME_TEXT_MAX], text[TIME_TEXT_MAX + 8];

	time_span(time_now_ns() - when, span);
	(void) snprintf(text, sizeof(text), "%s ago", span);
	json_text(s, key, text);
}

static void add_id(struct str *s, const char *id)
{
	char text[16];

	(void) snprintf(text, sizeof(text), "%.12s", id);
	json_text(s, "ID", text);
}

static void add_image(struct engine *e, const struct eng_disk *d, size_t n, struct str *s)
{
	const struct eng_disk_image *i = &d->images[n];

	(void) e;
	json_open(s, NULL, '{');
	add_count(s, "Containers", i->instances);
	add_ago(s, "CreatedSince", i->image.created);
	add_id(s, i->image.id);
	json_text(s, "Repository", i->image.repository);
	add_size(s, "SharedSize", i->shared);
	add_size(s, "Size", i->bytes);
	json_text(s, "Tag", i->image.tag);
	add_size(s, "UniqueSize", i->bytes - i->shared);
	json_close(s, '}');
}

static uint64_t count_volumes(struct engine *e, const struct eng_instance *i)
{
	struct eng_config c;
	uint64_t n = 0;

	if (eng_instance_config(e, i, &c, NULL) < 0)
		return 0; /* it is being removed */
	for (size_t k = 0; k < c.nr_mounts; k++)
		n += c.mounts[k].kind == ENG_MOUNT_VOLUME;
	eng_config_fini(&c);
	return n;
}

static void add_instance(struct engine *e, const struct eng_disk *d, size_t n, struct str *s)
{
	const struct eng_instance *i = &d->instances[n].i;
	_cleanup_(str_fini) struct str command = { 0 };
	char status[INSTANCE_STATUS_MAX];

	instance_status(i, status);
	instance_command(i, false, &command);
	json_open(s, NULL, '{');
	json_text(s, "Command", command.p);
	add_id(s, i->id);
	json_text(s, "Image", i->image);
	add_count(s, "LocalVolumes", count_volumes(e, i));
	json_text(s, "Names", i->name);
	add_ago(s, "RunningFor", i->created);
	add_size(s, "Size", d->instances[n].bytes);
	json_text(s, "State", eng_state_name(i->state));
	json_text(s, "Status", status);
	json_close(s, '}');
}

static void add_volume(struct engine *e, const struct eng_disk *d, size_t n, struct str *s)
{
	(void) e;
	json_open(s, NULL, '{');
	json_text(s, "Driver", "local");
	add_count(s, "Links", (uint64_t) d->volumes[n].v.users);
	json_text(s, "Name", d->volumes[n].v.name);
	add_size(s, "Size", d->volumes[n].bytes);
	json_close(s, '}');
}

static void add_nothing(struct engine *e, const struct eng_disk *d, size_t n, struct str *s)
{
	(void) e;
	(void) d;
	(void) n;
	(void) s;
}

/* struct section - a kind of things, as table or as list in the object */
struct section {
	const char *key, *title;
	const struct listing_column *columns;
	size_t nr_columns, n;
	void (*add)(struct engine *e, const struct eng_disk *d, size_t n, struct str *s);
};

static int print_table(struct engine *e, const struct eng_disk *d, const struct section *section,
		       struct err *err)
{
	_cleanup_(listing_fini) struct listing l = { .columns = section->columns,
						     .nr = section->nr_columns };
	int r = listing_begin(&l, NULL, err);

	printf("%s\n\n", section->title);
	for (size_t i = 0; r == 0 && i < section->n; i++) {
		_cleanup_(str_fini) struct str row = { 0 };

		section->add(e, d, i, &row);
		r = row.failed ? err_set(err, -ENOMEM, "print") : listing_row(&l, row.p, err);
	}
	if (r == 0)
		listing_end(&l);
	return r;
}

int df_verbose(struct engine *e, const struct eng_disk *d, const char *format, struct err *err)
{
	const struct section sections[] = {
		{ "Images", "Images space usage:", image_columns, ARRAY_LEN(image_columns),
		  d->nr_images, add_image },
		{ "Containers", "Containers space usage:", instance_columns,
		  ARRAY_LEN(instance_columns), d->nr_instances, add_instance },
		{ "Volumes", "Local Volumes space usage:", volume_columns,
		  ARRAY_LEN(volume_columns), d->nr_volumes, add_volume },
		{ "BuildCache", "Build cache usage: 0B", cache_columns, ARRAY_LEN(cache_columns), 0,
		  add_nothing },
	};
	bool tables = format == NULL || strcmp(format, "table") == 0;
	_cleanup_(str_fini) struct str s = { 0 };
	int r = 0;

	json_open(&s, NULL, '{');
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(sections); i++) {
		if (tables) {
			if (i > 0)
				puts("");
			r = print_table(e, d, &sections[i], err);
			continue;
		}
		json_open(&s, sections[i].key, '[');
		for (size_t n = 0; n < sections[i].n; n++)
			sections[i].add(e, d, n, &s);
		json_close(&s, ']');
	}
	json_close(&s, '}');
	if (r < 0 || tables)
		return r;
	return s.failed ? err_set(err, -ENOMEM, "print") : listing_template(format, s.p, s.len, err);
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: --mount
 *
 * Fields of a line of CSV (RFC 4180), each KEY or KEY=VALUE.  The keys are Docker's.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/mount_parse.h"
#include "engine/volume.h"

#define MODE_MAX 07777

/**
 * struct fields - what was given
 * @foreign: a key that belongs to this kind of mount was given
 */
struct fields {
	const char *all, *type, *source, *target, *propagation, *recursive;
	bool read_only, no_copy, non_recursive, size_set, mode_set;
	uint64_t size, mode;
	const char *given[ENG_MOUNT_N_];
};

static int refuse(const struct fields *f, const char *what, struct err *err)
{
	return err_msg(err, -EINVAL, "--mount '%s': %s", f->all, what);
}

/* "KEY" alone is true */
static int to_bool(const struct fields *f, const char *key, const char *value, bool *ret,
		   struct err *err)
{
	if (value == NULL || strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
		*ret = true;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		*ret = false;
	else
		return err_msg(err, -EINVAL, "--mount '%s': invalid value for %s: %s", f->all, key,
			       value);
	return 0;
}

static int tmpfs_number(struct fields *f, const char *key, const char *value, struct err *err)
{
	char *end;

	if (strcmp(key, "tmpfs-size") == 0) {
		f->size_set = true;
		if (eng_size_parse(value, &f->size) == 0)
			return 0;
	} else {
		f->mode_set = true;
		f->mode = strtoul(value, &end, 8);
		if (*value >= '0' && *value <= '7' && *end == '\0' && f->mode <= MODE_MAX)
			return 0;
	}
	return err_msg(err, -EINVAL, "--mount '%s': invalid value for %s: %s", f->all, key, value);
}

/* Keys that need a value.  Return: 1 not such a key. */
static int take_value(struct fields *f, const char *key, const char *value, struct err *err)
{
	const struct {
		const char *key;
		const char **field;
	} texts[] = {
		{ "type", &f->type },          { "source", &f->source },
		{ "src", &f->source },         { "target", &f->target },
		{ "dst", &f->target },         { "destination", &f->target },
		{ "consistency", &(const char *) { NULL } },
		{ "bind-propagation", &f->propagation },
		{ "bind-recursive", &f->recursive },
	};
	bool number = strcmp(key, "tmpfs-size") == 0 || strcmp(key, "tmpfs-mode") == 0;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (strcmp(texts[i].key, key) != 0)
			continue;
		if (value == NULL)
			return err_msg(err, -EINVAL,
				       "--mount '%s': invalid field '%s' must be a key=value pair",
				       f->all, key);
		*texts[i].field = value;
		return 0;
	}
	if (!number)
		return 1;
	return value != NULL ? tmpfs_number(f, key, value, err)
			     : err_msg(err, -EINVAL,
				       "--mount '%s': invalid field '%s' must be a key=value pair",
				       f->all, key);
}

static int take_field(struct fields *f, char *field, struct err *err)
{
	static const char *const prefixes[ENG_MOUNT_N_] = { "bind-", "volume-", "tmpfs-" };
	char *value = strchr(field, '=');
	int r;

	if (value != NULL)
		*value++ = '\0';
	for (char *p = field; *p != '\0'; p++) /* keys are not case-sensitive */
		*p += *p >= 'A' && *p <= 'Z' ? 'a' - 'A' : 0;
	for (size_t i = 0; i < ENG_MOUNT_N_; i++)
		if (str_starts(field, prefixes[i]))
			f->given[i] = field;
	r = take_value(f, field, value, err);
	if (r <= 0)
		return r;
	if (strcmp(field, "readonly") == 0 || strcmp(field, "ro") == 0)
		return to_bool(f, field, value, &f->read_only, err);
	if (strcmp(field, "volume-nocopy") == 0)
		return to_bool(f, field, value, &f->no_copy, err);
	if (strcmp(field, "bind-nonrecursive") == 0)
		return to_bool(f, field, value, &f->non_recursive, err);
	return err_msg(err, -EINVAL, "--mount '%s': unexpected key '%s'", f->all, field);
}

/* Take the next field of a CSV line off, unquoted in place.  Return: false at the end or an open quote. */
static bool next_field(char **line, char **ret)
{
	char *from = *line, *to = *line;
	bool quoted = from != NULL && *from == '"';

	if (from == NULL)
		return false;
	*ret = to;
	for (from += quoted; *from != '\0' && (quoted || *from != ','); from++) {
		if (quoted && *from == '"') {
			if (from[1] != '"') {
				quoted = false;
				continue;
			}
			from++;
		}
		*to++ = *from;
	}
	*line = *from == ',' ? from + 1 : quoted ? from : NULL;
	*to = '\0';
	return !quoted;
}

static int set_bind(struct arena *a, const struct fields *f, struct eng_mount *m, struct err *err)
{
	const char *how = f->recursive != NULL ? f->recursive : "enabled";

	(void) a;
	if (f->source == NULL || f->source[0] != '/')
		return err_msg(err, -EINVAL,
			       "--mount '%s': invalid mount path: '%s' mount path must be absolute",
			       f->all, f->source != NULL ? f->source : "");
	if (access(f->source, F_OK) < 0)
		return err_msg(err, -errno,
			       "--mount '%s': bind source path does not exist: %s", f->all,
			       f->source);
	if (f->propagation != NULL &&
	    eng_mount_propagation(f->propagation, strlen(f->propagation), &m->propagation) < 0)
		return err_msg(err, -EINVAL, "--mount '%s': invalid propagation mode '%s'", f->all,
			       f->propagation);
	m->source = f->source;
	m->recursive_off = f->non_recursive || strcmp(how, "disabled") == 0;
	m->writable_below = strcmp(how, "writable") == 0;
	if (strcmp(how, "enabled") != 0 && strcmp(how, "disabled") != 0 &&
	    strcmp(how, "writable") != 0 && strcmp(how, "readonly") != 0)
		return err_msg(err, -EINVAL,
			       "--mount '%s': invalid value for bind-recursive: %s (must be enabled, disabled, writable or readonly)",
			       f->all, how);
	if (strcmp(how, "readonly") == 0 && !f->read_only)
		return refuse(f, "option 'bind-recursive=readonly' requires 'readonly'", err);
	return 0;
}

static int set_tmpfs(struct arena *a, const struct fields *f, struct eng_mount *m, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };

	if (f->source != NULL)
		return refuse(f, "a tmpfs has no source", err);
	str_puts(&s, "noexec,nosuid,nodev");
	if (f->size_set)
		str_printf(&s, ",size=%llu", (unsigned long long) f->size);
	if (f->mode_set)
		str_printf(&s, ",mode=%04llo", (unsigned long long) f->mode);
	m->options = s.failed ? NULL : arena_strdup(a, s.p);
	return m->options != NULL ? 0 : err_set(err, -ENOMEM, "read the mounts");
}

static int set_volume(struct arena *a, const struct fields *f, struct eng_mount *m, struct err *err)
{
	m->no_copy = f->no_copy;
	if (f->source == NULL || *f->source == '\0')
		return eng_mount_random(a, m, err);
	m->source = f->source;
	return eng_volume_name_check(f->source, err);
}

static int make(struct arena *a, const struct fields *f, struct eng_mount *m, struct err *err)
{
	static const char *const types[ENG_MOUNT_N_] = { "bind", "volume", "tmpfs" };
	const char *type = f->type != NULL ? f->type : "volume";

	while (m->kind < ENG_MOUNT_N_ && strcmp(types[m->kind], type) != 0)
		m->kind++;
	if (m->kind == ENG_MOUNT_N_)
		return err_msg(err, -EINVAL,
			       "--mount '%s': mount type unknown: '%s' (bind, volume and tmpfs are known)",
			       f->all, type);
	for (size_t i = 0; i < ENG_MOUNT_N_; i++)
		if (f->given[i] != NULL && i != m->kind)
			return err_msg(err, -EINVAL,
				       "--mount '%s': cannot mix '%s-*' options with mount type '%s'",
				       f->all, types[i], type);
	if (f->target == NULL || *f->target == '\0')
		return refuse(f, "target is required", err);
	m->read_only = f->read_only;
	int r = eng_mount_destination(a, "--mount", f->target, &m->destination, err);
	if (r < 0)
		return r;
	return m->kind == ENG_MOUNT_BIND     ? set_bind(a, f, m, err)
	       : m->kind == ENG_MOUNT_VOLUME ? set_volume(a, f, m, err)
					     : set_tmpfs(a, f, m, err);
}

int eng_mount_parse_long(struct arena *a, const char *text, struct eng_mount *ret, struct err *err)
{
	struct fields f = { .all = text };
	struct eng_mount m = { 0 };
	char *line, *field = NULL;
	int r = 0;

	if (strlen(text) > ENG_MOUNT_TEXT_MAX)
		return err_msg(err, -E2BIG, "--mount '%.40s...': over %d bytes", text,
			       ENG_MOUNT_TEXT_MAX);
	line = arena_strdup(a, text);
	if (line == NULL)
		return err_set(err, -ENOMEM, "read the mounts");
	while (r == 0 && next_field(&line, &field))
		r = take_field(&f, field, err);
	if (r == 0 && line != NULL)
		r = refuse(&f, "a quote is not closed", err);
	if (r == 0)
		r = make(a, &f, &m, err);
	if (r == 0)
		*ret = m;
	return r;
}

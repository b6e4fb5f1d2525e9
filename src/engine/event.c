/* SPDX-License-Identifier: MIT */
#include "engine/event.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"

#define FILE_MAX (1 << 20) /* bytes; then a new one is begun */
#define ATTRIBUTES_MAX 256 /* of an event; more labels are left out */

struct pair {
	const char *name, *value;
	size_t name_len;
};

/* What an event says beside its type, action and id */
struct attributes {
	struct pair v[ATTRIBUTES_MAX];
	size_t n;
};

static void add(struct attributes *a, const char *name, size_t len, const char *value)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].name_len == len && memcmp(a->v[i].name, name, len) == 0)
			return; /* a label does not hide what happened */
	if (value != NULL && a->n < ATTRIBUTES_MAX)
		a->v[a->n++] = (struct pair) { name, value, len };
}

static int compare(const void *x, const void *y)
{
	const struct pair *a = x, *b = y;
	size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
	int r = memcmp(a->name, b->name, n);

	return r != 0 ? r : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

static void format_attributes(struct attributes *a, struct str *ret)
{
	qsort(a->v, a->n, sizeof(*a->v), compare);
	for (size_t i = 0; i < a->n; i++) {
		_cleanup_free_ char *name = strndup(a->v[i].name, a->v[i].name_len);

		str_puts(ret, i > 0 ? "," : "");
		str_json(ret, name != NULL ? name : "");
		str_puts(ret, ":");
		str_json(ret, a->v[i].value);
	}
}

/* @from: name of the image of an instance, NULL of anything else */
static void format(const char *type, const char *action, const char *id, const char *from,
		   struct attributes *a, struct str *ret)
{
	int64_t now = time_now_ns();

	json_open(ret, NULL, '{');
	json_text(ret, "status", action);
	json_text(ret, "id", id);
	if (from != NULL)
		json_text(ret, "from", from);
	json_text(ret, "Type", type);
	json_text(ret, "Action", action);
	json_open(ret, "Actor", '{');
	json_text(ret, "ID", id);
	json_open(ret, "Attributes", '{');
	format_attributes(a, ret);
	str_printf(ret, "}},\"scope\":\"local\",\"time\":%lld,\"timeNano\":%lld}\n",
		   (long long) (now / 1000000000), (long long) now);
}

/* One write of a line is whole: the file is open for appending.  Who finds it full moves it away. */
static void write_line(struct engine *e, const struct str *line)
{
	struct stat st, now;

	_cleanup_close_ int fd = openat(e->root_fd, ENG_EVENTS,
					O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (line->failed || fd < 0 || write(fd, line->p, line->len) != (ssize_t) line->len)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > FILE_MAX && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    fstatat(e->root_fd, ENG_EVENTS, &now, 0) == 0 && now.st_ino == st.st_ino)
		(void) renameat(e->root_fd, ENG_EVENTS, e->root_fd, ENG_EVENTS_OLD); /* next time */
}

static void add_all(struct attributes *a, const char *const *attributes)
{
	for (; attributes != NULL && *attributes != NULL; attributes += 2)
		add(a, attributes[0], strlen(attributes[0]), attributes[1]);
}

void eng_event(struct engine *e, const char *type, const char *action, const char *id,
	       const char *const *attributes)
{
	_cleanup_(str_fini) struct str line = { 0 };
	struct attributes a = { .n = 0 };

	add_all(&a, attributes);
	format(type, action, id, NULL, &a, &line);
	write_line(e, &line);
}

static void add_labels(struct attributes *a, const struct img_words *labels)
{
	for (size_t i = 0; i < labels->n; i++) {
		const char *value = strchr(labels->v[i], '=');

		if (value != NULL)
			add(a, labels->v[i], (size_t) (value - labels->v[i]), value + 1);
	}
}

static void event_of(struct engine *e, const struct eng_instance *i, const char *action,
		     const struct img_words *labels, const char *const *more)
{
	_cleanup_(str_fini) struct str line = { 0 };
	struct attributes a = { .n = 0 };

	add_all(&a, more);
	add_all(&a, (const char *const[]) { "image", i->image, "name", i->name, NULL });
	if (labels != NULL)
		add_labels(&a, labels);
	format("container", action, i->id, i->image, &a, &line);
	if (line.len > ENG_EVENT_MAX && labels != NULL)
		event_of(e, i, action, NULL, more);
	else
		write_line(e, &line);
}

void eng_event_of(struct engine *e, const struct eng_instance *i, const char *action,
		  const struct img_words *labels, const char *const *more)
{
	struct eng_config config;

	if (labels != NULL) {
		event_of(e, i, action, labels, more);
	} else if (eng_instance_config(e, i, &config, NULL) == 0) {
		event_of(e, i, action, &config.labels, more);
		eng_config_fini(&config);
	} else
		event_of(e, i, action, NULL, more);
}

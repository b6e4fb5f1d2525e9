/* SPDX-License-Identifier: MIT */
/**
 * DOC: `events`
 *
 * Reads the files that eng_event() writes.  Following, inotify tells of new lines and of the file being
 * moved away.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/filter.h"
#include "cli/format/listing.h"
#include "cli/when.h"
#include "engine/engine.h"
#include "engine/event.h"

#define FILTERS "container, event, image, label, network, type, volume"
#define RETRY_MS 100
#define SHORT_ID 12

struct events_opts {
	bool once, shorten;
	const char *format, *since, *until;
	struct opt_strings filter;
};

static const struct opt events_table[] = {
	{ "filter", 'f', OPT_STRINGS, offsetof(struct events_opts, filter), "NAME=VALUE",
	  "only those that match: " FILTERS },
	{ "format", 0, OPT_STRING, offsetof(struct events_opts, format), "FORMAT",
	  "json or a Go template" },
	{ "no-trunc", 0, OPT_OFF, offsetof(struct events_opts, shorten), NULL,
	  "print whole ids (default)" },
	{ "since", 0, OPT_STRING, offsetof(struct events_opts, since), "TIME",
	  "begin there: a time, or how long ago" },
	{ "stream", 0, OPT_OFF, offsetof(struct events_opts, once), NULL,
	  "go on with what happens from now on (default)" },
	{ "until", 0, OPT_STRING, offsetof(struct events_opts, until), "TIME", "end there" },
	{ 0 },
};

struct events {
	const struct events_opts *o;
	int64_t since, until; /* ns; until: INT64_MAX to go on */
	struct json_in in; /* of the line under way */
	struct str line;
	struct err *err;
	bool done;
};

static const char *text_of(struct json_in *in, const struct json *obj, const char *key)
{
	const char *text = obj != NULL ? json_get_str(in, obj, key) : NULL;

	return text != NULL ? text : "";
}

/* @want: "NAME" or "NAME=VALUE"; labels are among the attributes */
static bool has_label(struct json_in *in, const struct json *attributes, const char *want)
{
	size_t n = strcspn(want, "=");

	for (const struct json *m = attributes != NULL ? attributes->first : NULL; m != NULL;
	     m = m->next)
		if (strlen(m->key) == n && strncmp(m->key, want, n) == 0)
			return want[n] == '\0' ||
			       strcmp(text_of(in, attributes, m->key), want + n + 1) == 0;
	return false;
}

static int test(const void *what, const char *name, const char *value, struct err *err)
{
	struct events *ev = (struct events *) what; /* the reader keeps what failed */
	struct json_in *in = &ev->in;
	const struct json *actor = json_get_object(in, in->root, "Actor");
	const struct json *attributes =
		actor != NULL ? json_get_object(in, actor, "Attributes") : NULL;
	const char *type = text_of(in, in->root, "Type"), *id = text_of(in, actor, "ID");

	(void) err;
	if (strcmp(name, "event") == 0)
		return strcmp(text_of(in, in->root, "Action"), value) == 0;
	if (strcmp(name, "type") == 0)
		return strcmp(type, value) == 0;
	if (str_starts(name, "label"))
		return has_label(in, attributes, value) == (name[5] == '\0');
	if (strcmp(name, "image") == 0 && strcmp(text_of(in, attributes, "image"), value) == 0)
		return 1;
	return strcmp(type, name) == 0 &&
	       (str_starts(id, value) || strcmp(text_of(in, attributes, "name"), value) == 0);
}

/* "2026-01-31T12:00:00.000000000Z container start ID (image=x, name=y)" */
static void print_text(struct json_in *in, int64_t when, bool shorten)
{
	const struct json *actor = json_get_object(in, in->root, "Actor");
	const struct json *attributes =
		actor != NULL ? json_get_object(in, actor, "Attributes") : NULL;
	char time[TIME_TEXT_MAX];
	const char *separator = " (", *type = text_of(in, in->root, "Type");

	time_rfc3339(when, time);
	printf("%s %s %s %.*s", time, type, text_of(in, in->root, "Action"),
	       shorten && strcmp(type, "container") == 0 ? SHORT_ID : INT_MAX,
	       text_of(in, actor, "ID"));
	for (const struct json *m = attributes != NULL ? attributes->first : NULL; m != NULL;
	     m = m->next) {
		printf("%s%s=%s", separator, m->key, m->kind == JSON_KIND_STRING ? m->text : "");
		separator = ", ";
	}
	puts(separator[0] == ',' ? ")" : "");
}

/* A line that is no event is damage of a full disk; it is left out. */
static int print_line(struct events *ev, const char *line, size_t n)
{
	_cleanup_(arena_fini) struct arena strings = { 0 };
	uint64_t when = 0;
	int r = json_parse(&ev->in, ENG_EVENTS, &strings, line, n, NULL);

	if (r == 0 && json_get_u64(&ev->in, ev->in.root, "timeNano", INT64_MAX, &when) &&
	    (int64_t) when >= ev->since) {
		if ((int64_t) when > ev->until)
			ev->done = true;
		else {
			r = filter_match(&ev->o->filter, test, ev, ev->err);
			if (r == 1 && ev->o->format != NULL)
				r = listing_template(ev->o->format, line, n, ev->err);
			else if (r == 1)
				print_text(&ev->in, (int64_t) when, ev->o->shorten);
		}
	} else
		r = 0;
	json_fini(&ev->in);
	return r < 0 ? r : 0;
}

static int print_lines(struct events *ev, int fd)
{
	char buf[16384];
	ssize_t n;
	int r = 0;

	while (r == 0 && !ev->done && (n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; r == 0 && !ev->done && at < n;) {
			char *end = memchr(buf + at, '\n', (size_t) (n - at));
			size_t part = end != NULL ? (size_t) (end - buf - at) : (size_t) (n - at);

			if (ev->line.len + part <= ENG_EVENT_MAX)
				str_add(&ev->line, buf + at, part);
			at += (ssize_t) part + (end != NULL);
			if (end == NULL)
				continue;
			if (ev->line.p != NULL && ev->line.len > 0)
				r = print_line(ev, ev->line.p, ev->line.len);
			ev->line.len = 0;
		}
	(void) fflush(stdout);
	return r;
}

static int open_events(struct engine *e, const char *name)
{
	return openat(e->root_fd, name, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
}

/* Until the time has come, or for ever */
static int follow(struct events *ev, struct engine *e, int fd, int watch)
{
	struct stat ours, now;
	char buf[4096];
	int r = 0;

	while (r == 0 && !ev->done) {
		int64_t left = ev->until == INT64_MAX ? -1 : (ev->until - time_now_ns()) / 1000000;

		if (ev->until != INT64_MAX && left <= 0)
			return print_lines(ev, fd);
		(void) poll(&(struct pollfd) { .fd = watch, .events = POLLIN }, 1,
			    left > 0 && left < 1000000 ? (int) left : -1);
		while (read(watch, buf, sizeof(buf)) > 0)
			;
		r = print_lines(ev, fd);
		if (r == 0 && fstat(fd, &ours) == 0 &&
		    (fstatat(e->root_fd, ENG_EVENTS, &now, 0) < 0 || ours.st_ino != now.st_ino)) {
			int next = open_events(e, ENG_EVENTS);

			if (next < 0)
				return err_set(ev->err, -errno, "open '%s/%s'", e->root, ENG_EVENTS);
			r = print_lines(ev, fd); /* what came until it was moved */
			(void) dup3(next, fd, O_CLOEXEC);
			(void) close(next); /* a copy stays */
			if (r == 0)
				r = print_lines(ev, fd);
		}
	}
	return r;
}

static int events_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	struct events ev = { .o = opts, .since = time_now_ns(), .until = INT64_MAX, .err = err };
	int r = filter_check(&ev.o->filter, FILTERS, err);

	(void) argc;
	(void) argv;
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0 && ev.o->since != NULL)
		r = cli_when("--since", ev.o->since, &ev.since, err);
	if (r == 0 && ev.o->until != NULL)
		r = cli_when("--until", ev.o->until, &ev.until, err);
	if (ev.o->once && ev.o->until == NULL) {
		ev.until = time_now_ns();
		ev.since = ev.o->since != NULL ? ev.since : 0;
	}
	if (r < 0)
		return r;
	_cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	_cleanup_close_ int old = openat(e->root_fd, ENG_EVENTS_OLD, O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int fd = open_events(e, ENG_EVENTS);
	if (fd < 0 || watch < 0 ||
	    inotify_add_watch(watch, e->root, IN_MODIFY | IN_MOVED_FROM) < 0)
		return err_set(err, -errno, "watch '%s/%s'", e->root, ENG_EVENTS);
	r = old >= 0 && (ev.o->since != NULL || ev.o->once) ? print_lines(&ev, old) : 0;
	if (r == 0)
		r = print_lines(&ev, fd);
	if (r == 0)
		r = follow(&ev, e, fd, watch);
	str_fini(&ev.line);
	return r;
}

CLI_VERB(events_verb) = {
	.name = "events",
	.args = "",
	.summary = "Show what happens to instances",
	.opts = events_table,
	.opts_size = sizeof(struct events_opts),
	.run = events_run,
};

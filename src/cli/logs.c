/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/when.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/log_entry.h"
#include "engine/log_read.h"
#include "engine/log_time.h"

#define BUFFER 65536 /* bytes of each stream */

struct logs_opts {
	bool follow, timestamps, details;
	const char *tail, *since, *until;
};

#define FIELD(name) offsetof(struct logs_opts, name)

static const struct opt logs_table[] = {
	{ "details", 0, OPT_BOOL, FIELD(details), NULL, "show attributes of the entries" },
	{ "follow", 'f', OPT_BOOL, FIELD(follow), NULL, "go on until the instance ends" },
	{ "since", 0, OPT_STRING, FIELD(since), "TIME",
	  "only since then, e.g. 2026-01-31T12:00:00Z, or 10m ago" },
	{ "tail", 'n', OPT_STRING, FIELD(tail), "NUMBER", "only the last entries (default: all)" },
	{ "timestamps", 't', OPT_BOOL, FIELD(timestamps), NULL, "show when each was written" },
	{ "until", 0, OPT_STRING, FIELD(until), "TIME", "only until then" },
	{ 0 },
};

struct printer {
	const struct logs_opts *o;
	FILE *last;
};

/* The streams may be one terminal, so what was written first is shown first. */
static FILE *stream_of(struct printer *p, bool error)
{
	FILE *f = error ? stderr : stdout;

	if (p->last != NULL && p->last != f)
		(void) fflush(p->last); /* a failure is seen at the end */
	p->last = f;
	return f;
}

static int failed(FILE *f)
{
	return ferror(f) ? -EIO : 0;
}

static int print_entry(void *data, const struct eng_log_entry *entry)
{
	struct printer *p = data;
	char when[TIME_TEXT_MAX];
	FILE *f;

	if (entry->lost > 0)
		fprintf(stream_of(p, true),
			"cleave: %llu entries are missing here: they could not be written to the log\n",
			(unsigned long long) entry->lost);
	f = stream_of(p, entry->error);
	if (p->o->timestamps) {
		time_rfc3339(entry->time, when);
		fputs(when, f);
		fputc(' ', f);
	}
	if (p->o->details)
		fprintf(f, "%s ", entry->attrs != NULL ? entry->attrs : "");
	(void) fwrite(entry->text, 1, entry->n, f); /* ferror() tells */
	return failed(f);
}

static int flush(void *data)
{
	(void) data;
	return fflush(stdout) != 0 || fflush(stderr) != 0 ? -EIO : 0;
}

/* As Docker: what is no number means all. */
static uint64_t read_tail(const char *text)
{
	uint64_t n;

	return text != NULL && str_to_u64(text, &n) == 0 ? n : ENG_LOG_ALL;
}

static int logs_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	static char out_buffer[BUFFER], err_buffer[BUFFER];
	_cleanup_(eng_closep) struct engine *e = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct logs_opts *o = opts;
	struct eng_log_query q = { .follow = o->follow, .tail = read_tail(o->tail) };
	struct printer printer = { .o = o };
	const struct eng_log_taker taker = { print_entry, flush, &printer };
	struct eng_instance i;
	int r = o->since != NULL ? cli_when("--since", o->since, &q.since, err) : 0;

	(void) argc;
	if (r == 0)
		r = o->until != NULL ? cli_when("--until", o->until, &q.until, err) : 0;
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r == 0)
		r = eng_instance_find(e, argv[0], &arena, &i, err);
	if (r < 0)
		return r;
	(void) setvbuf(stdout, out_buffer, _IOFBF, sizeof(out_buffer)); /* works with any buffer */
	(void) setvbuf(stderr, err_buffer, _IOFBF, sizeof(err_buffer));
	r = eng_log_read(e, &i, &q, &taker, err);
	if (r == -EIO && err->code == 0)
		return err_msg(err, r, "write the log to standard output: it is closed or full");
	return r;
}

CLI_VERB(logs_verb) = {
	.name = "logs",
	.args = "INSTANCE",
	.summary = "Show the output of an instance",
	.min_args = 1,
	.max_args = 1,
	.opts = logs_table,
	.opts_size = sizeof(struct logs_opts),
	.interspersed = true,
	.run = logs_run,
};

/* SPDX-License-Identifier: MIT */
/**
 * DOC: `stats`
 *
 * A round reads the counters of every instance.  Processor use is what was used since the round before;
 * in the first one, since the instance was started.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/format/listing.h"
#include "engine/backend.h"
#include "engine/engine.h"
#include "engine/instance.h"

#define INTERVAL_MS 1000
#define CLEAR "\033[H\033[2J"

struct stats_opts {
	bool all, no_stream, no_trunc;
	const char *format;
};

static const struct opt stats_table[] = {
	{ "all", 'a', OPT_BOOL, offsetof(struct stats_opts, all), NULL,
	  "also instances that do not run" },
	{ "format", 0, OPT_STRING, offsetof(struct stats_opts, format), "FORMAT",
	  "table, json, or a Go template" },
	{ "no-stream", 0, OPT_BOOL, offsetof(struct stats_opts, no_stream), NULL, "one round only" },
	{ "no-trunc", 0, OPT_BOOL, offsetof(struct stats_opts, no_trunc), NULL, "print whole ids" },
	{ 0 },
};

static const struct listing_column columns[] = {
	{ "ID", "CONTAINER ID", true },	     { "Name", "NAME", true },
	{ "CPUPerc", "CPU %", true },	     { "MemUsage", "MEM USAGE / LIMIT", true },
	{ "MemPerc", "MEM %", true },	     { "NetIO", "NET I/O", true },
	{ "BlockIO", "BLOCK I/O", true },    { "PIDs", "PIDS", true },
	{ "Container", "CONTAINER", false },
};

/* One instance's last round */
struct sample {
	char id[ENG_ID_LEN + 1];
	int64_t when;
	uint64_t cpu_ns;
};

struct stats {
	struct engine *e;
	const struct stats_opts *o;
	struct sample *last;
	size_t nr_last;
	uint64_t memory_total;
};

static const struct sample *find_last(const struct stats *s, const char *id)
{
	for (size_t i = 0; i < s->nr_last; i++)
		if (strcmp(s->last[i].id, id) == 0)
			return &s->last[i];
	return NULL;
}

static double cpu_percent(const struct stats *s, const struct eng_instance *i, int64_t now,
			  uint64_t cpu_ns)
{
	const struct sample *last = find_last(s, i->id);
	int64_t span = now - (last != NULL ? last->when : i->started);
	uint64_t used = cpu_ns - (last != NULL && last->cpu_ns <= cpu_ns ? last->cpu_ns : 0);

	return span > 0 ? 100.0 * (double) used / (double) span : 0;
}

/* "12.3MiB / 1GiB" */
static void pair_text(struct str *s, const char *key, uint64_t a, uint64_t b, bool binary)
{
	char one[32], two[32], text[80];

	if (binary) {
		cli_size_binary((int64_t) a, one);
		cli_size_binary((int64_t) b, two);
	} else {
		cli_size((int64_t) a, one);
		cli_size((int64_t) b, two);
	}
	(void) snprintf(text, sizeof(text), "%s / %s", one, two);
	json_text(s, key, text);
}

static void percent_text(struct str *s, const char *key, double v)
{
	char text[32];

	(void) snprintf(text, sizeof(text), "%.2f%%", v);
	json_text(s, key, text);
}

static void row_json(const struct stats *s, const struct eng_instance *i, const struct eng_usage *u,
		     double cpu, struct str *ret)
{
	uint64_t limit = u->memory_limit < s->memory_total && u->memory_limit != 0
				 ? u->memory_limit
				 : s->memory_total;
	char id[ENG_ID_LEN + 1], pids[24];

	(void) snprintf(id, sizeof(id), "%.*s", s->o->no_trunc ? ENG_ID_LEN : 12, i->id);
	(void) snprintf(pids, sizeof(pids), "%" PRIu64, u->pids);
	json_open(ret, NULL, '{');
	pair_text(ret, "BlockIO", u->read, u->written, false);
	percent_text(ret, "CPUPerc", cpu);
	json_text(ret, "Container", id);
	json_text(ret, "ID", id);
	percent_text(ret, "MemPerc", limit != 0 ? 100.0 * (double) u->memory / (double) limit : 0);
	pair_text(ret, "MemUsage", u->memory, limit, true);
	json_text(ret, "Name", i->name);
	pair_text(ret, "NetIO", u->net_in, u->net_out, false);
	json_text(ret, "PIDs", pids);
	json_close(ret, '}');
}

static int print_one(struct stats *s, const struct eng_instance *i, struct sample *sample,
		     struct listing *l, struct err *err)
{
	const struct eng_backend *b = eng_backend_find(i->isolation);
	_cleanup_(str_fini) struct str json = { 0 };
	struct eng_usage u = { 0 };
	int64_t now = time_now_ns();

	if (b != NULL && i->state == ENG_STATE_RUNNING)
		(void) b->usage(s->e, i->id, &u); /* it may have ended: zeros */
	row_json(s, i, &u, u.cpu_ns != 0 ? cpu_percent(s, i, now, u.cpu_ns) : 0, &json);
	memcpy(sample->id, i->id, sizeof(sample->id));
	sample->when = now;
	sample->cpu_ns = u.cpu_ns;
	return json.failed ? err_set(err, -ENOMEM, "print") : listing_row(l, json.p, err);
}

/* What is named, or all that runs */
static int select_instances(struct stats *s, int argc, char **argv, struct arena *arena,
			    struct eng_instance **ret, struct err *err)
{
	int r = 0;

	if (argc == 0)
		return eng_instance_list(s->e, arena, ret, err);
	*ret = arena_alloc(arena, (size_t) argc, sizeof(**ret));
	if (*ret == NULL)
		return err_set(err, -ENOMEM, "find the instances");
	for (int i = 0; r == 0 && i < argc; i++)
		r = eng_instance_find(s->e, argv[i], arena, &(*ret)[i], err);
	return r < 0 ? r : argc;
}

static int print_round(struct stats *s, int argc, char **argv, bool clear, struct err *err)
{
	_cleanup_(listing_fini) struct listing l = { .columns = columns, .nr = ARRAY_LEN(columns) };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance *list = NULL;
	struct sample *samples;
	size_t used = 0;
	int r = listing_begin(&l, s->o->format, err), n;

	if (r < 0)
		return r;
	n = select_instances(s, argc, argv, &arena, &list, err);
	if (n < 0)
		return n;
	samples = calloc((size_t) n + 1, sizeof(*samples));
	if (samples == NULL)
		return err_set(err, -ENOMEM, "read the counters");
	for (int i = 0; r == 0 && i < n; i++)
		if (argc > 0 || s->o->all || list[i].state == ENG_STATE_RUNNING)
			r = print_one(s, &list[i], &samples[used++], &l, err);
	free(s->last);
	s->last = samples;
	s->nr_last = used;
	if (r == 0) {
		fputs(clear ? CLEAR : "", stdout);
		listing_end(&l);
		(void) fflush(stdout);
	}
	return r;
}

static int stats_run(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(eng_closep) struct engine *e = NULL;
	struct stats s = { .o = opts };
	bool terminal = isatty(STDOUT_FILENO) != 0;
	struct sysinfo info;
	int r = cli_engine(cli, &e, err);

	if (r < 0)
		return r;
	s.e = e;
	s.memory_total = sysinfo(&info) == 0 ? (uint64_t) info.totalram * info.mem_unit : 0;
	r = print_round(&s, argc, argv, terminal && !s.o->no_stream, err);
	while (r == 0 && !s.o->no_stream && ferror(stdout) == 0) {
		(void) poll(NULL, 0, INTERVAL_MS);
		r = print_round(&s, argc, argv, terminal, err);
	}
	free(s.last);
	return r;
}

CLI_VERB(stats_verb) = {
	.name = "stats",
	.args = "[INSTANCE...]",
	.summary = "Show what instances use",
	.max_args = -1,
	.opts = stats_table,
	.opts_size = sizeof(struct stats_opts),
	.interspersed = true,
	.run = stats_run,
};

/* SPDX-License-Identifier: MIT */
/**
 * DOC: layers on a terminal
 *
 * A thread draws a line per layer and goes back up to draw them again.  Layers at the top that are done stay as
 * they are, so what does not fit on the screen moves out of it.
 */
#include "cli/registry/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/format/table.h"

#define STEP_MS 100
#define BAR_COLUMNS 40
#define ID_DIGITS 12

static bool is_over(enum reg_stage stage)
{
	return stage == REG_STAGE_EXISTS || stage == REG_STAGE_DONE || stage == REG_STAGE_MOUNTED;
}

static const char *word(const struct show *s, enum reg_stage stage)
{
	static const char *const pull[] = { "Waiting",		 "Already exists", "Downloading",
					    "Extracting",	 "Pull complete",  "" };
	static const char *const push[] = { "Waiting", "Layer already exists", "Pushing",
					    "Pushing", "Pushed",	       "Mounted from" };

	return (s->push ? push : pull)[stage];
}

static void print_part(const struct show *s, const struct reg_part *p, const char *what)
{
	printf("%s%.*s%s: %s%s%s", s->color ? "\033[1m" : "", ID_DIGITS, p->digest + 7,
	       s->color ? "\033[0m" : "", what, p->from != NULL ? " " : "",
	       p->from != NULL ? p->from : "");
}

static void draw_bar(const struct show *s, const struct reg_part *p, unsigned columns)
{
	uint64_t done = atomic_load(&p->done), total = p->total > 0 ? p->total : 1;
	unsigned width = columns > 70 + BAR_COLUMNS ? BAR_COLUMNS : columns > 80 ? columns - 70 : 10, full;
	char have[32], all[32], bar[BAR_COLUMNS + 1];

	done = done < total ? done : total;
	full = (unsigned) (done * width / total);
	memset(bar, ' ', sizeof(bar));
	bar[width] = '\0';
	memset(bar, '=', full);
	if (full < width)
		bar[full] = '>';
	cli_size((int64_t) done, have);
	cli_size((int64_t) total, all);
	printf(" [%s%s%s] %s/%s", s->color ? "\033[32m" : "", bar, s->color ? "\033[0m" : "", have, all);
}

static void draw(struct show *s)
{
	struct winsize w = { 0 };
	unsigned columns = 80, rows = 24;
	bool settled = true;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 && w.ws_row > 4) {
		columns = w.ws_col;
		rows = w.ws_row;
	}
	if (s->drawn > 0)
		printf("\033[%zuA", s->drawn);
	s->drawn = 0;
	for (size_t i = s->settled; i < s->n && s->drawn + 2 < rows; i++) {
		const struct reg_part *p = &s->parts[i];
		enum reg_stage stage = (enum reg_stage) atomic_load(&p->stage);

		fputs("\r\033[K", stdout);
		print_part(s, p, word(s, stage));
		if (stage == REG_STAGE_MOVING)
			draw_bar(s, p, columns);
		fputs("\n", stdout);
		settled = settled && is_over(stage);
		if (settled)
			s->settled++;
		else
			s->drawn++;
	}
	(void) fflush(stdout); /* a terminal that is gone says so at the end */
}

static void *go_on(void *data)
{
	struct show *s = data;

	(void) pthread_mutex_lock(&s->mutex); /* these fail for bad objects only */
	while (!s->stop) {
		int64_t until = time_now_ns() + STEP_MS * 1000000ll;
		struct timespec ts = { until / 1000000000, until % 1000000000 };

		draw(s);
		(void) pthread_cond_timedwait(&s->wake, &s->mutex, &ts);
	}
	draw(s);
	(void) pthread_mutex_unlock(&s->mutex);
	return NULL;
}

static void print_line(void *data, const char *text)
{
	const struct show *s = data;

	if (s->quiet)
		return;
	puts(text);
	(void) fflush(stdout); /* as above */
}

static void begin(void *data, const struct reg_part *parts, size_t n)
{
	struct show *s = data;

	s->parts = parts;
	s->n = n;
	s->settled = s->drawn = 0;
	s->stop = false;
	if (s->bars && pthread_create(&s->thread, NULL, go_on, s) != 0)
		s->bars = false;
}

static void changed(void *data, const struct reg_part *p)
{
	const struct show *s = data;
	enum reg_stage stage = (enum reg_stage) atomic_load(&p->stage);

	if (s->quiet || s->bars)
		return;
	print_part(s, p,
		   stage == REG_STAGE_MOVING && !s->push   ? "Pulling fs layer"
		   : stage == REG_STAGE_MOVED && !s->push ? "Download complete"
							     : word(s, stage));
	fputs("\n", stdout);
	(void) fflush(stdout); /* as above */
}

static void end(void *data)
{
	struct show *s = data;

	if (!s->bars)
		return;
	(void) pthread_mutex_lock(&s->mutex); /* as above */
	s->stop = true;
	(void) pthread_cond_signal(&s->wake); /* as above */
	(void) pthread_mutex_unlock(&s->mutex); /* as above */
	(void) pthread_join(s->thread, NULL); /* as above */
}

void show_begin(struct show *s, bool push, bool quiet)
{
	const char *term = getenv("TERM"), *color = getenv("NO_COLOR");
	bool terminal = isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0;

	*s = (struct show) {
		.watch = { s, print_line, begin, changed, end },
		.push = push,
		.quiet = quiet,
		.bars = terminal && !quiet,
		.color = terminal && (color == NULL || *color == '\0'),
	};
	(void) pthread_mutex_init(&s->mutex, NULL); /* never fails */
	(void) pthread_cond_init(&s->wake, NULL); /* as above */
}

void show_end(struct show *s)
{
	(void) pthread_cond_destroy(&s->wake); /* never fails when nobody waits */
	(void) pthread_mutex_destroy(&s->mutex); /* as above */
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: progress
 *
 * A thread draws what others count, so that work never waits for a slow terminal.  Nothing is drawn in the first
 * moment: what is quick leaves no trace.
 */
#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/format/table.h"

#define FIRST_MS 200
#define STEP_MS 100
#define BAR_MAX 40 /* columns */
#define LINE_MAX_BYTES 256

static unsigned columns(void)
{
	struct winsize w = { 0 };

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
}

/* "Loading  [=====>    ] 12.3MB / 45MB  10MB/s" */
static void draw(const struct cli_progress *p)
{
	uint64_t done = atomic_load(&p->meter.done), total = atomic_load(&p->meter.total);
	int64_t ns = time_now_ns() - p->begun;
	char have[32], all[32], rate[32], bar[BAR_MAX + 1], line[LINE_MAX_BYTES];
	unsigned width = columns(), n;
	int len;

	if (done > total && total > 0)
		done = total;
	cli_size((int64_t) done, have);
	cli_size((int64_t) total, all);
	cli_size(ns > 0 ? (int64_t) ((double) done * 1e9 / (double) ns) : 0, rate);
	len = total > 0 ? snprintf(line, sizeof(line), " %s / %s  %s/s", have, all, rate)
			: snprintf(line, sizeof(line), " %s  %s/s", have, rate);
	n = (unsigned) (strlen(p->what) + (size_t) len + 4);
	width = width > n ? width - n : 0;
	width = width > BAR_MAX ? BAR_MAX : width;
	memset(bar, ' ', sizeof(bar));
	bar[width] = '\0';
	for (unsigned i = 0; total > 0 && i < width && i <= done * width / total; i++)
		bar[i] = i == done * width / total ? '>' : '=';
	fprintf(stderr, "\r\033[K%s%s%s", p->color ? "\033[1m" : "", p->what,
		p->color ? "\033[0m" : "");
	if (total > 0 && width > 4)
		fprintf(stderr, " [%s%s%s]", p->color ? "\033[32m" : "", bar,
			p->color ? "\033[0m" : "");
	fprintf(stderr, "%s", line);
	fflush(stderr);
}

static void *show(void *data)
{
	struct cli_progress *p = data;
	int64_t wait = FIRST_MS * 1000000ll;

	(void) pthread_mutex_lock(&p->mutex); /* these fail for bad objects only */
	while (!p->stop) {
		int64_t until = time_now_ns() + wait;
		struct timespec ts = { until / 1000000000, until % 1000000000 };

		(void) pthread_cond_timedwait(&p->wake, &p->mutex, &ts);
		wait = STEP_MS * 1000000ll;
		if (!p->stop)
			draw(p);
	}
	if (time_now_ns() - p->begun > FIRST_MS * 1000000ll)
		fputs("\r\033[K", stderr);
	(void) pthread_mutex_unlock(&p->mutex); /* as above */
	return NULL;
}

void cli_progress_start(struct cli_progress *p, const char *what, bool quiet)
{
	const char *term = getenv("TERM"), *color = getenv("NO_COLOR");

	*p = (struct cli_progress) { .what = what, .begun = time_now_ns(),
				     .color = color == NULL || *color == '\0' };
	(void) pthread_mutex_init(&p->mutex, NULL); /* never fails */
	(void) pthread_cond_init(&p->wake, NULL); /* as above */
	if (quiet || !isatty(STDERR_FILENO) || term == NULL || strcmp(term, "dumb") == 0)
		return;
	p->shown = pthread_create(&p->thread, NULL, show, p) == 0;
}

void cli_progress_stop(struct cli_progress *p)
{
	if (p->shown) {
		(void) pthread_mutex_lock(&p->mutex); /* as above */
		p->stop = true;
		(void) pthread_cond_signal(&p->wake); /* as above */
		(void) pthread_mutex_unlock(&p->mutex); /* as above */
		(void) pthread_join(p->thread, NULL); /* as above */
	}
	(void) pthread_cond_destroy(&p->wake); /* as above */
	(void) pthread_mutex_destroy(&p->mutex); /* as above */
}

/* SPDX-License-Identifier: MIT */
#include "cli/commit_config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/opt.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/health.h"

#define NS_PER_MS 1000000

struct writer {
	struct arena *a;
	struct img_words *to;
	int r;
};

static void add(struct writer *w, const struct str *line)
{
	if (w->r == 0)
		w->r = line->failed ? -ENOMEM : eng_words_add(w->a, w->to, line->p);
}

/* One word, whatever is in it: NAME 'WORD' */
static void add_quoted(struct writer *w, const char *instruction, const char *word)
{
	_cleanup_(str_fini) struct str line = { 0 };

	str_printf(&line, "%s '", instruction);
	for (; *word != '\0'; word++)
		if (*word == '\'')
			str_puts(&line, "'\\''");
		else
			str_add(&line, word, 1);
	str_puts(&line, "'");
	add(w, &line);
}

static void add_list(struct writer *w, const char *instruction, const char *const *words, size_t n)
{
	_cleanup_(str_fini) struct str line = { 0 }, list = { 0 };

	json_texts(&list, NULL, words, n);
	str_printf(&line, "%s %s", instruction, list.failed ? "" : list.p);
	add(w, list.failed ? &list : &line);
}

/* NAME=VALUE; one whose name has a blank cannot be said */
static void add_pairs(struct writer *w, const char *instruction, const struct img_words *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i][strcspn(list->v[i], "= \t")] == '=')
			add_quoted(w, instruction, list->v[i]);
}

static void add_env(struct writer *w, const struct eng_config *c)
{
	struct img_words given = { 0 };

	for (size_t i = 0; w->r == 0 && i < c->env.n; i++)
		if (eng_env_is_given(c, c->env.v[i]))
			w->r = eng_words_add(w->a, &given, c->env.v[i]);
	add_pairs(w, "ENV", &given);
}

static void add_time(struct str *line, const char *option, uint64_t ns)
{
	if (ns != 0 && ns != ENG_HEALTH_NEVER)
		str_printf(line, " --%s=%" PRIu64 "ms", option, ns / NS_PER_MS);
}

static void add_health(struct writer *w, const struct eng_config *c)
{
	_cleanup_(str_fini) struct str line = { 0 };

	str_puts(&line, "HEALTHCHECK");
	add_time(&line, "interval", c->health_interval);
	add_time(&line, "timeout", c->health_timeout);
	add_time(&line, "start-period", c->health_start_period);
	add_time(&line, "start-interval", c->health_start_interval);
	if (c->health_retries != 0)
		str_printf(&line, " --retries=%" PRIu64, c->health_retries);
	str_puts(&line, " CMD");
	if (strcmp(c->health.v[0], "CMD") == 0) {
		w->r = line.failed ? -ENOMEM : w->r;
		add_list(w, line.failed ? "" : line.p, c->health.v + 1, c->health.n - 1);
		return;
	}
	str_printf(&line, " %s", c->health.v[1]);
	add(w, &line);
}

static bool has_entrypoint(const struct opt_strings *changes)
{
	static const char word[] = "ENTRYPOINT";

	for (size_t i = 0; i < changes->n; i++)
		if (strncasecmp(changes->v[i], word, strlen(word)) == 0)
			return true;
	return false;
}

int commit_config(const struct eng_config *c, const struct opt_strings *changes, struct arena *a,
		  struct img_words *ret, struct err *err)
{
	struct writer w = { a, ret, 0 };

	add_env(&w, c);
	add_pairs(&w, "LABEL", &c->labels);
	for (size_t i = 0; i < c->expose.n; i++)
		add_quoted(&w, "EXPOSE", c->expose.v[i]);
	for (size_t i = 0; i < c->nr_mounts; i++)
		if (c->mounts[i].anonymous)
			add_list(&w, "VOLUME", &c->mounts[i].destination, 1);
	if (c->user != NULL && *c->user != '\0')
		add_quoted(&w, "USER", c->user);
	if (c->workdir != NULL && *c->workdir != '\0')
		add_quoted(&w, "WORKDIR", c->workdir);
	if (c->stop_signal != NULL)
		add_quoted(&w, "STOPSIGNAL", c->stop_signal);
	if (eng_health_wanted(c))
		add_health(&w, c);
	else if (c->health.n > 0)
		w.r = w.r < 0 ? w.r : eng_words_add(a, ret, "HEALTHCHECK NONE");
	if (!has_entrypoint(changes)) {
		add_list(&w, "ENTRYPOINT", c->entrypoint.v, c->entrypoint.n);
		add_list(&w, "CMD", c->cmd.v, c->cmd.n);
	}
	for (size_t i = 0; w.r == 0 && i < changes->n; i++)
		w.r = eng_words_add(a, ret, changes->v[i]);
	return w.r < 0 ? err_set(err, w.r, "describe the image") : 0;
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: reading a log from the systemd journal
 *
 * The format of journal files belongs to systemd, so its journalctl reads them and prints one JSON
 * object per entry.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "engine/instance.h"
#include "engine/log_entry.h"
#include "engine/log_internal.h"
#include "engine/log_lines.h"
#include "engine/log_read.h"
#include "sys/proc.h"

#define QUIET_NS 300000000ll /* after the end of an instance, the journal has told everything then */
#define BYTES_MAX 65536 /* of a message in an array of numbers */

extern char **environ;

struct journal {
	const struct eng_log_query *q;
	const struct eng_log_taker *taker;
	struct eng_log_lines lines;
	pid_t pid;
};

/* Text that is no UTF-8 is an array of bytes. */
static bool read_message(struct json_in *in, const struct json *message, struct str *ret)
{
	uint64_t byte;

	if (message == NULL)
		return false;
	if (message->kind == JSON_KIND_STRING) {
		str_add(ret, message->text, message->len);
		return true;
	}
	if (message->kind != JSON_KIND_ARRAY || message->len > BYTES_MAX)
		return false;
	for (const struct json *j = message->first; j != NULL; j = j->next) {
		char c;

		if (!json_to_u64(in, j, 255, &byte))
			return false;
		c = (char) byte;
		str_add(ret, &c, 1);
	}
	return true;
}

/* Return: false when the object is no entry of ours. */
static bool read_entry(struct json_in *in, struct str *text, struct eng_log_entry *ret)
{
	const char *priority, *partial, *time;
	uint64_t us = 0;

	if (!read_message(in, json_get(in, in->root, "MESSAGE"), text))
		return false;
	priority = json_get_str(in, in->root, "PRIORITY");
	partial = json_get_str(in, in->root, "CONTAINER_PARTIAL_MESSAGE");
	time = json_get_str(in, in->root, "__REALTIME_TIMESTAMP");
	if (in->code < 0 || time == NULL || str_to_u64(time, &us) < 0 || us > INT64_MAX / 1000)
		return false;
	if (partial == NULL || strcmp(partial, "true") != 0)
		str_puts(text, "\n");
	*ret = (struct eng_log_entry) {
		.text = text->p != NULL ? text->p : "",
		.n = text->len,
		.error = priority != NULL && strcmp(priority, "3") == 0,
		.time = (int64_t) us * 1000,
	};
	return !text->failed;
}

static int give_line(const struct journal *j, const char *line, size_t n)
{
	_cleanup_(arena_fini) struct arena strings = { 0 };
	_cleanup_(str_fini) struct str text = { 0 };
	struct eng_log_entry entry;
	struct json_in in;
	int r = json_parse(&in, "journal", &strings, line, n, NULL) == 0 &&
				in.root->kind == JSON_KIND_OBJECT && read_entry(&in, &text, &entry)
			? eng_log_give(j->q, j->taker, &entry)
			: 0;

	json_fini(&in);
	return r;
}

/* Return: 0 nothing now; 1 nothing any more; -errno. */
static int give_lines(struct journal *j)
{
	const char *line;
	size_t n;
	int r;

	while ((r = eng_log_lines_next(&j->lines, &line, &n)) == 1) {
		r = give_line(j, line, n);
		if (r != 0)
			return r;
	}
	return r == -EAGAIN ? 0 : r == 0 ? 1 : r;
}

static int start(struct journal *j, const struct eng_instance *i, struct err *err)
{
	char match[32 + ENG_ID_LEN], tail[32], since[48];
	char *argv[12] = { "journalctl", "--quiet", "--no-pager", "--all", "--output=json", match };
	posix_spawn_file_actions_t actions;
	int pipes[2], n = 6, r;

	(void) snprintf(match, sizeof(match), "CONTAINER_ID_FULL=%s", i->id);
	(void) snprintf(tail, sizeof(tail), "--lines=%llu", (unsigned long long) j->q->tail);
	(void) snprintf(since, sizeof(since), "--since=@%lld", (long long) j->q->since / 1000000000);
	if (j->q->tail != ENG_LOG_ALL)
		argv[n++] = tail;
	else if (j->q->follow)
		argv[n++] = "--no-tail";
	if (j->q->since > 0)
		argv[n++] = since;
	if (j->q->follow)
		argv[n++] = "--follow";
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_set(err, -errno, "create a pipe");
	r = -posix_spawn_file_actions_init(&actions);
	if (r == 0) {
		r = -posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
		if (r == 0)
			r = -posix_spawnp(&j->pid, "journalctl", &actions, NULL, argv, environ);
		(void) posix_spawn_file_actions_destroy(&actions); /* memory */
	}
	(void) close(pipes[1]); /* the other side has it */
	if (r == 0)
		r = eng_log_lines_init(&j->lines, pipes[0]);
	else
		(void) close(pipes[0]); /* empty */
	return r < 0 ? err_set(err, r, "run journalctl, which reads the journal") : 0;
}

/* What was sent before is in the journal's files afterwards. */
static void sync_journal(void)
{
	char *argv[] = { "journalctl", "--quiet", "--sync", NULL };
	pid_t pid;

	if (posix_spawnp(&pid, "journalctl", NULL, NULL, argv, environ) == 0)
		(void) proc_wait(pid); /* only makes it quicker */
}

/* Until the instance has ended and the journal is quiet. */
static int follow(struct journal *j, struct eng_log_watch *w, struct err *err)
{
	int64_t end = 0; /* of waiting for what is still to come */
	int r;

	if (fcntl(j->lines.fd, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, -errno, "read the journal");
	while ((r = give_lines(j)) == 0 && (r = j->taker->idle(j->taker->data)) == 0) {
		if (end != 0 && time_now_ns() >= end)
			return 0;
		if (w->ended && end == 0) {
			sync_journal();
			end = time_now_ns() + QUIET_NS;
		}
		r = eng_log_watch_wait(w, j->lines.fd, end != 0 ? end : j->q->until, err);
		if (r < 0)
			break;
		if (j->q->until != 0 && time_now_ns() > j->q->until && end == 0)
			end = time_now_ns() + QUIET_NS;
	}
	return r == 1 ? 0 : r;
}

int eng_log_read_journal(struct engine *e, const struct eng_instance *i,
			 const struct eng_log_query *q, const struct eng_log_taker *taker,
			 struct err *err)
{
	struct journal j = { .q = q, .taker = taker, .lines = { .fd = -EBADF } };
	struct eng_log_watch watch = { .fd = -EBADF };
	int r = q->follow ? eng_log_watch_init(&watch, e, i, err) : 0;

	if (r == 0)
		r = start(&j, i, err);
	if (r == 0)
		r = q->follow ? follow(&j, &watch, err) : give_lines(&j);
	if (r >= 0)
		r = taker->idle(taker->data);
	eng_log_watch_fini(&watch);
	eng_log_lines_fini(&j.lines); /* journalctl ends when it has nobody to write to */
	if (j.pid > 0) {
		(void) kill(j.pid, SIGTERM); /* it may have ended */
		(void) proc_wait(j.pid); /* what it could not do, it said itself */
	}
	return r;
}

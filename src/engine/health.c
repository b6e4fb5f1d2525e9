/* SPDX-License-Identifier: MIT */
/**
 * DOC: health checks
 *
 * A process beside the monitor runs the command every interval, as `exec` would, and notes the result in
 * the row and in a file.  It ends with the instance; if it is killed the state stays as it was.
 */
#include "engine/health.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/exec.h"
#include "engine/health_record.h"
#include "engine/instance.h"
#include "engine/monitor/protocol.h"
#include "engine/stop.h"
#include "sys/proc.h"

#define SECOND 1000000000ull
#define INTERVAL (30 * SECOND)
#define TIMEOUT (30 * SECOND)
#define START_INTERVAL (5 * SECOND)
#define RETRIES 3
#define TIMED_OUT (-1) /* exit code in the results, as Docker's */

struct health {
	struct engine *e;
	const struct eng_instance *i;
	const struct eng_config *c;
	struct eng_exec exec;
	struct arena arena;
	struct health_record record;
};

bool eng_health_wanted(const struct eng_config *config)
{
	return config->health.n > 1 && strcmp(config->health.v[0], "NONE") != 0;
}

static uint64_t given(uint64_t value, uint64_t fallback)
{
	return value != 0 ? value : fallback;
}

/* Run a verb of this program on the instance, in a process of its own; without @wait nobody waits for that. */
static int run_verb(struct engine *e, char *const argv[], bool wait, struct err *err)
{
	char *const env[] = { NULL };
	pid_t pid = proc_clone(0, SIGCHLD, -EBADF, NULL);

	if (pid < 0)
		return err_set(err, pid, "create a process");
	if (pid > 0) {
		(void) proc_wait(pid); /* without @wait it is gone at once */
		return 0;
	}
	if (!wait && proc_clone(0, SIGCHLD, -EBADF, NULL) != 0)
		_exit(0);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		(void) dup2(null, fd);
	(void) setsid();
	if (null < 0 || chdir("/") < 0 || proc_cloexec_from(STDERR_FILENO + 1) < 0)
		_exit(125);
	(void) fexecve(e->program, argv, env);
	_exit(126);
}

int eng_health_begin(struct engine *e, const struct eng_instance *i, const struct eng_config *config,
		     struct err *err)
{
	char *const argv[] = { "cleave", "--root",   e->root,          "--runroot", e->runroot,
			       "_health", e->monitor, (char *) i->id, NULL };
	char path[ENG_ID_LEN + 48];
	int r = db_run(e->db, err,
		       "UPDATE instance SET health = 'starting' WHERE id = ? AND state = 'running'",
		       "s", i->id);

	if (r < 0)
		return r;
	(void) snprintf(path, sizeof(path), "instances/%.64s/" ENG_HEALTH_FILE, i->id);
	(void) unlinkat(e->root_fd, path, 0); /* of its last run */
	return config->health_interval != ENG_HEALTH_NEVER ? run_verb(e, argv, false, err) : 0;
}

/* "CMD" and its words, or "CMD-SHELL" and a line for sh */
static int make_command(struct health *h)
{
	const struct img_words *test = &h->c->health;
	bool shell = strcmp(test->v[0], "CMD-SHELL") == 0;
	int r = 0;

	if (shell) {
		r = eng_words_add(&h->arena, &h->exec.args, "/bin/sh");
		if (r == 0)
			r = eng_words_add(&h->arena, &h->exec.args, "-c");
	}
	for (size_t n = 1; r == 0 && n < test->n; n++)
		r = eng_words_add(&h->arena, &h->exec.args, test->v[n]);
	return r;
}

/* Return: true when the check has ended; result->code is set. */
static bool take_record(int sock, struct health_result *result)
{
	char record[1 + MON_DATA_MAX];
	ssize_t n = recv(sock, record, sizeof(record), 0);
	size_t room = HEALTH_OUTPUT_MAX - result->len;
	struct mon_exit x;

	if (n <= 0)
		return true;
	if (record[0] == MON_EXIT && n >= (ssize_t) sizeof(x)) {
		memcpy(&x, record, sizeof(x));
		result->code = x.code;
		return true;
	}
	if (record[0] != MON_STDOUT && record[0] != MON_STDERR)
		return false;
	if ((size_t) n - 1 < room)
		room = (size_t) n - 1;
	memcpy(result->output + result->len, record + 1, room);
	result->len += room;
	return false;
}

static void wait_for_result(int sock, uint64_t timeout, struct health_result *result)
{
	struct mon_signal kill = { MON_SIGNAL, SIGKILL };
	int64_t deadline = time_now_ns() + (int64_t) timeout;

	for (;;) {
		int64_t left = (deadline - time_now_ns() + 999999) / 1000000;

		if (left <= 0)
			break;
		if (poll(&(struct pollfd) { .fd = sock, .events = POLLIN }, 1,
			 left < INT32_MAX ? (int) left : INT32_MAX) == 1 &&
		    take_record(sock, result))
			return;
	}
	(void) send(sock, &kill, sizeof(kill), MSG_NOSIGNAL); /* it may have ended just now */
	result->code = TIMED_OUT;
	result->len = (size_t) snprintf(result->output, sizeof(result->output),
					"Health check exceeded timeout (%llu ms)",
					(unsigned long long) (timeout / 1000000));
}

/* Return: false when the instance does not run any more. */
static bool check(struct health *h, struct health_result *ret)
{
	_cleanup_close_ int client = -EBADF;
	struct err why = { 0 };
	int r;

	ret->code = TIMED_OUT;
	ret->len = 0;
	time_rfc3339(time_now_ns(), ret->start);
	r = eng_exec(h->e, h->i, &h->exec, true, &client, &why);
	if (r == -ESRCH || r == -ENOENT)
		if (eng_pid(h->e, h->i) < 0)
			return false;
	if (r < 0)
		ret->len = (size_t) snprintf(ret->output, sizeof(ret->output), "%s", why.text);
	else
		wait_for_result(client, given(h->c->health_timeout, TIMEOUT), ret);
	time_rfc3339(time_now_ns(), ret->end);
	ret->output[ret->len] = '\0';
	return true;
}

static void set_status(struct health *h, const char *status)
{
	char action[64];

	if (strcmp(h->record.status, status) == 0)
		return;
	h->record.status = status;
	(void) db_run(h->e->db, NULL,
		      "UPDATE instance SET health = ? WHERE id = ? AND state = 'running'", "ss",
		      status, h->i->id); /* tried again with the next change */
	(void) snprintf(action, sizeof(action), "health_status: %s", status);
	eng_event_of(h->e, h->i, action, NULL, NULL);
}

/*
 * Regular checks and those by hand are noted one after the other.  Failures while it starts do not count.
 * Return: a failure of one that is unhealthy.
 */
static bool note(struct health *h, const struct health_result *result, int64_t begin)
{
	bool starting = time_now_ns() - begin < (int64_t) h->c->health_start_period;
	struct health_record *r = &h->record;

	_cleanup_close_ int dir = eng_instance_dir(h->e, h->i, NULL);
	if (dir < 0 || flock(dir, LOCK_EX) < 0)
		return false; /* it is being removed */
	health_record_read(dir, r);
	health_record_add(r, result);
	if (result->code == 0) {
		r->failures = 0;
		set_status(h, "healthy");
	} else if (!starting || strcmp(r->status, "starting") != 0) {
		r->failures++;
		if (r->failures >= given(h->c->health_retries, RETRIES))
			set_status(h, "unhealthy");
	}
	health_record_write(dir, r);
	return result->code != 0 && strcmp(r->status, "unhealthy") == 0;
}

/* --health-on-failure */
static void react(struct health *h, bool wait)
{
	const char *verb = h->c->health_on_failure;
	char *const argv[] = { "cleave", "--root", h->e->root, "--runroot", h->e->runroot,
			       "_unhealthy", h->e->monitor, (char *) verb, (char *) h->i->id,
			       NULL };

	if (verb != NULL)
		(void) run_verb(h->e, argv, wait, NULL); /* with the next failure again */
}

static bool is_paused(struct health *h)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance now;

	return eng_instance_find(h->e, h->i->id, &arena, &now, NULL) == 0 && now.paused;
}

static void loop(struct health *h, int pidfd)
{
	struct health_result result;
	int64_t begin = time_now_ns();

	for (;;) {
		bool starting = time_now_ns() - begin < (int64_t) h->c->health_start_period;
		uint64_t pause = given(h->c->health_interval, INTERVAL);

		if (starting && strcmp(h->record.status, "starting") == 0 &&
		    given(h->c->health_start_interval, START_INTERVAL) < pause)
			pause = given(h->c->health_start_interval, START_INTERVAL);
		pause = (pause + 999999) / 1000000;
		if (poll(&(struct pollfd) { .fd = pidfd, .events = POLLIN }, 1,
			 pause < INT32_MAX ? (int) pause : INT32_MAX) != 0)
			return;
		if (is_paused(h))
			continue;
		if (!check(h, &result))
			return;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			; /* monitors of checks, which end a little later */
		if (note(h, &result, begin))
			react(h, false); /* the verb ends this process with the instance */
	}
}

int eng_health_check(struct engine *e, const struct eng_instance *i, struct err *err)
{
	_cleanup_free_ struct health *h = calloc(1, sizeof(*h));
	struct health_result result;
	struct eng_config config;
	int r;

	if (h == NULL)
		return err_set(err, -ENOMEM, "check the health of '%s'", i->name);
	r = eng_instance_config(e, i, &config, err);
	if (r < 0)
		return r;
	h->e = e;
	h->i = i;
	h->c = &config;
	r = eng_health_wanted(&config) ? make_command(h) : -ENOENT;
	if (r == -ENOENT)
		r = err_msg(err, -ENOENT, "instance '%s' has no health check", i->name);
	else if (r < 0)
		r = err_set(err, r, "check the health of '%s'", i->name);
	else if (!check(h, &result))
		r = err_msg(err, -ESRCH, "instance '%s' is not running: see 'cleave start'",
			    i->name);
	if (r == 0 && note(h, &result, i->started))
		react(h, true);
	arena_fini(&h->arena);
	eng_config_fini(&config);
	return r < 0 ? r : result.code != 0;
}

int eng_health_run(struct engine *e, const struct eng_instance *i, struct err *err)
{
	_cleanup_free_ struct health *h = calloc(1, sizeof(*h));
	struct eng_config config;
	int r, pid = eng_pid(e, i);

	if (h == NULL)
		return err_set(err, -ENOMEM, "check the health of '%s'", i->name);
	if (pid < 0)
		return 0;
	_cleanup_close_ int pidfd = proc_pidfd_open(pid);
	if (pidfd < 0)
		return 0;
	r = eng_instance_config(e, i, &config, err);
	if (r < 0)
		return r;
	h->e = e;
	h->i = i;
	h->c = &config;
	h->record.status = "starting";
	r = make_command(h);
	if (r == 0)
		loop(h, pidfd);
	arena_fini(&h->arena);
	eng_config_fini(&config);
	return r < 0 ? err_set(err, r, "check the health of '%s'", i->name) : 0;
}

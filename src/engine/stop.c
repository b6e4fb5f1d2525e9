/* SPDX-License-Identifier: MIT */
#include "engine/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/instance.h"
#include "engine/internal.h"
#include "oci/lifecycle.h"
#include "sys/proc.h"

#define PID_FILE_MAX 32 /* bytes */
#define KILLED_WAIT_MS 10000
#define THAW_MS 250 /* how often a killed one is thawed, which somebody may have frozen just before */
#define STEP_MS 1
#define NS_PER_MS 1000000
#define NS_PER_S 1000000000
#define ENDING_MS 3000
#define LOST_CODE 137

int eng_stop_mark(struct engine *e, const char *id)
{
	char path[ENG_ID_LEN + 16];

	(void) snprintf(path, sizeof(path), "%.64s/stop", id);
	_cleanup_close_ int fd = openat(e->run_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : 0;
}

bool eng_stop_marked(struct engine *e, const char *id)
{
	char path[ENG_ID_LEN + 16];

	(void) snprintf(path, sizeof(path), "%.64s/stop", id);
	return faccessat(e->run_fd, path, F_OK, 0) == 0;
}

int eng_pid(struct engine *e, const struct eng_instance *i)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[ENG_ID_LEN + 16];
	long pid;

	(void) snprintf(path, sizeof(path), "%.64s/pid", i->id);
	if (file_read(e->run_fd, path, PID_FILE_MAX, &text) < 0)
		return -ESRCH;
	pid = strtol(text.p != NULL ? text.p : "", NULL, 10);
	return pid > 0 && pid <= INT_MAX ? (int) pid : -ESRCH;
}

bool eng_has_ended(struct engine *e, const struct eng_instance *i, int pid, struct err *err)
{
	_cleanup_close_ int pidfd = pid > 0 ? proc_pidfd_open(pid) : -ESRCH;

	/* its namespaces go before its first process does, and their file systems are written to disk */
	bool soon = err != NULL && (err->code == -ESRCH || err->code == -EPIPE);

	if (pidfd >= 0 && pid == eng_pid(e, i) &&
	    poll(&(struct pollfd) { .fd = pidfd, .events = POLLIN }, 1, soon ? ENDING_MS : 0) == 0)
		return false;
	(void) err_msg(err, -ESRCH, "instance '%s' is not running any more, or not yet", i->name);
	return true;
}

static int left_ms(int64_t deadline)
{
	int64_t ms = deadline < 0 ? INT_MAX : (deadline - time_now_ns()) / NS_PER_MS;

	return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int) ms;
}

/* @deadline: ns since 1970, -1 for never */
static int wait_gone(struct engine *e, const struct eng_instance *i, int64_t deadline)
{
	int pid = eng_pid(e, i), r;
	_cleanup_close_ int pidfd = pid > 0 ? proc_pidfd_open(pid) : -ESRCH;

	if (pidfd >= 0)
		(void) poll(&(struct pollfd) { .fd = pidfd, .events = POLLIN }, 1,
			    deadline < 0 ? -1 : left_ms(deadline));
	while ((r = eng_lock_shared(e, i->id)) == -EBUSY && left_ms(deadline) > 0)
		(void) poll(NULL, 0, STEP_MS);
	return r == -EBUSY ? -ETIMEDOUT : r;
}

int eng_wait_gone(struct engine *e, const struct eng_instance *i, int64_t timeout_ms)
{
	return wait_gone(e, i, timeout_ms < 0 ? -1 : time_now_ns() + timeout_ms * NS_PER_MS);
}

static bool is_alive(struct engine *e, const struct eng_instance *i)
{
	int pid = eng_pid(e, i);
	_cleanup_close_ int pidfd = pid > 0 ? proc_pidfd_open(pid) : -ESRCH;

	return pidfd >= 0 && poll(&(struct pollfd) { .fd = pidfd, .events = POLLIN }, 1, 0) == 0;
}

bool eng_kill_note(struct engine *e, const struct eng_instance *i, int signal)
{
	char number[16];

	if (!is_alive(e, i))
		return false;
	(void) snprintf(number, sizeof(number), "%d", signal);
	eng_event_of(e, i, "kill", NULL, (const char *const[]) { "signal", number, NULL });
	return true;
}

static const struct eng_backend *backend(const struct eng_instance *i, struct err *err)
{
	const struct eng_backend *b = eng_backend_find(i->isolation);

	if (b == NULL)
		(void) err_msg(err, -EINVAL, "instance '%s' has the unknown isolation '%s'",
			       i->name, i->isolation);
	return b;
}

static int configured(struct engine *e, const struct eng_instance *i, int *signal, int64_t *timeout,
		      struct err *err)
{
	struct eng_config config;
	int r = eng_instance_config(e, i, &config, err);

	if (r < 0)
		return r;
	if (*signal == 0 && config.stop_signal != NULL)
		*signal = oci_signal_parse(config.stop_signal);
	if (*signal <= 0)
		*signal = SIGTERM;
	if (*timeout == ENG_STOP_DEFAULT)
		*timeout = config.stop_timeout;
	eng_config_fini(&config);
	return 0;
}

/* A frozen process gets its signals when it thaws; somebody may have frozen it since we looked. */
static void deliver(struct engine *e, const struct eng_backend *b, const struct eng_instance *i,
		    int signal)
{
	(void) eng_kill_note(e, i, signal);
	(void) b->kill(e, i->id, signal, NULL); /* it may have ended */
	if (i->paused || signal == SIGKILL)
		(void) b->pause(e, i->id, false, NULL);
}

int eng_stop_begin(struct engine *e, const struct eng_instance *i, int signal, int64_t timeout,
		   int64_t *ret_deadline, struct err *err)
{
	const struct eng_backend *b = backend(i, err);
	int r = eng_lock_shared(e, i->id);

	if (b == NULL)
		return -EINVAL;
	if (r == 0)
		r = eng_reconcile_one(e, i->id, err);
	if (r != -EBUSY)
		return r < 0 ? r : 1;
	r = configured(e, i, &signal, &timeout, err);
	if (r < 0)
		return r;
	r = eng_stop_mark(e, i->id);
	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "stop instance '%s'", i->name);
	deliver(e, b, i, signal);
	*ret_deadline = timeout < 0 ? -1 : time_now_ns() + timeout * NS_PER_S;
	return 0;
}

void eng_stop_kill(struct engine *e, const struct eng_instance *i, int64_t deadline)
{
	const struct eng_backend *b = backend(i, NULL);

	if (b != NULL && wait_gone(e, i, deadline) == -ETIMEDOUT)
		deliver(e, b, i, SIGKILL);
}

int eng_stop_end(struct engine *e, const struct eng_instance *i, struct err *err)
{
	const struct eng_backend *b = backend(i, err);
	int r = b == NULL ? -EINVAL : -ETIMEDOUT;

	for (int ms = 0; r == -ETIMEDOUT && ms < KILLED_WAIT_MS; ms += THAW_MS) {
		r = eng_wait_gone(e, i, THAW_MS);
		if (r == -ETIMEDOUT)
			(void) b->pause(e, i->id, false, NULL);
	}
	if (r == -ETIMEDOUT)
		return err_msg(err, r, "instance '%s' has not ended %d s after it was killed, or was started again: see 'cleave top %s'",
			       i->name, KILLED_WAIT_MS / 1000, i->name);
	if (r < 0)
		return b == NULL ? r : err_set(err, r, "wait for the end of instance '%s'", i->name);
	eng_event_of(e, i, "stop", NULL, NULL);
	return 0;
}

int eng_stop_forget(struct engine *e, const struct eng_instance *i, struct err *err)
{
	int r = db_run(e->db, err, "UPDATE instance SET stopped = 0 WHERE id = ?", "s", i->id);

	return r < 0 ? r : 0;
}

int eng_kill(struct engine *e, const struct eng_instance *i, int signal, struct err *err)
{
	const struct eng_backend *b = backend(i, err);
	int r;

	if (b == NULL)
		return -EINVAL;
	if (i->state != ENG_STATE_RUNNING || !eng_kill_note(e, i, signal))
		return err_msg(err, -ESRCH, "instance '%s' is not running", i->name);
	if (signal == SIGKILL || signal == SIGTERM)
		(void) eng_stop_mark(e, i->id); /* it may be gone */
	r = b->kill(e, i->id, signal, err);
	if (r == -ESRCH || r == -ENOENT)
		return err_msg(err, -ESRCH, "instance '%s' is not running", i->name);
	if (r < 0)
		return r;
	if (i->paused)
		(void) b->pause(e, i->id, false, NULL);
	return 0;
}

static int note_paused(struct engine *e, const struct eng_instance *i, bool paused, struct err *err)
{
	int r = db_run(e->db, err,
		       "UPDATE instance SET paused = ? WHERE id = ? AND state = 'running'", "is",
		       (int64_t) paused, i->id);

	return r < 0 ? r : 0;
}

/* What may be frozen is always noted so: a frozen instance that nobody knows of would hang its clients. */
int eng_pause(struct engine *e, const struct eng_instance *i, bool pause, struct err *err)
{
	const struct eng_backend *b = backend(i, err);
	int pid = eng_pid(e, i), r;

	if (b == NULL)
		return -EINVAL;
	if (i->state != ENG_STATE_RUNNING)
		return err_msg(err, -ESRCH, "instance '%s' is not running", i->name);
	if (i->paused == pause)
		return err_msg(err, -EALREADY, "instance '%s' is %s paused", i->name,
			       pause ? "already" : "not");
	r = pause ? note_paused(e, i, true, err) : b->pause(e, i->id, false, err);
	if (r == 0)
		r = pause ? b->pause(e, i->id, true, err) : note_paused(e, i, false, err);
	if (r < 0 && pause)
		(void) note_paused(e, i, false, NULL); /* it can be unpaused */
	if (r < 0)
		return eng_has_ended(e, i, pid, err) ? -ESRCH : r;
	eng_event_of(e, i, pause ? "pause" : "unpause", NULL, NULL);
	return 0;
}

/* The status of one that was removed when it ended */
static int removed_code(struct engine *e, const char *id, int *ret_code, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err, "SELECT exit_code FROM instance_exit WHERE id = ?", "s",
			 id);

	if (r == 0)
		r = db_next(rows, err);
	if (r < 0)
		return r;
	*ret_code = r == 1 ? (int) db_i64(rows, 0) : LOST_CODE;
	return 0;
}

/* Return: 1 it has ended with *ret_code; 0 not yet; -errno. */
static int has_ended(struct engine *e, const struct eng_instance *i, int *ret_code, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance now;
	int r = eng_instance_find(e, i->id, &arena, &now, err);

	if (r == -ENOENT) {
		r = removed_code(e, i->id, ret_code, err);
		return r < 0 ? r : 1;
	}
	if (r < 0 || (now.state == ENG_STATE_RUNNING && now.finished == i->finished))
		return r < 0 ? r : 0;
	*ret_code = now.exit_code;
	return 1;
}

int eng_wait(struct engine *e, const struct eng_instance *i, int *ret_code, struct err *err)
{
	int r, pid;

	while ((r = has_ended(e, i, ret_code, err)) == 0) {
		pid = eng_pid(e, i);
		_cleanup_close_ int pidfd = pid > 0 ? proc_pidfd_open(pid) : -ESRCH;

		if (pidfd >= 0)
			(void) poll(&(struct pollfd) { .fd = pidfd, .events = POLLIN }, 1, -1);
		else if (eng_lock_shared(e, i->id) == 0)
			r = eng_reconcile_one(e, i->id, err);
		if (r < 0)
			return r;
		(void) poll(NULL, 0, STEP_MS);
	}
	return r < 0 ? r : 0;
}

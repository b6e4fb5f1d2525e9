/* SPDX-License-Identifier: MIT */
/**
 * DOC: the end of an instance
 *
 * The order makes every step repeatable: first what runs, then files, then the row, last the directory
 * of the run root with the lock.  Whoever dies in between leaves a row that says "running" and a lock
 * nobody holds, which the next command finds and ends again; or only the directory, which it removes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/backend.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/internal.h"

#define LOST_CODE 137 /* its monitor died, so it was killed */
#define KILL_STEP_MS 5
#define KILL_WAIT_MS 10000
#define EXIT_FILE_MAX 128 /* bytes */

int eng_instance_started(struct engine *e, const char *id, struct err *err)
{
	int r = db_run(
		e->db, err,
		"UPDATE instance SET started = ? WHERE id = ? AND state = 'running' AND finished = 0",
		"is", time_now_ns(), id);

	return r < 0 ? r : 0;
}

static int stop_backend(struct engine *e, const struct eng_instance *i, struct err *err)
{
	const struct eng_backend *b = eng_backend_find(i->isolation);

	if (b == NULL)
		return err_msg(err, -EINVAL, "instance '%s' has the unknown isolation '%s'",
			       i->name, i->isolation);
	return b->stop(e, i->id, err);
}

static int remove_files(struct engine *e, const struct eng_instance *i, struct err *err)
{
	char path[ENG_ID_LEN + 32];
	int r;

	(void) snprintf(path, sizeof(path), "instances/%.64s", i->id);
	r = dir_remove(e->root_fd, path);
	return r < 0 ? err_set(err, r, "remove '%s/%s'", e->root, path) : 0;
}

static int remove_all(struct engine *e, const struct eng_instance *i, struct err *err)
{
	int r = remove_files(e, i, err);

	if (r == 0)
		r = db_run(e->db, err, "DELETE FROM instance WHERE id = ?", "s", i->id);
	if (r < 0)
		return r;
	eng_run_remove(e, i->id);
	return 0;
}

int eng_instance_failed(struct engine *e, const struct eng_instance *i, int exit_code,
			const char *why, struct err *err)
{
	int r = stop_backend(e, i, err);

	if (r < 0)
		return r;
	if (i->auto_remove)
		return remove_all(e, i, err);
	r = db_run(e->db, err,
		   "UPDATE instance SET state = 'created', exit_code = ?, error = ? WHERE id = ?",
		   "iss", (int64_t) exit_code, why, i->id);
	if (r < 0)
		return r;
	eng_run_remove(e, i->id);
	return 0;
}

int eng_instance_ended(struct engine *e, const struct eng_instance *i, int exit_code,
		       int64_t finished, struct err *err)
{
	int r = stop_backend(e, i, err);

	if (r < 0)
		return r;
	if (i->auto_remove)
		return remove_all(e, i, err);
	r = db_run(e->db, err,
		   "UPDATE instance SET state = 'exited', exit_code = ?, finished = ?, "
		   "started = max(started, created) WHERE id = ?",
		   "iis", (int64_t) exit_code, finished, i->id);
	if (r < 0)
		return r;
	eng_run_remove(e, i->id);
	return 0;
}

/* "CODE NANOSECONDS", written by the monitor.  Without it the instance was lost. */
static void read_exit(struct engine *e, const char *id, int *ret_code, int64_t *ret_finished)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[ENG_ID_LEN + 16];
	long long finished;

	*ret_code = LOST_CODE;
	*ret_finished = time_now_ns();
	(void) snprintf(path, sizeof(path), "%.64s/exit", id);
	if (file_read(e->run_fd, path, EXIT_FILE_MAX, &text) < 0)
		return;
	int code;
	if (sscanf(text.p, "%d %lld", &code, &finished) == 2 && code >= 0 && code <= 255) {
		*ret_code = code;
		*ret_finished = finished;
	}
}

/* The monitor died when its lock can be had. */
static int reconcile_one(struct engine *e, const char *id, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_close_ int lock = eng_lock_try(e, id, true);
	struct eng_instance i;
	int64_t finished;
	int code, r;

	if (lock < 0)
		return lock == -EBUSY || lock == -ENOENT
			       ? 0
			       : err_set(err, lock, "lock instance '%.12s'", id);
	r = eng_instance_find(e, id, &arena, &i, err);
	if (r == -ENOENT) { /* somebody was quicker, or it never got a row */
		eng_run_remove(e, id);
		return 0;
	}
	if (r < 0)
		return r;
	if (i.state != ENG_STATE_RUNNING) {
		eng_run_remove(e, id);
		return 0;
	}
	read_exit(e, id, &code, &finished);
	return eng_instance_ended(e, &i, code, finished, err);
}

/* Directories of the run root that belong to no row. */
static int reconcile_runroot(struct engine *e, struct err *err)
{
	int fd = openat(e->run_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	struct dirent *d;

	if (fd < 0)
		return err_set(err, -errno, "open '%s'", e->runroot);
	_cleanup_closedir_ DIR *dir = fdopendir(fd);
	if (dir == NULL)
		return err_set(err, -ENOMEM, "open '%s'", e->runroot);
	while (r == 0 && (d = readdir(dir)) != NULL)
		if (strlen(d->d_name) == ENG_ID_LEN)
			r = reconcile_one(e, d->d_name, err);
	return r;
}

int eng_instance_reconcile(struct engine *e, struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct dead {
		const char *id;
		struct dead *next;
	} *dead = NULL;
	int r = reconcile_runroot(e, err);

	/* what is left has no directory at all: the machine was started anew */
	if (r == 0)
		r = db_query(e->db, &rows, err, "SELECT id FROM instance WHERE state = 'running'",
			     "");
	while (r == 0 && (r = db_next(rows, err)) == 1) {
		struct dead *d = NULL;

		r = faccessat(e->run_fd, db_text(rows, 0), F_OK, 0) < 0 ? 1 : 0;
		if (r == 0)
			continue;
		d = arena_alloc(&arena, 1, sizeof(*d));
		if (d == NULL || (d->id = arena_strdup(&arena, db_text(rows, 0))) == NULL)
			return err_set(err, -ENOMEM, "look after the instances");
		d->next = dead;
		dead = d;
		r = 0;
	}
	for (; r == 0 && dead != NULL; dead = dead->next)
		r = reconcile_one(e, dead->id, err);
	return r;
}

/* Kill it until its monitor and the clean-up after it are gone. */
static int wait_for_lock(struct engine *e, const struct eng_instance *i, struct err *err)
{
	const struct eng_backend *b = eng_backend_find(i->isolation);
	struct timespec pause = { .tv_nsec = KILL_STEP_MS * 1000000L };
	int lock = -EBUSY;

	for (int ms = 0; b != NULL && lock == -EBUSY && ms < KILL_WAIT_MS; ms += KILL_STEP_MS) {
		(void) b->kill(e, i->id, SIGKILL, NULL); /* not yet or no longer there */
		(void) nanosleep(&pause, NULL);
		lock = eng_lock_try(e, i->id, true);
	}
	if (lock < 0 && lock != -ENOENT)
		return err_set(err, lock, "wait for the end of instance '%s'", i->name);
	return lock;
}

int eng_instance_remove(struct engine *e, const struct eng_instance *i, bool force, struct err *err)
{
	_cleanup_close_ int lock = eng_lock_try(e, i->id, true);
	int r;

	if (lock == -EBUSY && !force)
		return err_msg(err, -EBUSY,
			       "instance '%s' is running: stop it first, or use 'cleave rm -f'",
			       i->name);
	if (lock == -EBUSY)
		lock = wait_for_lock(e, i, err);
	if (lock < 0 && lock != -ENOENT)
		return err_set(err, lock, "lock instance '%.12s'", i->id);
	r = stop_backend(e, i, err);
	return r < 0 ? r : remove_all(e, i, err);
}

/* SPDX-License-Identifier: MIT */
/**
 * DOC: the end of an instance
 *
 * The order makes every step repeatable: first what runs, then files, then the row, last the directory
 * of the run root with the lock.  Whoever dies in between leaves a row that says "running" and a lock
 * nobody holds, which the next command finds and ends again; or only the directory, which it removes.
 *
 * A removal has begun for good when the instance's directory has another name: from there the next
 * command goes on.  Files go before the row because a full disk may have no room to change the database.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
#include "engine/net/attach.h"
#include "engine/net/network.h"
#include "engine/stop.h"
#include "engine/userns.h"
#include "engine/volume.h"

#define LOST_CODE 137 /* its monitor died, so it was killed */
#define KILL_STEP_MS 20
#define KILL_WAIT_MS 10000
#define CLEAN_UP_STEP_MS 1
#define CLEAN_UP_WAIT_MS 10000
#define EXIT_KEPT_NS (300ll * 1000000000) /* for those who wait for an instance that is removed when it ends */
#define EXIT_FILE_MAX 128 /* bytes */

/* All that it held of the host */
static int stop_backend(struct engine *e, const struct eng_instance *i, struct err *err)
{
	const struct eng_backend *b = eng_backend_find(i->isolation);
	int r;

	if (b == NULL)
		return err_msg(err, -EINVAL, "instance '%s' has the unknown isolation '%s'",
			       i->name, i->isolation);
	r = b->stop(e, i->id, err);
	return r == 0 ? eng_net_stop(e, i->id, err) : r;
}

static int remove_files(struct engine *e, const char *id, struct err *err)
{
	char path[ENG_ID_LEN + 32], gone[ENG_ID_LEN + 32];
	int r;

	(void) snprintf(path, sizeof(path), "instances/%.64s", id);
	(void) snprintf(gone, sizeof(gone), "instances/.%.64s", id);
	r = renameat(e->root_fd, path, e->root_fd, gone) < 0 && errno != ENOENT ? -errno : 0;
	if (r == 0)
		r = dir_remove(e->root_fd, gone);
	return r < 0 ? err_set(err, r, "remove '%s/%s'", e->root, path) : 0;
}

static bool has_files(struct engine *e, const char *id)
{
	char path[ENG_ID_LEN + 32];

	(void) snprintf(path, sizeof(path), "instances/%.64s", id);
	return faccessat(e->root_fd, path, F_OK, 0) == 0;
}

/* Who waits for it finds the exit status in table instance_exit for a while. */
static int remove_row(struct engine *e, const struct eng_instance *i, int exit_code,
		      int64_t finished, struct err *err)
{
	int r = db_begin(e->db, err);

	if (r < 0)
		return r;
	r = db_run(e->db, err, "DELETE FROM instance WHERE id = ?", "s", i->id);
	if (r >= 0)
		r = eng_userns_drop(e, i->id, err);
	if (r >= 0 && finished != 0)
		r = db_run(e->db, err,
			   "INSERT OR REPLACE INTO instance_exit(id, exit_code, finished) VALUES(?, ?, ?)",
			   "sii", i->id, (int64_t) exit_code, finished);
	if (r >= 0 && finished != 0 && i->id[0] == '0') /* it reads the table: one in 16 does */
		r = db_run(e->db, err, "DELETE FROM instance_exit WHERE finished < ?", "i",
			   finished - EXIT_KEPT_NS);
	if (r < 0) {
		db_rollback(e->db);
		return r;
	}
	return db_commit(e->db, err);
}

/* @volumes: also those that nobody named */
static int remove_all(struct engine *e, const struct eng_instance *i, int exit_code,
		      int64_t finished, bool volumes, struct err *err)
{
	struct eng_config config = { 0 }; /* for the labels; damaged ones are removed, too */
	bool labelled = eng_instance_config(e, i, &config, NULL) == 0;
	int r = remove_files(e, i->id, err);

	if (r == 0)
		r = eng_volumes_drop(e, i->id, volumes, err);
	if (r == 0)
		r = remove_row(e, i, exit_code, finished, err);
	if (r == 0) {
		eng_run_remove(e, i->id);
		eng_event_of(e, i, "destroy", &config.labels, NULL);
	}
	if (labelled)
		eng_config_fini(&config);
	return r;
}

int eng_instance_failed(struct engine *e, const struct eng_instance *i, int exit_code,
			const char *why, struct err *err)
{
	int r = stop_backend(e, i, err);

	if (r < 0)
		return r;
	if (i->auto_remove)
		return remove_all(e, i, exit_code, time_now_ns(), true, err);
	r = db_run(e->db, err,
		   "UPDATE instance SET state = CASE finished WHEN 0 THEN 'created' ELSE 'exited' END,"
		   " exit_code = ?, error = ?, paused = 0, health = NULL WHERE id = ?",
		   "iss", (int64_t) exit_code, why, i->id);
	if (r < 0)
		return r;
	eng_run_remove(e, i->id);
	return 0;
}

static void note_end(struct engine *e, const struct eng_instance *i, int exit_code, bool oom)
{
	char code[16];

	(void) snprintf(code, sizeof(code), "%d", exit_code);
	if (oom)
		eng_event_of(e, i, "oom", NULL, NULL);
	eng_event_of(e, i, "die", NULL, (const char *const[]) { "exitCode", code, NULL });
}

int eng_instance_ended(struct engine *e, const struct eng_instance *i, int exit_code,
		       int64_t finished, struct err *err)
{
	const struct eng_backend *b = eng_backend_find(i->isolation);
	bool stopped = eng_stop_marked(e, i->id);
	bool oom = b != NULL && b->oom_killed(e, i->id);
	bool again = !stopped && !i->auto_remove && eng_restart_wanted(i, exit_code);
	int r = stop_backend(e, i, err);

	if (r < 0)
		return r;
	note_end(e, i, exit_code, oom);
	if (i->auto_remove)
		return remove_all(e, i, exit_code, finished, true, err);
	r = db_run(e->db, err,
		   "UPDATE instance SET state = ?, exit_code = ?, finished = ?, paused = 0, stopped = ?,"
		   " oom_killed = ?, health = NULL, backoff = ?, restarts = restarts + ? WHERE id = ?",
		   "siiiiiis", eng_state_name(again ? ENG_STATE_RESTARTING : ENG_STATE_EXITED),
		   (int64_t) exit_code, finished, (int64_t) stopped, (int64_t) oom,
		   again ? eng_restart_backoff(i, finished - i->started) : (int64_t) 0,
		   (int64_t) again, i->id);
	if (r < 0)
		return r;
	if (again)
		return 1;
	eng_run_remove(e, i->id);
	return 0;
}

/* It waited to be started again, and whoever would have done that died. */
static int given_up(struct engine *e, const struct eng_instance *i, struct err *err)
{
	int r = stop_backend(e, i, err);

	if (r == 0)
		r = db_run(e->db, err,
			   "UPDATE instance SET state = 'exited', backoff = 0 WHERE id = ?", "s",
			   i->id);
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

int eng_instance_forget(struct engine *e, const char *id, struct err *err)
{
	int r = remove_files(e, id, err);

	if (r == 0)
		r = eng_volumes_drop(e, id, true, err);
	if (r == 0)
		r = eng_userns_drop(e, id, err);
	if (r == 0)
		eng_run_remove(e, id);
	return r;
}

/* The monitor died when its lock can be had. */
int eng_reconcile_one(struct engine *e, const char *id, struct err *err)
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
	if (r == -ENOENT) /* somebody was quicker, or it never got a row */
		return eng_instance_forget(e, id, err);
	if (r < 0)
		return r;
	if (i.state == ENG_STATE_RESTARTING)
		return given_up(e, &i, err);
	if (i.state != ENG_STATE_RUNNING && !has_files(e, id)) /* who removed it died */
		return remove_all(e, &i, LOST_CODE, 0, i.auto_remove, err);
	if (i.state != ENG_STATE_RUNNING) {
		eng_run_remove(e, id);
		return 0;
	}
	read_exit(e, id, &code, &finished);
	r = eng_instance_ended(e, &i, code, finished, err);
	return r == 1 ? given_up(e, &i, err) : r; /* nobody here can wait */
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
			r = eng_reconcile_one(e, d->d_name, err);
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
		r = db_query(e->db, &rows, err, "SELECT id FROM instance WHERE state IN ('running', 'restarting')", "");
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
		r = eng_reconcile_one(e, dead->id, err);
	(void) eng_networks_repair(e, NULL); /* `system check` says what cannot be; instances run without names */
	return r;
}

void eng_instances_sweep(struct engine *e)
{
	int fd = openat(e->root_fd, "instances", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		const char *id = d->d_name + (d->d_name[0] == '.');
		_cleanup_(arena_fini) struct arena arena = { 0 };
		struct eng_instance i;

		if (strlen(id) == ENG_ID_LEN && eng_instance_find(e, id, &arena, &i, NULL) == -ENOENT)
			(void) eng_reconcile_one(e, id, NULL); /* or the next one does */
	}
}

/* Kill it until its monitor and the clean-up after it are gone. */
static int wait_for_lock(struct engine *e, const struct eng_instance *i, struct err *err)
{
	const struct eng_backend *b = eng_backend_find(i->isolation);
	int lock = -EBUSY;

	if (b == NULL)
		return -EBUSY;
	(void) eng_stop_mark(e, i->id); /* it may be gone */
	(void) eng_kill_note(e, i, SIGKILL);
	for (int ms = 0; lock == -EBUSY && ms < KILL_WAIT_MS; ms += KILL_STEP_MS) {
		(void) b->kill(e, i->id, SIGKILL, NULL); /* not yet or no longer there */
		if (i->paused || ms > 0) /* a frozen process does not die; it may be frozen by now */
			(void) b->pause(e, i->id, false, NULL);
		(void) eng_wait_gone(e, i, KILL_STEP_MS);
		lock = eng_lock_try(e, i->id, true);
	}
	if (lock < 0 && lock != -ENOENT)
		return err_set(err, lock, "wait for the end of instance '%s'", i->name);
	return lock;
}

/* The lock, once nobody cleans up after its last run any more; -EBUSY it runs. */
static int lock_ended(struct engine *e, const struct eng_instance *i, struct err *err)
{
	int lock = eng_lock_try(e, i->id, true), r;

	for (int ms = 0; lock == -EBUSY && ms < CLEAN_UP_WAIT_MS; ms += CLEAN_UP_STEP_MS) {
		_cleanup_(arena_fini) struct arena arena = { 0 };
		struct eng_instance now;

		r = eng_instance_find(e, i->id, &arena, &now, err);
		if (r < 0)
			return r;
		if (now.state == ENG_STATE_RUNNING || now.state == ENG_STATE_RESTARTING)
			return -EBUSY;
		(void) poll(NULL, 0, CLEAN_UP_STEP_MS);
		lock = eng_lock_try(e, i->id, true);
	}
	return lock;
}

int eng_instance_remove(struct engine *e, const struct eng_instance *i, bool force, bool volumes,
			struct err *err)
{
	_cleanup_close_ int lock =
		force ? eng_lock_try(e, i->id, true) : lock_ended(e, i, err);
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance now;
	int r;

	if (lock == -EBUSY && !force && i->state != ENG_STATE_RUNNING &&
	    i->state != ENG_STATE_RESTARTING)
		return err_msg(err, -EBUSY, "instance '%s' is being started or removed: try later",
			       i->name);
	if (lock == -EBUSY && !force)
		return err_msg(err, -EBUSY,
			       "instance '%s' is %s: stop it first, or use 'cleave rm -f'",
			       i->name, i->paused ? "paused" : eng_state_name(i->state));
	if (lock == -EBUSY)
		lock = wait_for_lock(e, i, err);
	if (lock == -EBUSY)
		return lock;
	if (lock < 0 && lock != -ENOENT)
		return err_set(err, lock, "lock instance '%.12s'", i->id);
	r = eng_instance_find(e, i->id, &arena, &now, err);
	if (r == -ENOENT) { /* removed when it ended, or by somebody else */
		eng_run_remove(e, i->id);
		return force ? 0 : r;
	}
	if (r == 0)
		r = stop_backend(e, i, err);
	return r < 0 ? r
		     : remove_all(e, i, LOST_CODE, force ? time_now_ns() : 0,
				  volumes || i->auto_remove, err);
}

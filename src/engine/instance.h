/* SPDX-License-Identifier: MIT */
/*
 * The instance: a workload from an image plus an isolation, whatever that is.
 *
 *   <root>/instances/<id>/     config.json, upper/ and work/ of the writable layer, log
 *   <runroot>/<id>/            lock, pid, exit, stop, attach (socket); gone when it does not run
 *
 * "stop" says that somebody wants it to end, so it is not started again.
 *
 * A row of table "instance" says that it exists.  While somebody starts it or it runs, "lock" is held by
 * the processes that do this; a row that says "running" without that lock is of an instance whose
 * monitor died, or of a time before the machine started.  eng_instance_reconcile() puts it right.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"

struct db_rows;
struct eng_config;
struct engine;
struct err;

#define ENG_ID_LEN 64 /* hexadecimal digits */
#define ENG_NAME_MAX 128 /* bytes */

#define ENG_SCHEMA                                                                                       \
	"CREATE TABLE instance(id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, isolation TEXT NOT NULL," \
	" state TEXT NOT NULL, image TEXT NOT NULL, image_id TEXT NOT NULL, command TEXT NOT NULL,"      \
	" auto_remove INTEGER NOT NULL, created INTEGER NOT NULL, started INTEGER NOT NULL DEFAULT 0,"   \
	" finished INTEGER NOT NULL DEFAULT 0, exit_code INTEGER NOT NULL DEFAULT 0, error TEXT,"        \
	" paused INTEGER NOT NULL DEFAULT 0, stopped INTEGER NOT NULL DEFAULT 0,"                        \
	" oom_killed INTEGER NOT NULL DEFAULT 0, restart TEXT, restart_max INTEGER NOT NULL DEFAULT 0,"  \
	" restarts INTEGER NOT NULL DEFAULT 0, backoff INTEGER NOT NULL DEFAULT 0,"                      \
	" health TEXT) WITHOUT ROWID;"                                                                   \
	"CREATE TABLE instance_exit(id TEXT PRIMARY KEY, exit_code INTEGER NOT NULL,"                    \
	" finished INTEGER NOT NULL) WITHOUT ROWID;"

/* What the row says */
enum eng_state {
	ENG_STATE_CREATED, /* never ran, or could not be started */
	ENG_STATE_RUNNING, /* also while it is being started */
	ENG_STATE_RESTARTING, /* ended, and waits until it is started again */
	ENG_STATE_EXITED,
	ENG_STATE_N_,
};

/**
 * struct eng_instance - a row
 * Strings live in the arena that was given to the function that filled it.
 * @created, @started, @finished: ns since 1970, 0 = never; the last time it was started, ended
 * @error: why it could not be started, ""
 * @paused: only while it runs
 * @stopped: somebody ended it on purpose
 * @oom_killed: the kernel ended it for want of memory
 * @restart, @restart_max: as in struct eng_config, "" for no
 * @restarts: times it was started again by itself since somebody started it
 * @backoff: ns to wait before it is started again
 * @health: "starting", "healthy", "unhealthy"; "" without a check
 */
struct eng_instance {
	const char *id, *name, *isolation, *image, *image_id, *command, *error;
	enum eng_state state;
	bool auto_remove, paused, stopped, oom_killed;
	int64_t created, started, finished;
	int exit_code;
	const char *restart, *health;
	int64_t restart_max, restarts, backoff;
};

/** eng_state_name() - word of the row: "created", "running", "restarting", "exited" */
const char *eng_state_name(enum eng_state state);

/**
 * eng_instance_new() - make an instance
 * @config: borrows; gets a host name if it has none
 * @name: NULL for one that is made up
 * @isolation: name of a back end
 * @arena: owns the strings of @ret
 * @ret_lock: NULL: it is not started now; else it is about to be, and this gets the descriptor that holds
 *            the lock; the caller keeps it until eng_start()
 * Return: 0; -EEXIST the name is taken; -EINVAL a bad name; -errno with a message; nothing is left then.
 */
int eng_instance_new(struct engine *e, struct eng_config *config, const char *name,
		     const char *isolation, struct arena *arena, struct eng_instance *ret,
		     int *ret_lock, struct err *err);

/**
 * eng_instance_find() - by name, id, or beginning of an id
 * Return: 0; -ENOENT; -ENOTUNIQ; -errno with a message.
 */
int eng_instance_find(struct engine *e, const char *what, struct arena *arena,
		      struct eng_instance *ret, struct err *err);

/**
 * eng_instance_list() - newest first, after putting right what died
 * @ret: array in @arena
 * Return: number; -errno with a message.
 */
int eng_instance_list(struct engine *e, struct arena *arena, struct eng_instance **ret,
		      struct err *err);

/**
 * eng_instance_config() - what it was asked to be
 * @ret: filled; release with eng_config_fini()
 * Return: 0; -errno with a message.
 */
int eng_instance_config(struct engine *e, const struct eng_instance *i, struct eng_config *ret,
			struct err *err);

/** eng_instance_config_save() - replace that; 0 or -errno with a message */
int eng_instance_config_save(struct engine *e, const struct eng_instance *i,
			     const struct eng_config *config, struct err *err);

/** eng_instance_dir() - descriptor of its directory; -errno with a message */
int eng_instance_dir(struct engine *e, const struct eng_instance *i, struct err *err);

/** eng_instance_rename() - 0; -EEXIST the name is taken; -EINVAL a bad name; with a message */
int eng_instance_rename(struct engine *e, const struct eng_instance *i, const char *name,
			struct err *err);

/**
 * eng_instance_ended() - its first process has ended: clean up; keep it, remove it, or note that it is
 *                        to be started again
 * @finished: ns since 1970
 * Context: the caller holds the lock.
 * Return: 0; 1 it is to be started again: eng_restart(); -errno with a message, then the next command
 *         tries again.
 */
int eng_instance_ended(struct engine *e, const struct eng_instance *i, int exit_code,
		       int64_t finished, struct err *err);

/**
 * eng_instance_failed() - it could not be started: remove it, or keep it with the reason
 * Context: the caller holds the lock.
 * Return: 0; -errno with a message, then the next command tries again.
 */
int eng_instance_failed(struct engine *e, const struct eng_instance *i, int exit_code,
			const char *why, struct err *err);

/**
 * eng_instance_remove() - remove an instance that does not run
 * @force: kill it first
 * @volumes: also its volumes that nobody named
 * Return: 0; -EBUSY it runs; -errno with a message.
 */
int eng_instance_remove(struct engine *e, const struct eng_instance *i, bool force, bool volumes,
			struct err *err);

/** eng_instance_reconcile() - what died without telling is cleaned up; 0 or -errno with a message */
int eng_instance_reconcile(struct engine *e, struct err *err);

/**
 * eng_instances_sweep() - remove files of instances that do not exist
 * They are left when the machine stops while one is made or removed; what fails stays for the next one.
 */
void eng_instances_sweep(struct engine *e);

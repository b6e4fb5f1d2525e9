/* SPDX-License-Identifier: MIT */
/*
 * The instance: a workload from an image plus an isolation, whatever that is.
 *
 *   <root>/instances/<id>/     config.json, upper/ and work/ of the writable layer, log
 *   <runroot>/<id>/            lock, pid, exit, attach (socket); gone when it does not run
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
	" finished INTEGER NOT NULL DEFAULT 0, exit_code INTEGER NOT NULL DEFAULT 0, error TEXT) WITHOUT ROWID;"

/* What the row says */
enum eng_state {
	ENG_STATE_CREATED, /* never ran, or could not be started */
	ENG_STATE_RUNNING, /* also while it is being started */
	ENG_STATE_EXITED,
	ENG_STATE_N_,
};

/**
 * struct eng_instance - a row
 * Strings live in the arena that was given to the function that filled it.
 * @created, @started, @finished: ns since 1970, 0 = never
 * @error: why it could not be started, ""
 */
struct eng_instance {
	const char *id, *name, *isolation, *image, *image_id, *command, *error;
	enum eng_state state;
	bool auto_remove;
	int64_t created, started, finished;
	int exit_code;
};

/** eng_state_name() - word of the row: "created", "running", "exited" */
const char *eng_state_name(enum eng_state state);

/**
 * eng_instance_new() - make an instance that is about to be started
 * @config: borrows; gets a host name if it has none
 * @name: NULL for one that is made up
 * @isolation: name of a back end
 * @arena: owns the strings of @ret
 * @ret_lock: descriptor that holds the lock; the caller keeps it until the instance has ended
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

/** eng_instance_started() - note that it runs; nothing happens if it has ended meanwhile */
int eng_instance_started(struct engine *e, const char *id, struct err *err);

/** eng_instance_failed() - it could not be started: remove it, or keep it with the reason */
int eng_instance_failed(struct engine *e, const struct eng_instance *i, int exit_code,
			const char *why, struct err *err);

/**
 * eng_instance_ended() - its first process has ended: clean up, keep or remove it
 * @finished: ns since 1970
 * Context: the caller holds the lock.
 * Return: 0; -errno with a message, then the next command tries again.
 */
int eng_instance_ended(struct engine *e, const struct eng_instance *i, int exit_code,
		       int64_t finished, struct err *err);

/**
 * eng_instance_remove() - remove an instance that does not run
 * @force: kill it first
 * Return: 0; -EBUSY it runs; -errno with a message.
 */
int eng_instance_remove(struct engine *e, const struct eng_instance *i, bool force,
			struct err *err);

/** eng_instance_reconcile() - what died without telling is cleaned up; 0 or -errno with a message */
int eng_instance_reconcile(struct engine *e, struct err *err);

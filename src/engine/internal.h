/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct db_rows;
struct eng_instance;
struct engine;
struct err;
struct img_words;

#define ENG_COLUMNS                                                                                    \
	"SELECT id, name, isolation, state, image, image_id, command, error, restart, health, created," \
	" started, finished, exit_code, restart_max, restarts, backoff, auto_remove, paused, stopped,"  \
	" oom_killed FROM instance "

/** eng_row_read() - fill @ret from a row of ENG_COLUMNS; 0 or -errno with a message */
int eng_row_read(struct db_rows *rows, struct arena *arena, struct eng_instance *ret,
		 struct err *err);

/** eng_command_line() - what `ps` shows: the command and its arguments in one line, in @arena; NULL without memory */
const char *eng_command_line(struct arena *arena, const struct img_words *args);

/**
 * eng_lock_try() - take the lock of an instance
 * @create: make directory and file when they are missing
 * Return: descriptor; -EBUSY somebody holds it; -ENOENT; -errno.
 */
int eng_lock_try(struct engine *e, const char *id, bool create);

/** eng_lock_shared() - 0 when nobody holds the lock or there is none; -EBUSY; -errno */
int eng_lock_shared(struct engine *e, const char *id);

/**
 * eng_reconcile_one() - put right an instance whose monitor died
 * Return: 0 also when somebody looks after it; -errno with a message.
 */
int eng_reconcile_one(struct engine *e, const char *id, struct err *err);

/**
 * eng_instance_forget() - remove all there is of an instance that has no row: it never got one
 * Context: the caller holds the lock.
 * Return: 0; -errno with a message, then the next command tries again.
 */
int eng_instance_forget(struct engine *e, const char *id, struct err *err);

/**
 * eng_has_ended() - something failed: because the instance has ended, or not begun?
 * @pid: eng_pid() from before
 * Return: true, with a message that says so instead of what failed.
 */
bool eng_has_ended(struct engine *e, const struct eng_instance *i, int pid, struct err *err);

/** eng_kill_note() - tell that it gets a signal, before it does, as Docker's event "kill"; false: it has ended */
bool eng_kill_note(struct engine *e, const struct eng_instance *i, int signal);

/** eng_restart_wanted() - true when its policy says so after it ended with @exit_code */
bool eng_restart_wanted(const struct eng_instance *i, int exit_code);

/** eng_restart_backoff() - ns to wait before it is started again; @ran: ns */
int64_t eng_restart_backoff(const struct eng_instance *i, int64_t ran);

/** eng_run_remove() - remove the instance's directory of the run root; the lock goes last */
void eng_run_remove(struct engine *e, const char *id);

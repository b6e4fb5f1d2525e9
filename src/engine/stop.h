/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct eng_instance;
struct engine;
struct err;

/**
 * eng_stop_begin() - ask the instance to end
 * @signal: 0: the one it was configured with
 * @timeout: seconds until SIGKILL, -1 for ever, ENG_STOP_DEFAULT what it was configured with
 * @ret_deadline: for eng_stop_kill()
 * It is not started again by itself.
 * Return: 0; 1 it does not run; -errno with a message.
 */
int eng_stop_begin(struct engine *e, const struct eng_instance *i, int signal, int64_t timeout,
		   int64_t *ret_deadline, struct err *err);

/**
 * eng_stop_kill() - wait until its first process has ended, and kill it when its time is over
 * @deadline: of eng_stop_begin(), ns since 1970, -1 for never
 */
void eng_stop_kill(struct engine *e, const struct eng_instance *i, int64_t deadline);

/**
 * eng_stop_end() - wait until everything is cleaned up, after eng_stop_kill()
 * Return: 0; -errno with a message.
 */
int eng_stop_end(struct engine *e, const struct eng_instance *i, struct err *err);

/**
 * eng_stop_forget() - nobody wanted it to end: the machine is about to stop
 * To be called after eng_stop_end(); its policy starts it again then.
 * Return: 0; -errno with a message.
 */
int eng_stop_forget(struct engine *e, const struct eng_instance *i, struct err *err);

#define ENG_STOP_DEFAULT INT64_MIN

/**
 * eng_kill() - send a signal to its first process
 * Return: 0; -ESRCH it does not run; -errno with a message.
 */
int eng_kill(struct engine *e, const struct eng_instance *i, int signal, struct err *err);

/**
 * eng_pause() - freeze or thaw all its processes
 * Return: 0; -EALREADY it is so; -ESRCH it does not run; -errno with a message.
 */
int eng_pause(struct engine *e, const struct eng_instance *i, bool pause, struct err *err);

/**
 * eng_wait() - until it has ended, also if it is started again then
 * @ret_code: exit status; of one that does not run, of its last run
 * Return: 0; -errno with a message.
 */
int eng_wait(struct engine *e, const struct eng_instance *i, int *ret_code, struct err *err);

/** eng_pid() - its first process; -ESRCH it does not run */
int eng_pid(struct engine *e, const struct eng_instance *i);

/**
 * eng_wait_gone() - until nobody holds its lock
 * @timeout_ms: -1 for ever
 * Return: 0; -ETIMEDOUT; -errno.
 */
int eng_wait_gone(struct engine *e, const struct eng_instance *i, int64_t timeout_ms);

/** eng_stop_mark() - note that it is not to be started again by itself; 0 or -errno */
int eng_stop_mark(struct engine *e, const char *id);

/** eng_stop_marked() - somebody did that */
bool eng_stop_marked(struct engine *e, const char *id);

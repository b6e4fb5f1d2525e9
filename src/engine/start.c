/* SPDX-License-Identifier: MIT */
#include "engine/start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/health.h"
#include "engine/instance.h"
#include "engine/internal.h"
#include "engine/launch.h"
#include "engine/net/attach.h"

#define JOINED "container:"
#define EXIT_OURS 125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127
#define CLEAN_UP_WAIT_MS 10000
#define STEP_MS 1

/* The runtime's messages about the program itself hold this; what else fails is our failure. */
int eng_start_exit_code(const struct err *err)
{
	if (strncmp(err->text, "exec", 4) != 0 && strstr(err->text, "init: exec") == NULL)
		return EXIT_OURS;
	return err->code == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static int is_running(struct engine *e, const struct eng_instance *i, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance now;
	int r = eng_instance_find(e, i->id, &arena, &now, err);

	return r < 0 ? r : now.state == ENG_STATE_RUNNING;
}

/* The lock, when it can be had; -EALREADY when it runs; waits for a clean-up. */
static int lock_idle(struct engine *e, const struct eng_instance *i, struct err *err)
{
	for (int ms = 0; ms < CLEAN_UP_WAIT_MS; ms += STEP_MS) {
		int lock = eng_lock_try(e, i->id, true), r;

		if (lock >= 0)
			return lock;
		if (lock != -EBUSY && lock != -ENOENT)
			return err_set(err, lock, "lock instance '%s'", i->name);
		r = lock == -EBUSY ? is_running(e, i, err) : 0;
		if (r != 0)
			return r < 0 ? r
				     : err_msg(err, -EALREADY, "instance '%s' is running already",
					       i->name);
		(void) poll(NULL, 0, STEP_MS);
	}
	return err_msg(err, -EBUSY, "instance '%s' is being cleaned up or started again: try later",
		       i->name);
}

int eng_begin(struct engine *e, const struct eng_instance *i, int *ret_lock, struct err *err)
{
	_cleanup_close_ int lock = lock_idle(e, i, err);
	int r;

	if (lock < 0)
		return lock;
	r = is_running(e, i, err);
	if (r == 1) { /* its monitor died */
		cleanup_closep(&lock);
		lock = -EBADF;
		r = eng_reconcile_one(e, i->id, err);
		if (r == 0)
			lock = lock_idle(e, i, err);
		if (r == 0 && lock < 0)
			r = lock;
	}
	if (r == 0)
		r = db_run(e->db, err,
			   "UPDATE instance SET state = 'running', started = ?, error = NULL, stopped = 0,"
			   " restarts = 0, backoff = 0, oom_killed = 0 WHERE id = ?",
			   "is", time_now_ns(), i->id);
	if (r == 0)
		r = err_msg(err, -ENOENT, "instance '%s' was removed meanwhile", i->name);
	if (r < 0) {
		if (lock >= 0)
			eng_run_remove(e, i->id);
		return r;
	}
	*ret_lock = take_fd(lock);
	return 0;
}

/* What runs in a virtual machine has namespaces of another kernel: those of its process here are the host's. */
static int check_joined(struct engine *e, const struct eng_config *c, struct err *err)
{
	const struct {
		const char *name, *value;
	} all[] = { { "network", c->network }, { "pid", c->pid }, { "ipc", c->ipc }, { "uts", c->uts }, { "cgroup", c->cgroupns } };
	int r = 0;

	for (size_t k = 0; r == 0 && k < ARRAY_LEN(all); k++) {
		_cleanup_(arena_fini) struct arena arena = { 0 };
		struct eng_instance other;

		if (all[k].value == NULL || !str_starts(all[k].value, JOINED))
			continue;
		r = eng_instance_find(e, all[k].value + strlen(JOINED), &arena, &other, err);
		if (r == 0 && eng_backend_find(other.isolation)->machine)
			r = err_msg(err, -EOPNOTSUPP, "cannot join the %s namespace of instance '%s': it is a virtual machine",
				    all[k].name, other.name);
	}
	return r;
}

int eng_start(struct engine *e, const struct eng_instance *i, const struct eng_config *config,
	      int lock, bool attach, int *ret_client, struct err *err)
{
	int keep = fcntl(lock, F_DUPFD_CLOEXEC, 0); /* the same lock, for the clean-up */
	int r;

	*ret_client = -EBADF;
	r = check_joined(e, config, err);
	if (r == 0)
		r = eng_net_start(e, i, config, err);
	if (r == 0)
		r = eng_launch(e, i, config, lock, attach, ret_client, err);
	else
		(void) close(lock);
	if (r == 0)
		eng_net_started(e, i);
	if (r < 0)
		(void) eng_instance_failed(e, i, eng_start_exit_code(err), err->text,
					   NULL); /* the next command does it */
	else if (eng_health_wanted(config))
		(void) eng_health_begin(e, i, config, NULL); /* it runs without, as "no health" */
	cleanup_closep(&keep);
	return r;
}

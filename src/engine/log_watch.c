/* SPDX-License-Identifier: MIT */
/**
 * DOC: waiting for more of a log
 *
 * The instance's directories are watched: that of its files, where the log is written and renamed, and
 * that of what runs, from which files vanish when it ends.  A monitor that was killed changes nothing,
 * so now and then the instance is looked after as every command does.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/internal.h"
#include "engine/log_internal.h"

#define LOOK_AFTER_NS 5000000000ll
#define WAIT_MAX_MS 5000
#define PATH_SIZE 4096

static int look(struct eng_log_watch *w, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance now;
	int r = eng_instance_find(w->e, w->i->id, &arena, &now, err);

	if (r == -ENOENT) {
		w->ended = true;
		return 0;
	}
	if (r == 0)
		w->ended = now.state != ENG_STATE_RUNNING && now.state != ENG_STATE_RESTARTING;
	return r;
}

int eng_log_watch_init(struct eng_log_watch *w, struct engine *e, const struct eng_instance *i,
		       struct err *err)
{
	char path[PATH_SIZE];
	int r;

	*w = (struct eng_log_watch) { .e = e, .i = i, .checked = time_now_ns() };
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->fd < 0)
		return err_set(err, -errno, "watch the log: see sysctl fs.inotify.max_user_instances");
	(void) snprintf(path, sizeof(path), "%s/instances/%s", e->root, i->id);
	r = inotify_add_watch(w->fd, path,
			      IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF);
	if (r < 0) {
		r = err_set(err, -errno, "watch '%s'", path);
		eng_log_watch_fini(w);
		return r;
	}
	(void) snprintf(path, sizeof(path), "%s/%s", e->runroot, i->id);
	w->run_wd = inotify_add_watch(w->fd, path, IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF);
	r = look(w, err); /* without the directory it does not run */
	if (r < 0)
		eng_log_watch_fini(w);
	return r;
}

/* Return: true when something happened to what runs. */
static bool take_events(struct eng_log_watch *w)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool run = false;
	ssize_t n;

	while ((n = read(w->fd, buf, sizeof(buf))) > 0)
		for (const char *p = buf; p < buf + n;) {
			const struct inotify_event *event = (const void *) p;

			run = run || event->wd == w->run_wd ||
			      (event->mask & (IN_CLOSE_WRITE | IN_DELETE_SELF | IN_Q_OVERFLOW)) != 0;
			p += sizeof(*event) + event->len;
		}
	return run;
}

int eng_log_watch_wait(struct eng_log_watch *w, int fd, int64_t until, struct err *err)
{
	struct pollfd p[] = { { .fd = w->fd, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
	int64_t ms = until == 0 ? WAIT_MAX_MS : (until - time_now_ns()) / 1000000 + 1;
	int r = 0;

	if (poll(p, ARRAY_LEN(p), ms < 0 ? 0 : ms < WAIT_MAX_MS ? (int) ms : WAIT_MAX_MS) < 0 &&
	    errno != EINTR)
		return err_set(err, -errno, "wait for the log");
	if (time_now_ns() - w->checked > LOOK_AFTER_NS) {
		w->checked = time_now_ns();
		r = eng_reconcile_one(w->e, w->i->id, err);
		return r < 0 ? r : look(w, err);
	}
	return take_events(w) ? look(w, err) : 0;
}

void eng_log_watch_fini(struct eng_log_watch *w)
{
	cleanup_closep(&w->fd);
	w->fd = -EBADF;
}

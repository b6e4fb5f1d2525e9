/* SPDX-License-Identifier: MIT */
/**
 * DOC: starting an instance
 *
 * Three processes.  The caller forks the monitor-to-be, which forks the starter and executes
 * cleave-monitor; the starter makes the container as its sibling, so as a child of the monitor, tells
 * the monitor its pid (and terminal), tells the caller how it went, and exits.  The caller may die at any
 * time: the monitor goes on.  If the starter dies before it has told the monitor, the monitor exits and the
 * lock of the instance is free, so the next command cleans up.
 *
 * Another program in a running instance is started the same way; its monitor keeps no log and no lock,
 * and nobody cleans up after it.
 */
#include "engine/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/exec.h"
#include "engine/instance.h"
#include "engine/log.h"
#include "engine/monitor/protocol.h"
#include "sys/cg_layout.h"
#include "sys/msg.h"
#include "sys/proc.h"

#define MONITORS "cleave/monitors" /* below CG_TOP */
#define SPARE_FD 64 /* above the monitor's descriptors and those of a small process */

struct launch {
	struct engine *e;
	const struct eng_instance *i;
	const struct eng_config *config;
	const struct eng_exec *exec; /* instead of the instance itself */
	bool tty, open_stdin;
	int lock, listen, dir;
	struct eng_log_sink log;
	struct str log_how; /* argument of the monitor */
	int in[2], out[2], err[2]; /* pipes; read end, write end */
	int report[2]; /* caller, starter */
	int started[2]; /* monitor, starter */
	int client[2]; /* caller, monitor */
};

static void close_pair(int pair[2])
{
	cleanup_closep(&pair[0]);
	cleanup_closep(&pair[1]);
	pair[0] = pair[1] = -EBADF;
}

static void launch_fini(struct launch *l)
{
	int *const fds[] = { &l->lock, &l->log.fd, &l->log.dir, &l->listen, &l->dir };
	int *const pairs[] = { l->in, l->out, l->err, l->report, l->started, l->client };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		cleanup_closep(fds[i]);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		close_pair(pairs[i]);
	str_fini(&l->log_how);
}

static int make_pipes(struct launch *l, struct err *err)
{
	if (!l->tty && (pipe2(l->out, O_CLOEXEC) < 0 || pipe2(l->err, O_CLOEXEC) < 0 ||
			(l->open_stdin && pipe2(l->in, O_CLOEXEC) < 0)))
		return err_set(err, -errno, "create pipes");
	return 0;
}

static int make_sockets(struct launch *l, bool attach, struct err *err)
{
	int r = msg_pair(l->report);

	if (r == 0)
		r = msg_pair(l->started);
	if (r == 0 && attach)
		r = msg_pair(l->client);
	if (r == 0 && l->exec == NULL)
		r = l->listen = msg_listen_at(l->dir, "attach");
	return r < 0 ? err_set(err, r, "create sockets") : 0;
}

static int open_files(struct launch *l, struct err *err)
{
	int r = eng_log_open(l->e, l->i, l->config, &l->log, &l->log_how, err);

	if (r < 0)
		return r;
	l->dir = openat(l->e->run_fd, l->i->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->dir < 0)
		return err_set(err, -errno, "open '%s/%s'", l->e->runroot, l->i->id);
	/* of the last time, when it is started again by itself */
	(void) unlinkat(l->dir, "attach", 0); /* msg_listen_at() tells */
	(void) unlinkat(l->dir, "exit", 0); /* it is not there then */
	return 0;
}

/*
 * Give descriptors their numbers, -EBADF closes one.  Through spare numbers, because a source may
 * have the number of another target.
 */
static int place_fds(const int *fds, int first, int n)
{
	for (int i = 0; i < n; i++)
		if (fds[i] >= 0 && dup3(fds[i], SPARE_FD + i, O_CLOEXEC) < 0)
			return -errno;
	for (int i = 0; i < n; i++) {
		(void) close(first + i); /* may be closed already */
		if (fds[i] >= 0 && dup2(SPARE_FD + i, first + i) < 0)
			return -errno;
	}
	return 0;
}

static _Noreturn void become_monitor(struct launch *l)
{
	const int fds[MON_FD_N_ - MON_FD_STARTER] = {
		[MON_FD_STARTER - MON_FD_STARTER] = l->started[0],
		[MON_FD_STDIN - MON_FD_STARTER] = l->in[1],
		[MON_FD_STDOUT - MON_FD_STARTER] = l->out[0],
		[MON_FD_STDERR - MON_FD_STARTER] = l->err[0],
		[MON_FD_LOG - MON_FD_STARTER] = l->log.fd,
		[MON_FD_LOG_DIR - MON_FD_STARTER] = l->log.dir,
		[MON_FD_LISTEN - MON_FD_STARTER] = l->listen,
		[MON_FD_CLIENT - MON_FD_STARTER] = l->client[1],
		[MON_FD_DIR - MON_FD_STARTER] = l->dir,
		[MON_FD_LOCK - MON_FD_STARTER] = l->lock,
		[MON_FD_PROGRAM - MON_FD_STARTER] = l->exec == NULL ? l->e->program : -EBADF,
	};
	char flags[8] = "-";
	char *const argv[] = { "cleave-monitor", "m",
			       flags,            l->exec == NULL ? l->log_how.p : "none",
			       "cleave",         "--root",
			       l->e->root,       "--runroot",
			       l->e->runroot,    "_ended",
			       l->e->monitor,    (char *) l->i->id,
			       NULL };
	char *const env[] = { NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void) snprintf(flags, sizeof(flags), "-%s%s%s%s", l->tty ? "t" : "",
			l->open_stdin ? "i" : "", l->client[1] >= 0 ? "c" : "",
			l->exec != NULL ? "x" : "");
	if (null < 0 || place_fds(fds, MON_FD_STARTER, (int) ARRAY_LEN(fds)) < 0)
		_exit(125);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (dup2(null, fd) < 0)
			_exit(125);
	if (chdir("/") < 0 || proc_cloexec_from(MON_FD_N_) < 0)
		_exit(125);
	(void) execve(l->e->monitor, argv, env);
	_exit(126);
}

/* Descriptors 0 to 2 of the instance; a terminal is connected later. */
static int place_stdio(const struct launch *l)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int fds[] = { l->in[0] >= 0 ? l->in[0] : null, l->out[1] >= 0 ? l->out[1] : null,
			    l->err[1] >= 0 ? l->err[1] : null };

	return null < 0 ? -errno : place_fds(fds, STDIN_FILENO, 3);
}

static _Noreturn void be_starter(struct launch *l)
{
	struct eng_running running = { .master = -EBADF };
	struct err err = { 0 };
	struct mon_started started;
	const struct eng_backend *b = eng_backend_find(l->i->isolation);
	char pid[16];
	int r = place_stdio(l), n;

	if (r < 0)
		(void) err_set(&err, r, "connect standard input and output");
	else if (l->exec != NULL)
		r = b->exec(l->e, l->i->id, l->exec, &running, &err);
	else
		r = b->start(l->e, l->i->id, l->config, &running, &err);
	if (r == 0 && l->exec == NULL) { /* first, so that whoever sees it run can find it */
		n = snprintf(pid, sizeof(pid), "%d", (int) running.pid);
		r = file_replace(l->dir, "pid", pid, (size_t) n, 0600);
		if (r < 0)
			(void) err_set(&err, r, "write the pid file");
	}
	if (r == 0 && l->exec == NULL) /* its end is told later: the monitor does not know it yet */
		eng_event_of(l->e, l->i, "start", &l->config->labels, NULL);
	if (r == 0) {
		started.pid = running.pid;
		r = msg_send(l->started[1], &started, sizeof(started), &running.master,
			     running.master >= 0);
		if (r < 0)
			(void) err_set(&err, r, "hand the instance over to its monitor");
	}
	err.code = r;
	(void) msg_send(l->report[1], &err, sizeof(err.code) + strlen(err.text) + 1, NULL,
			0); /* or it sees the end */
	_exit(0);
}

/* The first process of the instance may not be there yet when the monitor looks, but is its child. */
static _Noreturn void be_monitor(struct launch *l)
{
	pid_t pid;

	(void) setsid(); /* a signal from the caller's terminal is not for us */
	pid = proc_clone(0, SIGCHLD, -EBADF, NULL);
	if (pid < 0)
		_exit(125);
	if (pid == 0)
		be_starter(l);
	become_monitor(l);
}

static int read_report(int sock, struct err *err)
{
	struct err report = { 0 };
	ssize_t n = msg_recv(sock, &report, sizeof(report), NULL, NULL);

	if (n < (ssize_t) sizeof(report.code))
		return err_msg(err, -ECHILD, "the process that starts the instance died");
	report.text[sizeof(report.text) - 1] = '\0';
	return report.code < 0 ? err_msg(err, report.code, "%s", report.text) : 0;
}

/*
 * sd_listen_fds(3): descriptors that were meant for this process are for what it starts.  The runtime
 * passes them on; it runs in the starter, which LISTEN_PID does not name.
 */
static int take_listen_fds(const struct engine *e, struct err *err)
{
	const char *fds = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	uint64_t n;

	if (pid != NULL && str_to_u64(pid, &n) == 0 && n == (uint64_t) getpid())
		(void) unsetenv("LISTEN_PID"); /* the name is fine */
	if (fds == NULL || getenv("LISTEN_PID") != NULL || str_to_u64(fds, &n) < 0)
		n = 0;
	if (n + e->preserve_fds > ENG_PRESERVE_FDS_MAX)
		return err_msg(err, -EINVAL, "%" PRIu64 " descriptors of LISTEN_FDS and %u of --preserve-fds are over the limit %d",
			       n, e->preserve_fds, ENG_PRESERVE_FDS_MAX);
	return 0;
}

#define NO_PAIR { -EBADF, -EBADF }
#define LAUNCH_NONE                                                                                \
	.lock = -EBADF, .log = NO_PAIR, .listen = -EBADF, .dir = -EBADF, .in = NO_PAIR, .out = NO_PAIR, \
	.err = NO_PAIR, .report = NO_PAIR, .started = NO_PAIR, .client = NO_PAIR

/* A terminal has the size of ours from the beginning. */
static void take_size(struct engine *e)
{
	struct winsize size = { 0 };

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && ioctl(fd, TIOCGWINSZ, &size) < 0; fd++)
		;
	e->rows = size.ws_row;
	e->columns = size.ws_col;
}

/*
 * The service or session that starts an instance in the background may end, and takes with it what is in its cgroup.  On
 * v1 the move costs milliseconds; there the monitor stays.
 * Return: directory; -EBADF for the caller's own cgroup.
 */
static int monitors_cgroup(const struct engine *e)
{
	_cleanup_close_ int top = e->rootless ? -EBADF : open(CG_TOP, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	int fd;

	if (top < 0 || fstatfs(top, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return -EBADF;
	fd = openat(top, MONITORS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		(void) mkdirat(top, "cleave", 0755); /* opening tells */
		(void) mkdirat(top, MONITORS, 0755);
		fd = openat(top, MONITORS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd < 0 ? -EBADF : fd;
}

/* Takes what @l holds. */
static int launch(struct launch *l, bool attach, int *ret_client, struct err *err)
{
	pid_t pid = -1;
	int r = take_listen_fds(l->e, err);

	if (l->tty)
		take_size(l->e);
	if (r == 0)
		r = make_pipes(l, err);
	if (r == 0)
		r = make_sockets(l, attach, err);
	if (r == 0 && access(l->e->monitor, X_OK) < 0)
		r = err_set(err, -errno, "find the program '%s'", l->e->monitor);
	if (r == 0) {
		_cleanup_close_ int cgroup = attach ? -EBADF : monitors_cgroup(l->e);

		pid = proc_clone(0, SIGCHLD, cgroup, NULL);
		if (pid < 0 && cgroup >= 0)
			pid = proc_clone(0, SIGCHLD, -EBADF, NULL);
		if (pid < 0)
			r = err_set(err, pid, "create a process");
	}
	if (pid == 0)
		be_monitor(l);
	if (r == 0) {
		cleanup_closep(&l->report[1]);
		l->report[1] = -EBADF;
		r = read_report(l->report[0], err);
	}
	if (r == 0 && attach)
		*ret_client = take_fd(l->client[0]);
	launch_fini(l);
	if (r < 0 && pid > 0)
		(void) proc_wait(pid); /* it sees that nothing was started */
	return r;
}

int eng_launch(struct engine *e, const struct eng_instance *i, const struct eng_config *config,
	       int lock, bool attach, int *ret_client, struct err *err)
{
	struct launch l = {
		LAUNCH_NONE,
		.e = e,
		.i = i,
		.config = config,
		.tty = config->tty,
		.open_stdin = config->open_stdin,
	};
	int r;

	l.lock = lock;
	r = open_files(&l, err);
	if (r < 0)
		launch_fini(&l);
	return r < 0 ? r : launch(&l, attach, ret_client, err);
}

int eng_launch_exec(struct engine *e, const struct eng_instance *i, const struct eng_exec *exec,
		    bool attach, int *ret_client, struct err *err)
{
	struct launch l = {
		LAUNCH_NONE,
		.e = e,
		.i = i,
		.exec = exec,
		.tty = exec->tty,
		.open_stdin = exec->open_stdin,
	};

	return launch(&l, attach, ret_client, err);
}

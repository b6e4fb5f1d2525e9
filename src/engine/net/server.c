/* SPDX-License-Identifier: MIT */
#include "engine/net/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "engine/engine.h"
#include "oci/cgroup.h"
#include "sys/cg_layout.h"
#include "sys/msg.h"
#include "sys/proc.h"

#define FIRST_FD (STDERR_FILENO + 1)
#define SPARE_FD 64 /* above those that are given */
#define REPORT_FD (SPARE_FD + SERVER_FDS_MAX + 1)
#define SEND_WAIT_S 1 /* for one that does not read what it is told */
#define END_WAIT_MS 2000

int server_mail(int dir, const char *socket)
{
	const struct timeval limit = { .tv_sec = SEND_WAIT_S };
	_cleanup_close_ int fd = msg_mail_at(dir, socket);

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	return take_fd(fd);
}

pid_t server_holder(int dir, const char *lock)
{
	_cleanup_close_ int fd = openat(dir, lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fcntl(fd, F_GETLK, &whole) < 0)
		return -errno;
	return whole.l_type == F_UNLCK ? 0 : whole.l_pid;
}

void server_kill(int dir, const char *lock)
{
	pid_t pid = server_holder(dir, lock);
	_cleanup_close_ int fd = pid > 0 ? proc_pidfd_open(pid) : -ESRCH;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0 || server_holder(dir, lock) != pid) /* it is that process, and no later one with its number */
		return;
	if (proc_pidfd_kill(fd, SIGKILL) == 0)
		(void) poll(&p, 1, END_WAIT_MS); /* else the next start waits */
}

/* Not beside us: what runs here may be a copy that is nowhere. */
int server_program(const struct engine *e, const char *name, char ret[SERVER_PATH], struct err *err)
{
	const char *slash = strrchr(e->monitor, '/');
	int n = snprintf(ret, SERVER_PATH, "%.*s%s", slash != NULL ? (int) (slash + 1 - e->monitor) : 0, e->monitor, name);

	if (n >= SERVER_PATH)
		return err_set(err, -ENAMETOOLONG, "find the program '%s'", name);
	return access(ret, X_OK) < 0 ? err_set(err, -errno, "find the program '%s'", ret) : 0;
}

/*
 * Descriptors get their numbers, through spare ones.  The lock goes with any descriptor of its file that this process
 * closes, so it is taken when only one is left.
 */
static int place_fds(const struct server *s)
{
	const struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	const int lock = openat(s->dir, s->lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	for (int i = 0; i <= s->n; i++) {
		int fd = i < s->n ? s->fds[i] : lock;

		if (fd < 0 || dup3(fd, SPARE_FD + i, O_CLOEXEC) < 0)
			return -errno;
	}
	(void) close(lock);
	for (int i = 0; i <= s->n; i++)
		if (dup2(SPARE_FD + i, FIRST_FD + i) < 0)
			return -errno;
	(void) close(SPARE_FD + s->n);
	return fcntl(FIRST_FD + s->n, F_SETLK, &whole) < 0 ? -errno : 0;
}

static void enter_cgroup(struct oci_cgroup *cgroup)
{
	int fds[CG_V1_MAX], n = cgroup != NULL ? oci_cgroup_task_fds(cgroup, fds, ARRAY_LEN(fds), NULL) : 0;

	if (n > 0)
		(void) oci_cgroup_join_fds(fds, (size_t) n, NULL); /* else it stays in some */
	for (int i = 0; i < n; i++)
		(void) close(fds[i]); /* joining has told */
}

/* @to tells the caller -errno, or closes when the program runs. */
static _Noreturn void become(const struct server *s, int to)
{
	char *const env[] = { NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), report = dup3(to, REPORT_FD, O_CLOEXEC);
	int r = null < 0 || report < 0 ? -errno : 0;

	for (int fd = 0; r == 0 && fd <= STDERR_FILENO; fd++)
		if (dup2(null, fd) < 0)
			r = -errno;
	if (r == 0)
		enter_cgroup(s->cgroup);
	if (r == 0)
		r = place_fds(s);
	proc_default_signals();
	if (r == 0 && (chdir("/") < 0 || proc_cloexec_from((unsigned) (FIRST_FD + s->n + 1)) < 0))
		r = -errno;
	if (r == 0) {
		(void) execve(s->program, s->argv, env);
		r = -errno;
	}
	(void) write(report, &r, sizeof(r)); /* the caller waits for it, or is gone */
	_exit(1);
}

int server_spawn(const struct server *s, struct err *err)
{
	int report[2], r = 0;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set(err, -errno, "create a pipe");
	pid = proc_clone(0, SIGCHLD, s->cgroup != NULL ? oci_cgroup_clone_fd(s->cgroup) : -EBADF, NULL);
	if (pid < 0)
		pid = proc_clone(0, SIGCHLD, -EBADF, NULL);
	if (pid == 0) {
		(void) setsid();
		pid = proc_clone(0, SIGCHLD, -EBADF, NULL);
		if (pid == 0)
			become(s, report[1]);
		_exit(pid < 0);
	}
	(void) close(report[1]);
	if (pid > 0 && proc_wait(pid) != 0)
		r = -EAGAIN;
	if (pid > 0 && r == 0 && read(report[0], &r, sizeof(r)) < 0)
		r = -errno;
	(void) close(report[0]);
	return pid < 0 || r < 0 ? err_set(err, pid < 0 ? pid : r, "start '%s'", s->program) : 0;
}

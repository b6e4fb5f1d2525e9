/* SPDX-License-Identifier: MIT */
#include "engine/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "sys/proc.h"

#define TEXT_MAX 64 /* bytes of the file */
#define END_WAIT_MS 2000

/* Wait until it is told to go on, then become the program that does nothing. */
static _Noreturn void become(const char *monitor, int go)
{
	char *const argv[] = { "cleave-monitor", "k", NULL }, *const env[] = { NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char c;

	if (null < 0 || read(go, &c, 1) != 1) /* our maker died */
		_exit(1);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		(void) dup2(null, fd);
	(void) setsid();
	if (chdir("/") < 0 || proc_cloexec_from(STDERR_FILENO + 1) < 0)
		_exit(1);
	(void) execve(monitor, argv, env);
	_exit(1);
}

static int write_note(int note, pid_t pid, struct err *err)
{
	struct proc_stat st;
	char text[TEXT_MAX];
	int r = proc_stat_read(pid, &st);
	int n = snprintf(text, sizeof(text), "%d %" PRIu64 "\n", (int) pid, st.start_time);

	if (r == 0 && (ftruncate(note, 0) < 0 || pwrite(note, text, (size_t) n, 0) != n))
		r = -errno;
	return r < 0 ? err_set(err, r, "note the process that keeps a namespace") : 0;
}

int keeper_make(const char *monitor, uint64_t flags, int (*prepare)(pid_t pid, struct err *err), int note, struct err *err)
{
	int go[2], r;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) < 0)
		return err_set(err, -errno, "create a pipe");
	pid = proc_clone(flags, 0, -EBADF, NULL);
	if (pid == 0) {
		(void) close(go[1]);
		become(monitor, go[0]);
	}
	(void) close(go[0]);
	if (pid < 0) {
		(void) close(go[1]);
		return err_set(err, pid, "create a %s namespace, which instances need without root (see kernel.unprivileged_userns_clone, user.max_%s_namespaces)",
			       (flags & CLONE_NEWUSER) != 0 ? "user" : "network", (flags & CLONE_NEWUSER) != 0 ? "user" : "net");
	}
	r = prepare != NULL ? prepare(pid, err) : 0;
	if (r == 0)
		r = write_note(note, pid, err);
	if (r == 0 && write(go[1], "", 1) != 1)
		r = err_set(err, -errno, "start the process that keeps a namespace");
	(void) close(go[1]); /* it ends, unless it was told to go on */
	return r;
}

int keeper_find(int note, pid_t *ret)
{
	char text[TEXT_MAX] = "";
	struct proc_stat st;
	uint64_t start;
	int pid;

	if (pread(note, text, sizeof(text) - 1, 0) < 0)
		return -errno;
	if (sscanf(text, "%d %" SCNu64, &pid, &start) != 2 || pid <= 0)
		return -ESRCH;
	_cleanup_close_ int fd = proc_pidfd_open(pid);
	if (fd < 0)
		return fd;
	if (proc_stat_read(pid, &st) < 0 || st.start_time != start || st.state == 'Z')
		return -ESRCH;
	if (ret != NULL)
		*ret = pid;
	return take_fd(fd);
}

void keeper_end(int note)
{
	_cleanup_close_ int fd = keeper_find(note, NULL);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0 || proc_pidfd_kill(fd, SIGKILL) < 0)
		return;
	(void) ftruncate(note, 0); /* else its end is seen */
	(void) poll(&p, 1, END_WAIT_MS); /* likewise */
	(void) waitid(P_PIDFD, (id_t) fd, NULL, WEXITED | WNOHANG | __WALL); /* if it is our child */
}

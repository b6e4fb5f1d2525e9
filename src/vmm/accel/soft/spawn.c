/* SPDX-License-Identifier: MIT */
#include "vmm/accel/soft/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

#define STATUS_FAILED 127

/* In the new process: descriptors to their places, and begin.  Returns when that fails. */
static void become(int program, const char *const *argv, int *fd, unsigned n)
{
	static const char *const env[] = { NULL };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return;
	program = fcntl(program, F_DUPFD_CLOEXEC, (int) n);
	for (unsigned i = 0; i < n; i++) { /* out of the way of their places */
		fd[i] = fcntl(fd[i], F_DUPFD_CLOEXEC, (int) n);
		if (fd[i] < 0)
			return;
	}
	for (unsigned i = 0; i < n; i++)
		if (dup2(fd[i], (int) i) < 0)
			return;
	(void) syscall(SYS_execveat, program, "", argv, env, AT_EMPTY_PATH); /* returns when it fails */
}

int spawn(int program, const char *const *argv, int *fd, unsigned n, pid_t *ret, int *ret_handle)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		become(program, argv, fd, n);
		_exit(STATUS_FAILED);
	}
	*ret = pid;
	*ret_handle = (int) syscall(SYS_pidfd_open, pid, 0);
	if (*ret_handle < 0) {
		int r = -errno;

		(void) kill(pid, SIGKILL); /* a child that was not waited for: its number is not another's */
		(void) waitpid(pid, NULL, 0); /* likewise */
		*ret = 0;
		return r;
	}
	return 0;
}

int spawn_wait(pid_t pid, struct err *err)
{
	int status;

	if (waitpid(pid, &status, 0) < 0)
		return err_set(err, -errno, "wait for process %d", (int) pid);
	if (WIFSIGNALED(status))
		return err_msg(err, -EIO, "its process was ended by signal %d (%s)", WTERMSIG(status),
			       strsignal(WTERMSIG(status)));
	return err_msg(err, -EIO, "its process ended with status %d", WEXITSTATUS(status));
}

void spawn_end(pid_t pid, int handle)
{
	if (handle < 0)
		return;
	if (pid > 0) {
		(void) syscall(SYS_pidfd_send_signal, handle, SIGKILL, NULL, 0); /* a sandbox allows no kill(2) */
		(void) waitpid(pid, NULL, 0); /* a child that was not waited for */
	}
	(void) close(handle); /* nothing is in it */
}

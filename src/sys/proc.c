/* SPDX-License-Identifier: MIT */
#include "sys/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

#define USERNS_INIT_INO 0xEFFFFFFDU /* PROC_USER_INIT_INO of linux/proc_ns.h */

pid_t proc_clone(uint64_t flags, int exit_signal, int cgroup_fd, int *ret_pidfd)
{
	int pidfd = -EBADF;
	struct clone_args args = {
		.flags = flags | (ret_pidfd != NULL ? CLONE_PIDFD : 0) |
			 (cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t) (uintptr_t) &pidfd,
		.exit_signal = (uint64_t) exit_signal,
		.cgroup = cgroup_fd >= 0 ? (uint64_t) cgroup_fd : 0,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		return -errno;
	if (pid > 0 && ret_pidfd != NULL)
		*ret_pidfd = pidfd;
	return (pid_t) pid;
}

int proc_pidfd_open(pid_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int) fd;
}

int proc_pidfd_kill(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int proc_stat_read(pid_t pid, struct proc_stat *ret)
{
	char path[32], text[1024], *p;
	struct proc_stat st = { 0 };
	unsigned long long start;
	ssize_t n;
	int ppid;

	(void) snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = fd_read_full(fd, text, sizeof(text) - 1);
	if (n < 0)
		return (int) n;
	text[n] = '\0';
	p = strrchr(text, ')'); /* the name before it may hold anything */
	if (p == NULL || sscanf(p + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
				&st.state, &ppid, &start) != 3)
		return -EINVAL;
	st.start_time = start;
	st.ppid = ppid;
	*ret = st;
	return 0;
}

int proc_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

int proc_exit_code(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}

void proc_default_signals(void)
{
	/* struct sigaction as the kernel has it: SIG_DFL */
	static const struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} fallback;
	sigset_t none;

	(void) sigemptyset(&none);
	(void) sigprocmask(SIG_SETMASK, &none, NULL);
	/* by system call: libc keeps two signals for itself and would leave them as a caller had them */
	for (int s = 1; s < NSIG; s++)
		(void) syscall(SYS_rt_sigaction, s, &fallback, NULL,
			       sizeof(fallback.mask)); /* two cannot be changed */
}

int proc_cloexec_from(unsigned first)
{
	return syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

static int compare_fds(const void *a, const void *b)
{
	return *(const int *) a - *(const int *) b;
}

int proc_close_except(unsigned first, int *keep, size_t n)
{
	qsort(keep, n, sizeof(*keep), compare_fds);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int) first)
			continue;
		if (keep[i] > (int) first &&
		    syscall(SYS_close_range, first, (unsigned) keep[i] - 1, 0) < 0)
			return -errno;
		first = (unsigned) keep[i] + 1;
	}
	return syscall(SYS_close_range, first, ~0U, 0) < 0 ? -errno : 0;
}

/* The number of the initial user namespace is part of the kernel's interface. */
bool proc_in_userns(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != USERNS_INIT_INO;
}

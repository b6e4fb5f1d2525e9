/* SPDX-License-Identifier: MIT */
#include "oci/foreground.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "sys/pty.h"

#define RELAY_BUFFER 32768 /* bytes */

/* Faults of this process are its own; SIGPIPE and SIGURG are noise, SIGCHLD is seen by pidfd. */
static void forwarded(sigset_t *ret)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS,
				   SIGPIPE, SIGURG, SIGCHLD, SIGTTIN, SIGTTOU };

	(void) sigfillset(ret);
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		(void) sigdelset(ret, own[i]);
}

void oci_foreground_block(sigset_t *ret_old)
{
	sigset_t set;

	forwarded(&set);
	(void) sigprocmask(SIG_BLOCK, &set, ret_old);
}

static void forward_signal(int signals, pid_t pid, int master)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != (ssize_t) sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH && master >= 0)
		(void) pty_copy_size(STDIN_FILENO, master); /* stdin may be no terminal */
	else
		(void) kill(pid, (int) info.ssi_signo); /* it may have ended just now */
}

/* Return: bytes copied; 0 end of input; -errno. */
static ssize_t copy_once(int from, int to)
{
	char buf[RELAY_BUFFER];
	ssize_t n = read(from, buf, sizeof(buf));
	int r;

	if (n < 0)
		return errno == EIO ? 0 : -errno; /* EIO: the last user of the slave closed it */
	r = fd_write_full(to, buf, (size_t) n);
	return r < 0 ? r : n;
}

static int loop(pid_t pid, int pidfd, int master, int signals)
{
	struct pollfd p[] = {
		{ .fd = master, .events = POLLIN },
		{ .fd = master >= 0 ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN },
	};
	bool ended = false;

	for (;;) {
		int n = poll(p, ARRAY_LEN(p), ended ? 0 : -1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (p[0].fd >= 0 && p[0].revents != 0) {
			if (copy_once(master, STDOUT_FILENO) <= 0)
				p[0].fd = -1;
		} else if (ended)
			return 0;
		if (p[1].fd >= 0 && p[1].revents != 0 && copy_once(STDIN_FILENO, master) <= 0)
			p[1].fd = -1; /* nothing more to type */
		if (p[2].revents != 0)
			forward_signal(signals, pid, master);
		if (p[3].revents != 0) {
			ended = true;
			p[3].fd = -1;
		}
		if (ended && p[0].fd < 0)
			return 0;
	}
}

int oci_foreground_wait(pid_t pid, int pidfd, int master, int *ret_status, struct err *err)
{
	struct termios old;
	bool raw = false;
	sigset_t set;
	int r;

	forwarded(&set);
	_cleanup_close_ int signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		return err_set(err, -errno, "create a signalfd");
	if (master >= 0) {
		(void) pty_copy_size(STDIN_FILENO, master); /* stdin may be no terminal */
		raw = pty_raw(STDIN_FILENO, &old) == 0;
	}
	r = loop(pid, pidfd, master, signals);
	if (raw)
		pty_restore(STDIN_FILENO, &old);
	if (r < 0)
		return err_set(err, r, "wait for the container");
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, -errno, "wait for the container");
	return 0;
}

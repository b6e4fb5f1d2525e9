/* SPDX-License-Identifier: MIT */
#include "oci/foreground.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "sys/proc.h"
#include "sys/pty.h"

#define RELAY_BUFFER 4096 /* bytes; a pipe that poll() calls writable takes as many without blocking */

/* One direction of the terminal */
struct relay {
	int from, to;
	size_t at, n; /* what is left of @buf */
	bool done;
	char buf[RELAY_BUFFER];
};

/* @status: of @pid, once it is @reaped */
struct foreground {
	pid_t pid;
	int master, signals, status;
	bool reaped;
	struct relay in, out;
};

/* Faults of this process are its own; SIGPIPE and SIGURG are noise.  SIGCHLD is for us. */
static void watched(sigset_t *ret)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS,
				   SIGPIPE, SIGURG, SIGTTIN, SIGTTOU };

	(void) sigfillset(ret);
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		(void) sigdelset(ret, own[i]);
}

void oci_foreground_block(sigset_t *ret_old)
{
	sigset_t set;

	watched(&set);
	(void) sigprocmask(SIG_BLOCK, &set, ret_old);
}

/* Orphans of a container without a pid namespace come to a subreaper; there may be many. */
static void reap(struct foreground *fg)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == fg->pid) {
			fg->status = status;
			fg->reaped = true;
		}
}

static void handle_signal(struct foreground *fg)
{
	struct signalfd_siginfo info;

	if (read(fg->signals, &info, sizeof(info)) != (ssize_t) sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		reap(fg);
	else if (info.ssi_signo == SIGWINCH && fg->master >= 0)
		(void) pty_copy_size(STDIN_FILENO, fg->master); /* stdin may be no terminal */
	else if (!fg->reaped)
		(void) kill(fg->pid, (int) info.ssi_signo); /* it may have ended just now */
}

static void relay_read(struct relay *r)
{
	ssize_t n = read(r->from, r->buf, sizeof(r->buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	r->done = n <= 0; /* EIO: the last user of the slave closed it */
	r->n = n > 0 ? (size_t) n : 0;
	r->at = 0;
}

static void relay_write(struct relay *r)
{
	ssize_t n = write(r->to, r->buf + r->at, r->n);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) { /* nobody reads that any more */
		r->done = true;
		r->n = 0;
		return;
	}
	r->at += (size_t) n;
	r->n -= (size_t) n;
}

/* Neither direction waits for the other: a program that only writes or only reads would stop both. */
static int loop(struct foreground *fg, int pidfd)
{
	struct relay *in = &fg->in, *out = &fg->out;
	bool ended = false;

	for (;;) {
		struct pollfd p[] = {
			{ .fd = out->done || out->n != 0 ? -1 : out->from, .events = POLLIN },
			{ .fd = out->n == 0 ? -1 : out->to, .events = POLLOUT },
			{ .fd = in->done || in->n != 0 ? -1 : in->from, .events = POLLIN },
			{ .fd = in->n == 0 ? -1 : in->to, .events = POLLOUT },
			{ .fd = fg->signals, .events = POLLIN },
			{ .fd = ended ? -1 : pidfd, .events = POLLIN },
		};
		int n = poll(p, ARRAY_LEN(p), ended && out->n == 0 ? 0 : -1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (ended && out->n == 0 && p[0].revents == 0)
			return 0; /* a process that stays may write on, nobody is there to read it */
		if (p[0].revents != 0)
			relay_read(out);
		if (p[1].revents != 0)
			relay_write(out);
		if (p[2].revents != 0)
			relay_read(in);
		if (p[3].revents != 0)
			relay_write(in);
		if (p[4].revents != 0)
			handle_signal(fg);
		ended = ended || p[5].revents != 0;
	}
}

int oci_foreground_wait(pid_t pid, int pidfd, int master, int *ret_status, struct err *err)
{
	struct foreground fg = {
		.pid = pid,
		.master = master,
		.in = { .from = STDIN_FILENO, .to = master, .done = master < 0 },
		.out = { .from = master, .to = STDOUT_FILENO, .done = master < 0 },
	};
	struct termios old;
	bool raw = false;
	sigset_t set;
	int r;

	watched(&set);
	_cleanup_close_ int signals = fg.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return err_set(err, -errno, "create a signalfd");
	reap(&fg); /* who ended before may have told nobody */
	if (master >= 0) {
		if (fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
			return err_set(err, -errno, "prepare the terminal");
		(void) pty_copy_size(STDIN_FILENO, master); /* stdin may be no terminal */
		raw = pty_raw(STDIN_FILENO, &old) == 0;
	}
	r = loop(&fg, pidfd);
	if (raw)
		pty_restore(STDIN_FILENO, &old);
	if (r < 0)
		return err_set(err, r, "wait for the container");
	if (!fg.reaped)
		fg.status = proc_wait(pid);
	if (fg.status < 0)
		return err_set(err, fg.status, "wait for the container");
	*ret_status = fg.status;
	return 0;
}

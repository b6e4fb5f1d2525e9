/* SPDX-License-Identifier: MIT */
/**
 * DOC: `cleave-init`
 *
 * First process of an instance that was made with --init: runs the program as its child, forwards
 * signals to it, reaps what it leaves, and ends as it does.  It shares the program's terminal, so the
 * program gets a process group of its own in the foreground.
 */
#include <asm/unistd.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "bare/sys.h"

#define EXIT_USAGE 2
#define EXIT_OURS 125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127
#define PATH_SIZE 4096

/* Faults of this process are its own. */
static uint64_t forwarded(void)
{
	static const unsigned char own[] = { SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGILL, SIGFPE,
					     SIGABRT, SIGTRAP, SIGSYS,  SIGTTIN, SIGTTOU };
	uint64_t mask = ~0ull;

	for (unsigned i = 0; i < sizeof(own); i++)
		mask &= ~(1ull << (own[i] - 1));
	return mask;
}

static long execute(const char *path, char **argv, char **envp)
{
	return sys_call(__NR_execve, (long) path, (long) argv, (long) envp, 0, 0, 0);
}

static const char *find_path(char **envp)
{
	for (; *envp != NULL; envp++) {
		const char *e = *envp;

		if (e[0] == 'P' && e[1] == 'A' && e[2] == 'T' && e[3] == 'H' && e[4] == '=')
			return e + 5;
	}
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

static bool has_slash(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s == '/')
			return true;
	return false;
}

/* Like execvp(3).  Return: -errno. */
static long search(char **argv, char **envp)
{
	char file[PATH_SIZE];
	const char *dir = find_path(envp);
	size_t name = text_len(argv[0]);
	long result = -ENOENT;

	if (has_slash(argv[0]))
		return execute(argv[0], argv, envp);
	while (*dir != '\0') {
		size_t n = 0;

		while (dir[n] != '\0' && dir[n] != ':')
			n++;
		if (n + name + 2 <= sizeof(file)) {
			long r;

			__builtin_memcpy(file, dir, n);
			file[n] = '/';
			__builtin_memcpy(file + n + 1, argv[0], name + 1);
			r = execute(file, argv, envp);
			if (r != -ENOENT && r != -ENOTDIR)
				result = r;
		}
		dir += n + (dir[n] == ':');
	}
	return result;
}

static void say(const char *text)
{
	(void) sys_write_all(2, text, text_len(text)); /* nobody else to tell */
}

static _Noreturn void be_program(char **argv, char **envp)
{
	uint64_t none = 0;
	int group = (int) sys_call(__NR_getpid, 0, 0, 0, 0, 0, 0);
	long r;

	(void) sys_call(__NR_setpgid, 0, 0, 0, 0, 0, 0); /* a session leader stays one */
	(void) sys_ioctl(0, TIOCSPGRP, &group); /* without a terminal there is nothing to do */
	(void) sys_call(__NR_rt_sigprocmask, SIG_SETMASK, (long) &none, 0, sizeof(none), 0, 0);
	r = search(argv, envp);
	say("cleave-init: cannot execute '");
	say(argv[0]);
	say(r == -ENOENT ? "': No such file or directory\n" : "': it is not executable\n");
	sys_exit(r == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* Return: wait status of @child once it has ended; -1 before. */
static int reap(int child)
{
	int status, found = -1;
	long pid;

	while ((pid = sys_wait(&status)) > 0)
		if (pid == child)
			found = status;
	return found;
}

static int exit_code(int status)
{
	return (status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f);
}

static int serve(int signals, int child)
{
	struct pollfd p = { .fd = signals, .events = POLLIN };
	int signal, status;

	for (;;) {
		(void) sys_poll(&p, 1, -1); /* EINTR is as good */
		while ((signal = sys_next_signal(signals)) > 0)
			if (signal != SIGCHLD)
				(void) sys_kill(child, signal); /* it may have ended */
		status = reap(child);
		if (status >= 0)
			return exit_code(status);
	}
}

int program(int argc, char **argv)
{
	char **envp = argv + argc + 1;
	long signals, child;

	if (argc < 3 || argv[1][0] != '-' || argv[1][1] != '-' || argv[1][2] != '\0') {
		say("usage: cleave-init -- PROGRAM [ARG...]\n");
		return EXIT_USAGE;
	}
	(void) sys_call(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0); /* if it is not pid 1 */
	signals = sys_signals(forwarded() | 1ull << (SIGTTOU - 1) | 1ull << (SIGTTIN - 1),
			      forwarded());
	if (signals < 0)
		return EXIT_OURS;
	child = sys_call(__NR_clone, SIGCHLD, 0, 0, 0, 0, 0);
	if (child < 0) {
		say("cleave-init: cannot create a process\n");
		return EXIT_OURS;
	}
	if (child == 0)
		be_program(argv + 2, envp);
	return serve((int) signals, (int) child);
}

/* SPDX-License-Identifier: MIT */
#include "vmm/machine/leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "sys/proc.h"

/* Has the one end of a pipe whose other end only the machine's process has. */
static _Noreturn void wait_and_remove(int end, const char *const *paths, size_t n)
{
	sigset_t all;
	char c;

	(void) sigfillset(&all);
	(void) sigprocmask(SIG_SETMASK, &all, NULL); /* a terminal's Control-C is for the machine */
	(void) dup2(end, 0);
	(void) syscall(SYS_close_range, 1u, ~0u, 0); /* whoever reads what the machine writes sees its end */
	while (read(0, &c, 1) < 0 && errno == EINTR)
		;
	for (size_t i = 0; i < n; i++)
		if (paths[i] != NULL)
			(void) remove(paths[i]); /* ours: no socket was there when we came; a directory goes if nobody else uses it */
	_exit(0);
}

int leftovers_start(struct leftovers *ret, const char *const *paths, size_t n, struct err *err)
{
	int ends[2];
	size_t used = 0;

	*ret = (struct leftovers) { .pipe = -EBADF };
	for (size_t i = 0; i < n; i++)
		used += paths[i] != NULL;
	if (used == 0)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, -errno, "make a pipe");
	ret->pid = fork();
	if (ret->pid == 0)
		wait_and_remove(ends[0], paths, n);
	(void) close(ends[0]); /* the other process's */
	ret->pipe = ends[1];
	if (ret->pid > 0)
		return 0;
	ret->pid = 0;
	(void) close(ends[1]); /* nothing was written */
	return err_set(err, -errno, "make a process");
}

void leftovers_remove(struct leftovers *l)
{
	if (l->pid == 0)
		return;
	(void) close(l->pipe); /* tells it */
	(void) proc_wait(l->pid); /* it has no failures */
	l->pid = 0;
}

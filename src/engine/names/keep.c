/* SPDX-License-Identifier: MIT */
/**
 * DOC: who looks after a resolver
 *
 * What strangers send may break the resolver, so somebody whom they do not reach waits for its end.  That process holds the
 * lock, and nothing of the network; the engine ends both by ending it.
 */
#include "engine/names/keep.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>

#include "bare/sys.h"
#include "engine/names/protocol.h"

#define LIFE_MS 1000 /* one that ends sooner is not started again before that */

/* Wait for the end of the child; one that is stopped is ended.  Return: was it killed? */
static bool outlive(long pid)
{
	int status = 0;
	long r;

	while ((r = sys_call(__NR_wait4, pid, (long) &status, WUNTRACED, 0, 0, 0)) == -EINTR || (r == pid && WIFSTOPPED(status)))
		if (r == pid)
			(void) sys_kill((int) pid, SIGKILL); /* it is there */
	return r == pid && WIFSIGNALED(status);
}

static _Noreturn void keep(long pid, char **argv)
{
	const char *const words[] = { "cleave", "--root", argv[3], "--runroot", argv[1], "_names", argv[4], NULL };
	int64_t begin = sys_now_ms(), lived;

	(void) sys_close(NAMES_FD_CONTROL); /* so that nobody is told to be there, and the ports are free, when it has ended */
	(void) sys_close(NAMES_FD_UDP);
	(void) sys_close(NAMES_FD_TCP);
	if (!outlive(pid))
		sys_exit(1); /* it cannot be: the engine has said so */
	lived = sys_now_ms() - begin;
	if (lived < LIFE_MS)
		(void) sys_poll(NULL, 0, (int) (LIFE_MS - lived)); /* sooner is fine */
	(void) sys_close(NAMES_FD_LOCK);
	(void) sys_call(__NR_fcntl, NAMES_FD_PROGRAM, F_SETFD, FD_CLOEXEC, 0, 0, 0); /* else it stays open a little longer */
	(void) sys_execute(NAMES_FD_PROGRAM, words); /* the next command does it instead */
	sys_exit(1);
}

long names_keep(char **argv)
{
	long self = sys_call(__NR_getpid, 0, 0, 0, 0, 0, 0), pid = sys_call(__NR_clone, SIGCHLD, 0, 0, 0, 0, 0);

	if (pid > 0)
		keep(pid, argv);
	if (pid < 0)
		return pid;
	(void) sys_close(NAMES_FD_LOCK); /* the lock is not ours */
	(void) sys_close(NAMES_FD_PROGRAM);
	return self;
}

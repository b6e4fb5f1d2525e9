/* SPDX-License-Identifier: MIT */
#include "sys/netns.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "sys/proc.h"

#define STACK_SIZE (1u << 20) /* bytes; what is not touched is not there */

struct call {
	int netns, result;
	int (*fn)(void *arg);
	void *arg;
};

static int run(void *data)
{
	struct call *c = data;

	c->result = setns(c->netns, CLONE_NEWNET) < 0 ? -errno : c->fn(c->arg);
	return 0;
}

int netns_call(int netns, int (*fn)(void *arg), void *arg)
{
	struct call c = { netns, -EINTR, fn, arg }; /* as long as a signal ends it */
	char *stack;
	pid_t pid;

	if (netns < 0)
		return fn(arg);
	stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return -errno;
	pid = clone(run, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &c);
	if (pid < 0)
		c.result = -errno;
	else
		(void) proc_wait(pid); /* it has ended */
	(void) munmap(stack, STACK_SIZE);
	return c.result;
}

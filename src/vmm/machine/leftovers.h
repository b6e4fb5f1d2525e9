/* SPDX-License-Identifier: MIT */
/*
 * Sockets that a machine made in the host's file system, and that go with it.  A machine in its sandbox cannot
 * remove them, and one that was killed cannot do anything: a process outside waits for its end.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct err;

/** struct leftovers - the process that waits; @pid 0: there is nothing to remove */
struct leftovers {
	pid_t pid;
	int pipe;
};

/**
 * leftovers_start() - let a process remove files when this one is gone, however it ended
 * @paths: borrows; @n of them, NULL ones are left out
 * Context: the only thread.
 * Return: 0; -errno with a message.
 */
int leftovers_start(struct leftovers *ret, const char *const *paths, size_t n, struct err *err);

/** leftovers_remove() - let it do so now, and wait for it */
void leftovers_remove(struct leftovers *l);

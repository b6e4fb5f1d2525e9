/* SPDX-License-Identifier: MIT */
/*
 * A process that has a program and descriptors from us, and ends with us.
 */
#pragma once

#include <sys/types.h>

struct err;

/**
 * spawn() - start a program
 * @program: its file, a descriptor
 * @argv: ends with NULL; the environment is empty
 * @fd: which of our descriptors are 0, 1, ... @n - 1 there; nothing else is open.  Used up
 * @ret, @ret_handle: returns the process and a descriptor of it; end it with spawn_end()
 * Context: the thread that lives longest: the process ends with it.
 * Return: 0; -errno.
 */
int spawn(int program, const char *const *argv, int *fd, unsigned n, pid_t *ret, int *ret_handle);

/** spawn_wait() - wait until @pid ends; returns -EIO with a message of how */
int spawn_wait(pid_t pid, struct err *err);

/** spawn_end() - end it if it has not yet, and forget it; @handle is closed.  @pid: 0 for one that has ended */
void spawn_end(pid_t pid, int handle);

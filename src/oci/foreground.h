/* SPDX-License-Identifier: MIT */
#pragma once

#include <signal.h>
#include <sys/types.h>

struct err;

/**
 * oci_foreground_block() - hold back the signals that oci_foreground_wait() looks at
 * @ret_old: the mask before
 * Called before the container process is cloned, so that no signal is lost; the child clears it.
 */
void oci_foreground_block(sigset_t *ret_old);

/**
 * oci_foreground_wait() - stay in the foreground until the container's process ends
 * @pid: child of the caller
 * @pidfd: of @pid
 * @master: terminal to copy to and from stdio (raw mode, size followed), or -EBADF
 * @ret_status: wait status of @pid
 *
 * Forwards every signal that arrives but SIGCHLD; reaps other children (as a subreaper) meanwhile.
 * Context: blocks; signals blocked by oci_foreground_block().
 * Return: 0; -errno with a message.
 */
int oci_foreground_wait(pid_t pid, int pidfd, int master, int *ret_status, struct err *err);

/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * proc_clone() - clone3(2) without a new stack, like fork(2)
 * @flags: CLONE_*, may hold CLONE_NEWTIME
 * @exit_signal: usually SIGCHLD; 0 with CLONE_PARENT
 * @cgroup_fd: v2 directory the child starts in, or -EBADF
 * @ret_pidfd: where the child's pidfd goes, NULL for none
 *
 * Context: single-threaded process (the child continues with a copy of the heap).
 * Return: child's pid in the parent, 0 in the child; -errno.
 */
pid_t proc_clone(uint64_t flags, int exit_signal, int cgroup_fd, int *ret_pidfd);

/** proc_pidfd_open() - pidfd of @pid; -errno (-ESRCH it is gone) */
int proc_pidfd_open(pid_t pid);

/** proc_pidfd_kill() - send @signal by pidfd; 0 or -errno */
int proc_pidfd_kill(int pidfd, int signal);

/** struct proc_stat - what /proc/<pid>/stat tells: @state letter, @start_time in clock ticks since boot, @ppid */
struct proc_stat {
	char state;
	uint64_t start_time;
	pid_t ppid;
};

/** proc_stat_read() - Return: 0; -ESRCH no such process; -EINVAL unreadable text */
int proc_stat_read(pid_t pid, struct proc_stat *ret);

/** proc_wait() - waitpid() that survives signals; Return: wait status; -errno */
int proc_wait(pid_t pid);

/** proc_exit_code() - 0..255 as a shell shows it: 128+n for signal n */
int proc_exit_code(int wait_status);

/**
 * proc_default_signals() - nothing is blocked, ignored or handled
 * For a child before execve(), which would pass on what our caller ignores or blocks.
 */
void proc_default_signals(void);

/** proc_in_userns() - this process is in another user namespace than the host's first one */
bool proc_in_userns(void);

/** proc_cloexec_from() - mark every descriptor from @first on close-on-exec; 0 or -errno */
int proc_cloexec_from(unsigned first);

/**
 * proc_close_except() - close every descriptor from @first on but those in @keep
 * @keep: reordered; entries below @first (-EBADF too) are ignored
 * Return: 0; -errno.
 */
int proc_close_except(unsigned first, int *keep, size_t n);

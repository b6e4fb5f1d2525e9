/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "oci/init.h"
#include "oci/seccomp.h"
#include "oci/state.h"

struct err;

#define OCI_TASK_FDS_MAX 32

struct oci_container;

/**
 * struct oci_child - all that the parent prepared for the child; inherited by the clone
 * @init: what rootfs and process modules need; init.process is @process
 * @process: the program to run; the child completes its environment
 * @state: for hooks and the seccomp agent; pid is filled in by the child
 * @sync: the child's end of the pair
 * @listen: socket to wait on for `start`, or -EBADF to go on at once
 * @console: where the terminal's master goes, -EBADF without a terminal
 * @seccomp_agent: connected listenerPath, or -EBADF
 * @filter: compiled seccomp filter; len 0 = none
 * @task_fds: v1 "tasks" files to join by
 * @ns_fds: namespaces to join, -EBADF where none
 * @target_pidfd: an exec: join this process's namespaces in @target_flags; else -EBADF
 * @shown: others may look into it until GO comes
 * @wait_go: wait for GO before anything (id maps, systemd scope)
 * @new_keyring: session keyring of its own
 * @bind_console: the terminal is bound to /dev/console
 * @unshare_cgroup: a new cgroup namespace is asked for
 * @keep_fds: stdio plus --preserve-fds, all others close on exec
 */
struct oci_child {
	struct oci_init init;
	struct oci_process process;
	struct oci_state state;
	int sync, listen, console, seccomp_agent;
	struct oci_filter filter;
	int task_fds[OCI_TASK_FDS_MAX];
	size_t nr_task_fds;
	int ns_fds[OCI_NS_N_];
	int target_pidfd;
	int target_flags;
	bool shown, wait_go, new_keyring, bind_console, unshare_cgroup;
	unsigned keep_fds;
};

/**
 * oci_child_main() - the future first process of a container
 * Ends in execve() of the container's program or in _exit() after telling the parent why not.
 */
_Noreturn void oci_child_main(struct oci_child *child);

/**
 * oci_child_exec_main() - the future process of an exec: joins instead of building
 * As oci_child_main().
 */
_Noreturn void oci_child_exec_main(struct oci_child *child);

/**
 * oci_child_spawn() - clone the child with the namespaces its configuration asks for
 * @run: one of the two mains
 * @flags: CLONE_NEW* of the new namespaces (time and cgroup are left to the child)
 * @cgroup_fd: v2 cgroup, or -EBADF
 * @sync: the parent's end of the pair
 * @clone_parent: the child becomes a child of this process's parent
 * @via_helper: join child->ns_fds (or the target's namespaces) in a process between, because a pid
 *              namespace shows only for children and user namespaces must come first
 * @ret_pid: the child's pid here; @ret_pidfd: its pidfd
 *
 * Context: parent; single-threaded.
 * Return: 0; -errno with a message.
 */
int oci_child_spawn(struct oci_child *child, void (*run)(struct oci_child *), unsigned long flags,
		    int cgroup_fd, int sync, bool clone_parent, bool via_helper, int *ret_pid,
		    int *ret_pidfd, struct err *err);

/**
 * oci_child_join() - setns() into the target's namespaces or all of child->ns_fds
 * Return: 0; -errno with a message naming the namespace.
 */
int oci_child_join(const struct oci_child *child, struct err *err);

/**
 * oci_child_init() - nothing prepared yet: all descriptors -EBADF
 * @c: borrows; names the container in messages and hooks
 */
void oci_child_init(struct oci_child *child, const struct oci_container *c);

/**
 * oci_child_prepare() - what create and exec prepare alike
 * Opens the host's procfs, connects console socket and seccomp agent, compiles the filter, counts
 * preserved descriptors (LISTEN_FDS of socket activation included).
 * @console_socket: may be NULL; with a terminal the master then goes to *@ret_console
 * @ret_console: the parent's end, or -EBADF
 * Return: 0; -errno with a message.
 */
int oci_child_prepare(struct oci_child *child, const struct oci_container *c,
		      const char *console_socket, unsigned preserve_fds, int *ret_console, struct err *err);

/** oci_child_fini() - in the parent: close and free what was prepared */
void oci_child_fini(struct oci_child *child);

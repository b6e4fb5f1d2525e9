/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;
struct oci_container;
struct oci_process;

/**
 * struct oci_exec_opts - what `exec` is told
 * @process: borrows; complete process (the caller merges flags and defaults)
 * @console_socket, @pidfd_socket, @pid_file, @preserve_fds: as in struct oci_create_opts
 * @cgroups: borrows; as @subs of oci_cgroup_exec_fds()
 * @clone_parent: as in struct oci_create_opts
 */
struct oci_exec_opts {
	const struct oci_process *process;
	const char *console_socket, *pidfd_socket, *pid_file;
	const char *const *cgroups;
	size_t nr_cgroups;
	unsigned preserve_fds;
	bool clone_parent;
};

/** struct oci_executed - as struct oci_created */
struct oci_executed {
	pid_t pid;
	int pidfd, master;
};

/**
 * oci_exec() - run another program in a container
 * Returns once the program runs (execve() succeeded).
 * Context: as oci_create().
 * Return: 0; -errno with a message.
 */
int oci_exec(struct oci_container *c, const struct oci_exec_opts *opts, struct oci_executed *ret,
	     struct err *err);

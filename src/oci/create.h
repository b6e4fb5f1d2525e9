/* SPDX-License-Identifier: MIT */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

struct err;
struct oci_container;
struct oci_spec;

/**
 * struct oci_create_opts - what `create` and `run` are told
 * @root: directory of the runtime's state
 * @id: new container's id
 * @bundle: directory with config.json and usually the root file system; relative paths allowed
 * @config: text of the configuration instead of a file, NULL to read @config_file
 * @config_file: its name, relative to @bundle; NULL for config.json
 * @notify_socket: as of oci_notify_pass()
 * @console_socket: unix socket that gets the terminal's master; NULL with a terminal: it is returned
 * @pidfd_socket: unix socket that gets a pidfd of the first process; NULL for none
 * @pid_file: written atomically before the call returns, NULL for none
 * @rootfs_fd: borrows; detached mount to use as root file system, 0 for none; root.path is then any
 *             directory that nothing else needs while the container is made
 * @preserve_fds: descriptors 3.. passed on to the container
 * @no_pivot, @no_new_keyring, @systemd_cgroup: as runc's options
 * @no_cgroup: make none, stay in the caller's
 * @detached: the caller does not stay: a terminal needs @console_socket
 * @start: run the program at once instead of waiting for `start`
 * @connect: called with @connect_data and the new network namespace while the first process makes its mounts, to give
 *           it network devices; 0 or -errno with a message; NULL for none
 * @clone_parent: the container becomes a child of the caller's parent (which then waits for it); a terminal
 *                completes line ends itself
 */
struct oci_create_opts {
	const char *root, *id, *bundle, *config, *config_file;
	const char *notify_socket, *console_socket, *pidfd_socket, *pid_file;
	int rootfs_fd;
	unsigned preserve_fds;
	bool no_pivot, no_new_keyring, systemd_cgroup, no_cgroup;
	bool detached;
	bool start;
	bool clone_parent;
	int (*connect)(void *data, int netns, struct err *err);
	void *connect_data;
};

/**
 * struct oci_created - a container that exists now
 * @container: release with oci_container_free()
 * @pid: of its first process, child of this process (or of its parent with clone_parent)
 * @pidfd: the caller closes it
 * @master: the terminal, or -EBADF; the caller closes it
 */
struct oci_created {
	struct oci_container *container;
	pid_t pid;
	int pidfd, master;
};

#define OCI_CREATED_NONE { .pidfd = -EBADF, .master = -EBADF }

/** oci_created_fini() - close the descriptors, release the container's handle */
void oci_created_fini(struct oci_created *made);

/**
 * oci_create() - make a container and, with opts->start, run its program
 * @ret: filled
 *
 * On failure nothing is left: process, cgroup and directory are removed, poststop hooks are run if
 * an earlier hook was.
 * Context: single-threaded process that is a sealed copy of itself (exe_seal()); blocks; forks.
 * Return: 0; -EEXIST the id is taken; -errno with a message.
 */
int oci_create(const struct oci_create_opts *opts, struct oci_created *ret, struct err *err);

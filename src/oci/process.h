/* SPDX-License-Identifier: MIT */
/*
 * Attributes of the container's process, applied by the child in the order of this header.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct oci_init;
struct oci_process;
struct oci_spec;

/**
 * oci_process_affinity() - execCPUAffinity.initial: affinity of the caller and of what it clones
 * @process: borrows; nothing happens without an "initial" list
 *
 * Context: parent of an exec, before the clone.
 * Return: 0; -errno with a message.
 */
int oci_process_affinity(const struct oci_process *process, struct err *err);

/**
 * oci_process_quota() - oom_score_adj and rlimits of a process
 * @process: borrows
 * @proc_fd: the host's procfs root
 * @pid: of the process in the caller's view; 0 = the caller
 *
 * Late, as the set-up needs more descriptors than the program may be allowed: without a user namespace
 * the child does it for itself, just before oci_process_identity(); with one the parent does, once the
 * child is ready, since raising a limit there needs privileges in the initial one.
 * Return: 0; -errno with a message naming the field.
 */
int oci_process_quota(const struct oci_process *process, int proc_fd, pid_t pid, struct err *err);

/**
 * oci_process_limits() - attributes that need privileges and do not restrict the set-up that follows
 *
 * CPU affinity ("final" of execCPUAffinity; everything
 * when no list is given), scheduler, I/O priority, memory policy, personality, session keyring.
 * @new_keyring: join a session keyring named after the container
 *
 * Context: child, already in its cgroup.
 * Return: 0; -errno with a message naming the field.
 */
int oci_process_limits(const struct oci_init *init, bool new_keyring, struct err *err);

/** oci_selinux_active() - the kernel runs with SELinux; @proc_fd: the host's procfs root */
bool oci_selinux_active(int proc_fd);

/**
 * oci_process_label() - AppArmor and SELinux labels that the coming execve() takes on
 *
 * Writes attr files of the calling thread through init->proc_fd.  An SELinux label on a kernel
 * without SELinux is an error; an AppArmor profile on a kernel without AppArmor is ignored with a
 * warning.
 * Return: 0; -errno with a message.
 */
int oci_process_label(const struct oci_init *init, struct err *err);

/**
 * oci_process_identity() - owner of standard streams, groups, gid, uid, umask, capabilities,
 * no_new_privs
 * @keep_admin: keep CAP_SYS_ADMIN effective and permitted, so that a seccomp filter can still be
 *              loaded; execve() drops it because the bounding set is already reduced
 *
 * A capability the runtime does not have is left out with a warning, as the spec demands.
 * Context: child; last step before oci_seccomp_load() and execve().
 * Return: 0; -errno with a message.
 */
int oci_process_identity(const struct oci_init *init, bool keep_admin, struct err *err);

/**
 * oci_process_find() - the file that execve() will run
 * @process: borrows; args[0] without a slash is looked up in PATH of process->env
 * @ret: path, malloc'ed
 *
 * Context: child, inside the root, with the final identity and working directory.
 * Return: 0; -ENOENT, -EACCES, ... with runc's wording:
 *         exec: "NAME": executable file not found in $PATH / stat NAME: no such file or directory.
 */
int oci_process_find(const struct oci_process *process, char **ret, struct err *err);

/**
 * oci_rdt_apply() - intelRdt: make the resctrl group of a new container and put @pid there
 * Context: parent.
 * Return: 0; -errno with a message.
 * Spec: config-linux.md "IntelRdt".
 */
int oci_rdt_apply(const struct oci_spec *spec, const char *id, int pid, struct err *err);

/** oci_rdt_join() - put the process of an exec into the container's group */
int oci_rdt_join(const struct oci_spec *spec, const char *id, int pid, struct err *err);

/** oci_rdt_update() - write the schemata of @spec to the container's group */
int oci_rdt_update(const struct oci_spec *spec, const char *id, struct err *err);

/**
 * oci_rdt_remove() - remove the group named like the container, or its monitoring group
 * Return: 0 also if they are gone; -errno with a message.
 */
int oci_rdt_remove(const struct oci_spec *spec, const char *id, struct err *err);

/**
 * oci_netdev_move() - linux.netDevices: move host devices into the container's network namespace
 * @netns_fd: the container's
 * Keeps permanent addresses with global scope, MTU and MAC address; renames to the name asked for
 * and brings the device up.
 * Context: parent, single-threaded, in the host's network namespace.
 * Return: 0; -errno with a message naming the device.
 * Spec: config-linux.md "Network Devices".
 */
int oci_netdev_move(const struct oci_spec *spec, int netns_fd, struct err *err);

/** oci_lo_up() - bring the loopback device of the calling thread's network namespace up */
int oci_lo_up(struct err *err);

/* SPDX-License-Identifier: MIT */
/*
 * Attributes of the container's process, applied by the child in the order of this header.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct err;
struct oci_init;
struct oci_process;
struct oci_spec;

/**
 * oci_process_limits() - attributes that need privileges and do not restrict the set-up that follows
 *
 * oom_score_adj (through init->proc_fd), rlimits, scheduler, I/O priority, memory policy,
 * personality, CPU affinity ("final" of execCPUAffinity; "initial" is applied by the parent of an
 * exec), session keyring.
 * @new_keyring: join a new session keyring named after the container
 * Return: 0; -errno with a message naming the field.
 */
int oci_process_limits(const struct oci_init *init, bool new_keyring, struct err *err);

/**
 * oci_process_label() - AppArmor and SELinux labels that the coming execve() takes on
 * Writes attr files of the calling thread through init->proc_fd; a label asked for on a kernel
 * without that LSM is an error.
 * Return: 0; -errno with a message.
 */
int oci_process_label(const struct oci_init *init, struct err *err);

/**
 * oci_process_identity() - groups, gid, uid, umask, capabilities, no_new_privs
 * @keep_admin: keep CAP_SYS_ADMIN effective and permitted, so that a seccomp filter can still be
 *              loaded; execve() drops it because the bounding set is already reduced
 *
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
 * oci_rdt_apply() - intelRdt: create or join the resctrl group of @pid
 * Return: 0; -errno with a message.
 */
int oci_rdt_apply(const struct oci_spec *spec, const char *id, int pid, struct err *err);

/** oci_rdt_remove() - remove a resctrl group that oci_rdt_apply() made */
int oci_rdt_remove(const struct oci_spec *spec, const char *id, struct err *err);

/**
 * oci_netdev_move() - linux.netDevices: move host devices into the container's network namespace
 * @netns_fd: the container's
 * Keeps addresses with global scope, MTU and state; renames to the name asked for.
 * Context: parent, in the host's network namespace.
 * Return: 0; -errno with a message naming the device.
 * Spec: config-linux.md "Network Devices".
 */
int oci_netdev_move(const struct oci_spec *spec, int netns_fd, struct err *err);

/** oci_lo_up() - bring the loopback device of the calling thread's network namespace up */
int oci_lo_up(struct err *err);

/* SPDX-License-Identifier: MIT */
/*
 * What can be done with a container that exists.
 */
#pragma once

#include <stdbool.h>

struct err;
struct oci_container;

/**
 * oci_start() - let a created container run its program
 * Runs poststart hooks; when one fails it is reported as a warning, as the spec demands.
 * Return: 0; -EINVAL not in state created; the error of the child (program not found, ...).
 */
int oci_start(struct oci_container *c, struct err *err);

/**
 * oci_kill() - send a signal to the first process
 * @all: to every process of the container's cgroup instead
 * Return: 0; -ESRCH "container not running"; -errno with a message.
 */
int oci_kill(struct oci_container *c, int signal, bool all, struct err *err);

/**
 * oci_delete() - remove a stopped container and all that belongs to it
 * @force: kill it first, and accept one whose creation was cut short
 *
 * Removes the cgroup (killing what is left in it), the resctrl group, the directory; runs poststop hooks.
 * Return: 0; -EBUSY still running; -errno with a message.
 */
int oci_delete(struct oci_container *c, bool force, struct err *err);

/** oci_signal_parse() - "9", "KILL", "SIGKILL", "RTMIN+3"; number or -EINVAL */
int oci_signal_parse(const char *text);

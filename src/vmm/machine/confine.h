/* SPDX-License-Identifier: MIT */
/*
 * What a machine's process gives up before the guest runs, so that a guest that takes it over has gained little.
 *
 * The process: capabilities, its user, its namespaces and root directory, descriptors that it inherited.  Its
 * threads: all system calls but those that their role needs.
 */
#pragma once

#include <stdbool.h>

struct err;

#define CONFINE_STATUS 13 /* exit status after a system call that is not allowed */

enum confine_mode {
	CONFINE_AUTO, /* as much as this host allows */
	CONFINE_FULL, /* all of it, or the machine does not start */
	CONFINE_OFF, /* only privileges */
};

/**
 * struct confine_config - what the machine still needs of the host
 * @sockets: a path whose directory has unix sockets that the machine connects to later; NULL for none
 * @network: it talks to the host's network by itself
 * @dirs: descriptors of directories that it serves, @nr_dirs of them; each becomes one that has no way up
 */
struct confine_config {
	enum confine_mode mode;
	const char *sockets;
	bool network;
	const int *dirs;
	unsigned nr_dirs;
};

/**
 * confine_host() - give up what the process does not need of the host
 *
 * Namespaces, root directory, descriptors that were inherited and, unless it serves files, the user.
 * @missing: told what the host did not allow, CONFINE_AUTO only; untouched otherwise
 * Context: the only thread, after everything is opened.
 * Return: 0; -errno with a message.
 */
int confine_host(const struct confine_config *c, struct err *missing, struct err *err);

/**
 * confine_privileges() - give up all capabilities, and what could give new ones
 * Context: threads made later have nothing either; one made before keeps what it has.
 * Return: 0; -errno with a message.
 */
int confine_privileges(struct err *err);

/** enum confine_role - what a thread does; confine_calls.c has the system calls of each */
enum confine_role {
	CONFINE_LOOP = 1, /* the first thread: event loop, control, end */
	CONFINE_HOTPLUG = 2, /* besides: makes devices while the machine runs */
	CONFINE_NETWORK = 4, /* besides: has user-mode networking in it */
	CONFINE_CPU = 8, /* a processor that KVM executes */
	CONFINE_SOFT = 16, /* besides: a processor in software, which makes code */
	CONFINE_FILES = 32, /* serves a directory of the host (virtio-fs) */
};

/**
 * confine_thread() - from here on the calling thread makes only the system calls of its roles
 * @roles: bits of enum confine_role
 * Another one ends the process with CONFINE_STATUS and a line that names it.
 * Return: 0; -errno with a message.
 */
int confine_thread(unsigned roles, struct err *err);

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
 */
struct confine_config {
	enum confine_mode mode;
	const char *sockets;
	bool network;
};

/**
 * confine() - give up what the process does not need
 * @missing: told what the host did not allow, CONFINE_AUTO only; untouched otherwise
 * Context: after everything is opened; threads made later have nothing either, those that are there are left alone
 * (there are none without privileges).
 * Return: 0; -errno with a message.
 */
int confine(const struct confine_config *c, struct err *missing, struct err *err);

/** enum confine_role - what a thread does; confine_calls.c has the system calls of each */
enum confine_role {
	CONFINE_LOOP, /* the first thread: event loop, control, end */
	CONFINE_LOOP_NETWORK, /* that, with user-mode networking in it */
	CONFINE_CPU, /* a processor: of KVM, or of a process that has a filter of its own (accel/soft) */
	CONFINE_FILES, /* serves a directory of the host (virtio-fs) */
	CONFINE_N_ROLES_
};

/**
 * confine_thread() - from here on the calling thread makes only the system calls of its role
 * Another one ends the process with CONFINE_STATUS and a line that names it.
 * Return: 0; -errno with a message.
 */
int confine_thread(enum confine_role role, struct err *err);
